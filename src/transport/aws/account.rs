//! Where requests go and who sends them: region, endpoint and credentials, found where every AWS tool finds them.

use std::sync::Arc;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint, SharedEndpointResolver};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_runtime_api::shared::IntoShared;
use aws_types::service_config::ServiceConfigKey;
use tokio::sync::OnceCell;

use super::Aws;
use super::http;
use crate::error::{Error, TransportKind};
use crate::transport::config::Config;
use crate::transport::not_sent;

/// One client's options, and what the environment adds to them with the first call.
pub struct Account {
    config: Config,
    timeouts: TimeoutConfig,
    /// The endpoint rules. Made at once, since they stand on a static that a fork must not find half made.
    endpoints: SharedEndpointResolver,
    settings: OnceCell<Arc<Settings>>,
}

/// Everything that a call needs to know, shared by all connections of the client: credentials are asked for once.
pub struct Settings {
    pub region: Region,
    pub endpoint: Params,
    /// As messages name it.
    pub destination: String,
    pub profile: Option<String>,
    pub credentials: SharedCredentialsProvider,
    pub identities: SharedIdentityCache,
    pub retries: RetryConfig,
}

impl Account {
    #[must_use]
    pub fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            timeouts: timeouts(&config),
            endpoints: DefaultResolver::new().into_shared_resolver(),
            config,
            settings: OnceCell::new(),
        })
    }

    /// Connections of their own for one runtime. No I/O is done yet.
    #[must_use]
    pub fn connect(self: &Arc<Self>) -> Aws {
        Aws::new(Arc::clone(self))
    }

    pub(super) fn timeouts(&self) -> &TimeoutConfig {
        &self.timeouts
    }

    pub(super) fn endpoints(&self) -> &SharedEndpointResolver {
        &self.endpoints
    }

    pub(super) fn max_connections(&self) -> usize {
        self.config.max_connections.unwrap_or(Config::MAX_CONNECTIONS)
    }

    pub(super) async fn settings(&self) -> Result<Arc<Settings>, Error> {
        self.settings
            .get_or_try_init(|| async { find(&self.config).await.map(Arc::new) })
            .await
            .cloned()
    }
}

async fn find(config: &Config) -> Result<Settings, Error> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http::fresh());
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &config.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(credentials) = given_credentials(config)? {
        loader = loader.credentials_provider(credentials);
    }
    let found = loader.load().await;

    let region = found.region().cloned().ok_or_else(no_region)?;
    let endpoint_url = endpoint_url(&found);
    if let Some(url) = &endpoint_url {
        expect_url(url)?;
    }
    let destination = endpoint_url.clone().unwrap_or_else(|| format!("DynamoDB in {region}"));
    let endpoint = Params::builder()
        .region(region.to_string())
        .set_endpoint(endpoint_url)
        .set_use_fips(found.use_fips())
        .set_use_dual_stack(found.use_dual_stack())
        .account_id_endpoint_mode(
            found
                .account_id_endpoint_mode()
                .cloned()
                .unwrap_or_default()
                .to_string(),
        )
        .build()
        .map_err(|error| not_sent(TransportKind::Endpoint, format!("no endpoint can be found: {error}")))?;
    Ok(Settings {
        region,
        endpoint,
        destination,
        profile: config.profile.clone(),
        credentials: credentials(config, &found),
        identities: IdentityCache::lazy().build().into_shared(),
        retries: retries(config, &found),
    })
}

fn given_credentials(config: &Config) -> Result<Option<Credentials>, Error> {
    match (&config.access_key_id, &config.secret_access_key) {
        (Some(id), Some(secret)) => Ok(Some(Credentials::new(
            id,
            secret,
            config.session_token.clone(),
            None,
            "Client",
        ))),
        (None, None) if config.session_token.is_none() => Ok(None),
        _ => Err(not_sent(
            TransportKind::Credentials,
            "credentials are given in part: access_key_id and secret_access_key belong together, session_token goes \
             only with both",
        )),
    }
}

/// A profile that the caller names outranks the environment's keys, as it does in boto3; the chain would have it the
/// other way round.
fn credentials(config: &Config, found: &SdkConfig) -> SharedCredentialsProvider {
    let chain = found
        .credentials_provider()
        .expect("a chain of providers is the default");
    match &config.profile {
        Some(profile) if config.access_key_id.is_none() => {
            let provider_config = ProviderConfig::without_region()
                .with_region(found.region().cloned())
                .with_http_client(http::fresh());
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&provider_config)
                .profile_name(profile);
            SharedCredentialsProvider::new(provider.build())
        }
        _ => chain,
    }
}

fn retries(config: &Config, found: &SdkConfig) -> RetryConfig {
    /// DynamoDB answers in milliseconds, so a second try need not wait the second that is usual elsewhere.
    const FIRST_WAIT: Duration = Duration::from_millis(50);
    let retries = found
        .retry_config()
        .cloned()
        .unwrap_or_else(RetryConfig::standard)
        .with_initial_backoff(FIRST_WAIT);
    match config.max_attempts {
        Some(attempts) => retries.with_max_attempts(attempts),
        None => retries,
    }
}

fn timeouts(config: &Config) -> TimeoutConfig {
    let connect = config.connect_timeout.unwrap_or(Config::CONNECT_TIMEOUT);
    let read = config.read_timeout.unwrap_or(Config::READ_TIMEOUT);
    TimeoutConfig::builder()
        .connect_timeout(connect)
        .read_timeout(read)
        // The read timeout ends with the answer's first byte; this one also ends an answer that never does.
        .operation_attempt_timeout(connect + read)
        .build()
}

/// `AWS_ENDPOINT_URL_DYNAMODB` and the profile's `services` section come before `AWS_ENDPOINT_URL`.
fn endpoint_url(found: &SdkConfig) -> Option<String> {
    let given = found.endpoint_url().map(str::to_owned);
    if found.get_origin("endpoint_url").is_client_config() {
        return given;
    }
    let key = ServiceConfigKey::builder()
        .service_id("DynamoDB")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url");
    let key = key.build().expect("all parts of the key are set");
    found
        .service_config()
        .and_then(|services| services.load_config(key))
        .or(given)
}

fn expect_url(url: &str) -> Result<(), Error> {
    let place = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if place.is_some_and(|place| !place.is_empty() && !place.starts_with(['/', ':', '?', '#'])) {
        return Ok(());
    }
    Err(not_sent(
        TransportKind::Endpoint,
        format!("the endpoint {url:?} is not a URL; expected one like \"http://localhost:8000\""),
    ))
}

fn no_region() -> Error {
    not_sent(
        TransportKind::Region,
        "no AWS region is configured: set AWS_REGION, or `region` in the profile of ~/.aws/config, or pass it as \
         Client(region=\"eu-central-1\")",
    )
}
