//! One client's account: its settings and credentials, looked up once for all its connections, and what its calls share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, ResolveEndpoint};
use tokio::sync::watch;

use super::Aws;
use super::budget::Budget;
use super::failure;
use super::grant::Grant;
use super::http::{self, Links, Ways};
use super::life::Standing;
use super::random::Random;
use super::settings::{self, Settings};
use super::skew::Skew;
use crate::error::{Error, TransportKind};
use crate::transport::config::Config;
use crate::transport::not_sent;

/// The longest that settings and credentials may take to be found, all their sources together.
const LOOKUP: Duration = Duration::from_mins(1);
/// How long after credentials could not be renewed early this is not tried again.
const PAUSE: Duration = Duration::from_secs(30);

pub struct Account {
    config: Config,
    ways: Result<Ways, Error>,
    /// The endpoint rules. Made at once, since they stand on a static that a fork must not find half made.
    endpoints: DefaultResolver,
    pub(super) timeouts: Timeouts,
    pub(super) budget: Budget,
    pub(super) random: Random,
    pub(super) skew: Skew,
    pub(super) born: Instant,
    is_in_lambda: bool,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    /// From a try's start to its answer's first byte.
    pub head: Duration,
    /// From a try's start to its answer's last byte.
    pub whole: Duration,
    pub operation: Option<Duration>,
}

#[derive(Default)]
struct State {
    grant: Option<Arc<Grant>>,
    /// The lookup under way, if there is one.
    lookup: Option<watch::Receiver<Option<Outcome>>>,
    /// No early renewal before then.
    pause_until: Option<Instant>,
}

type Outcome = Result<Arc<Grant>, Error>;

impl Timeouts {
    fn new(config: &Config) -> Self {
        let connect = config.connect_timeout.unwrap_or(Config::CONNECT_TIMEOUT);
        let read = config.read_timeout.unwrap_or(Config::READ_TIMEOUT);
        Self {
            connect,
            head: read,
            whole: connect + read,
            operation: config.operation_timeout,
        }
    }
}

impl Account {
    #[must_use]
    pub fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            ways: Ways::find(&config),
            endpoints: DefaultResolver::new(),
            timeouts: Timeouts::new(&config),
            budget: Budget::new(Budget::CAPACITY),
            random: Random::new(),
            skew: Skew::default(),
            born: Instant::now(),
            is_in_lambda: std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some(),
            state: Mutex::default(),
            config,
        })
    }

    /// Connections of their own for one runtime. They are opened by the calls that need them.
    #[must_use]
    pub fn connect(self: &Arc<Self>) -> Aws {
        Aws::new(Arc::clone(self))
    }

    #[cfg(feature = "reference")]
    pub(super) fn ways(&self) -> Result<&Ways, Error> {
        self.ways.as_ref().map_err(Clone::clone)
    }

    pub(super) fn links(&self) -> Result<Links, Error> {
        let ways = self.ways.clone()?;
        let tls = http::expects_tls(&self.config);
        Ok(Links::new(ways, self.timeouts.connect, self.max_connections(), tls))
    }

    pub(super) fn max_connections(&self) -> usize {
        self.config.max_connections.unwrap_or(Config::MAX_CONNECTIONS)
    }

    /// The trace of the invocation that AWS Lambda runs at the moment.
    pub(super) fn trace(&self) -> Option<String> {
        if self.is_in_lambda {
            std::env::var("_X_AMZN_TRACE_ID").ok()
        } else {
            None
        }
    }

    /// What requests are sent with; `refused` was not taken, as its token is over.
    pub(super) async fn grant(self: &Arc<Self>, refused: Option<&Arc<Grant>>) -> Outcome {
        let now = SystemTime::now();
        let (held, mut lookup) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let held = state.grant.clone();
            match &held {
                Some(grant) if refused.is_some_and(|refused| Arc::ptr_eq(refused, grant)) => {}
                Some(grant) => match grant.standing(now) {
                    Standing::Fresh => return Ok(Arc::clone(grant)),
                    Standing::Aging => {
                        self.renew_early(&mut state);
                        return Ok(Arc::clone(grant));
                    }
                    Standing::Over => {}
                },
                None => {}
            }
            let lookup = self.lookup(&mut state, refused.is_some())?;
            (held, lookup)
        };
        let found = lookup
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|found| found.clone());
        let found = found.unwrap_or_else(|| {
            let message = "an internal error ended the search for credentials; its traceback is on standard error";
            Err(not_sent(TransportKind::Credentials, message))
        });
        match (found, held) {
            // They were to be renewed, which failed; until their last moment they are better than none.
            (Err(_), Some(held)) if refused.is_none() && !held.is_expired(SystemTime::now()) => Ok(held),
            (found, _) => found,
        }
    }

    fn renew_early(self: &Arc<Self>, state: &mut State) {
        if state.pause_until.is_none_or(|end| Instant::now() >= end) {
            state.pause_until = Some(Instant::now() + PAUSE);
            // Whether it succeeds is told when the credentials are over.
            let _ = self.lookup(state, false);
        }
    }

    /// Join the lookup under way, or start it.
    ///
    /// It has a thread and a runtime of its own. A caller's may stop at any time, with its thread in a signal's handler
    /// or its loop closed, and whoever waited for it would wait for ever.
    fn lookup(self: &Arc<Self>, state: &mut State, anew: bool) -> Result<watch::Receiver<Option<Outcome>>, Error> {
        // A lookup that panicked has gone without a word.
        if let Some(lookup) = state.lookup.as_ref().filter(|lookup| lookup.has_changed().is_ok()) {
            return Ok(lookup.clone());
        }
        let (sender, receiver) = watch::channel(None);
        let account = Arc::clone(self);
        let held = state.grant.clone();
        let work = move || {
            let outcome = account.look_up(held.as_deref(), anew);
            let mut state = account.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(grant) = &outcome {
                state.grant = Some(Arc::clone(grant));
                state.pause_until = None;
            }
            state.lookup = None;
            drop(state);
            // Nobody may be waiting any more.
            let _ = sender.send(Some(outcome));
        };
        let thread = std::thread::Builder::new()
            .name("oxidyn-account".to_owned())
            .spawn(work);
        thread.map_err(|error| {
            let message = format!("cannot start a thread to look for credentials: {error}");
            not_sent(TransportKind::Credentials, message)
        })?;
        state.lookup = Some(receiver.clone());
        Ok(receiver)
    }

    fn look_up(&self, held: Option<&Grant>, anew: bool) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            let message = format!("cannot start a runtime to look for credentials: {error}");
            not_sent(TransportKind::Credentials, message)
        })?;
        let found = runtime.block_on(async { tokio::time::timeout(LOOKUP, self.find(held, anew)).await });
        // A plain drop would wait for a name lookup that hangs.
        runtime.shutdown_background();
        found.unwrap_or_else(|_| {
            let message = format!("the AWS credentials were not found within {LOOKUP:?}: check what gives them out");
            Err(not_sent(TransportKind::Credentials, message))
        })
    }

    async fn find(&self, held: Option<&Grant>, anew: bool) -> Outcome {
        let (settings, provider) = self.provider(held, anew).await?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| failure::no_credentials(&error, settings.profile.as_deref()))?;
        let account_id = credentials.account_id().map(|id| id.as_str());
        let endpoint = self
            .endpoints
            .resolve_endpoint(&settings.endpoint_of(account_id))
            .await
            .map_err(|error| failure::no_endpoint(&*error))?;
        Grant::new(settings, provider, &credentials, &endpoint, SystemTime::now()).map(Arc::new)
    }

    /// Whom to ask, with the settings that stay. `anew` is for credentials that were refused although they should still
    /// hold: who gave them may have read a file that has changed since, and would give the same again.
    async fn provider(
        &self,
        held: Option<&Grant>,
        anew: bool,
    ) -> Result<(Arc<Settings>, SharedCredentialsProvider), Error> {
        if let Some(held) = held.filter(|_| !anew) {
            return Ok((Arc::clone(&held.settings), held.provider.clone()));
        }
        let found = settings::find(&self.config, self.ways.as_ref().map_err(Clone::clone)?).await?;
        let settings = held.map_or_else(|| Arc::new(found.settings), |held| Arc::clone(&held.settings));
        Ok((settings, found.credentials))
    }
}
