//! DynamoDB over HTTP: one pipeline from the body's bytes to the reply's, on the AWS crates' connector.
//!
//! Credentials, endpoint rules, TLS, proxies and name lookup are the AWS crates'; what runs for each call is here: the
//! signature, the retries, the timeouts, the checks. Measured (docs/decisions): 15 µs per put, where the generic
//! operation of the AWS runtime takes 36 and the typed client 80.

mod account;
pub mod adaptive;
pub mod budget;
mod failure;
mod grant;
mod http;
pub mod life;
mod random;
#[cfg(feature = "reference")]
pub mod reference;
mod reply;
mod retry;
mod settings;
pub mod signer;
pub mod skew;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout};

pub use self::account::Account;
use self::budget::{Stake, Trouble, Waits};
use self::failure::{Fault, Refusal, overdue, refusal};
use self::grant::{Grant, Try};
use self::http::Links;
use super::effort::Effort;
use super::{Call, Reply, Transport};
use crate::error::Error;

/// Codes that say that the credentials were good once.
const EXPIRED_CODES: &[&str] = &["ExpiredTokenException", "ExpiredToken"];

/// Connections of an [`Account`]. They belong to the runtime that makes the calls.
pub struct Aws {
    account: Arc<Account>,
    links: Result<Links, Error>,
    /// Bounds the connections: HTTP/1 carries one request at a time.
    places: Semaphore,
}

/// One call on its way, told apart from what it gives so that it outlasts a call that is cut off.
#[derive(Default)]
struct Course {
    effort: Effort,
    /// A request was sent whose answer never came, or has not come yet.
    in_doubt: bool,
    grant: Option<Arc<Grant>>,
}

/// An answer that came whole, whatever it says.
struct Answer {
    response: HttpResponse,
    body: Bytes,
}

/// What follows a fault.
struct Again {
    wait: Duration,
    stake: Stake,
    renew: bool,
}

impl Transport for Aws {
    async fn call(&self, call: Call) -> Result<Reply, Error> {
        let mut course = Course::default();
        let outcome = match self.account.timeouts.operation {
            None => self.run(&call, &mut course).await,
            Some(limit) => {
                let outcome = timeout(limit, self.run(&call, &mut course)).await;
                outcome.unwrap_or_else(|_| {
                    let settings = course.grant.as_ref().map(|grant| &*grant.settings);
                    Err(overdue(limit, course.in_doubt, settings))
                })
            }
        };
        course.finish(outcome)
    }
}

impl Aws {
    fn new(account: Arc<Account>) -> Self {
        Self {
            links: account.links(),
            places: Semaphore::new(account.max_connections()),
            account,
        }
    }

    /// Try until there is a reply, or no use in trying.
    async fn run(&self, call: &Call, course: &mut Course) -> Result<Reply, Error> {
        let account = &self.account;
        let links = self.links.as_ref().map_err(Clone::clone)?;
        let invocation = account.random.uuid();
        let mut grant = account.grant(None).await?;
        let mut stake = None;
        loop {
            course.grant = Some(Arc::clone(&grant));
            self.slow_down(&grant).await;
            let outcome = {
                let _place = self.places.acquire().await.expect("the semaphore is never closed");
                self.attempt(links, &grant, call, &invocation, course).await
            };
            let fault = match outcome {
                Ok(reply) => {
                    account.budget.succeeded(stake);
                    return Ok(reply);
                }
                Err(fault) => fault,
            };
            let Some(again) = self.judge(&fault, call, &grant, course) else {
                return Err(fault.explain(&grant.settings));
            };
            // DynamoDB says of a 500 that a write may have been made. As the last answer it tells so by itself.
            course.in_doubt |= fault.is_servers_fault();
            if !again.wait.is_zero() {
                sleep(again.wait).await;
            }
            stake = Some(again.stake);
            grant = account.grant(again.renew.then_some(&grant)).await?;
        }
    }

    /// In adaptive mode, wait for the right to send.
    async fn slow_down(&self, grant: &Grant) {
        let Some(throttle) = &grant.settings.throttle else {
            return;
        };
        while let Some(wait) = throttle.pass(self.account.born.elapsed().as_secs_f64()) {
            sleep(wait).await;
        }
    }

    /// Send the request once.
    async fn attempt(
        &self,
        links: &Links,
        grant: &Grant,
        call: &Call,
        invocation: &str,
        course: &mut Course,
    ) -> Result<Reply, Fault> {
        course.effort.attempts += 1;
        let which = Try {
            number: course.effort.attempts,
            invocation,
            trace: self.account.trace(),
        };
        let now = self.account.skew.correct(SystemTime::now());
        let mut request = grant.request(call.operation, &call.body, now, which);
        let connection = CaptureSmithyConnection::new();
        request.add_extension(connection.clone());
        let was_in_doubt = std::mem::replace(&mut course.in_doubt, true);
        course.effort.bytes_sent += call.body.len() as u64;
        let outcome = self
            .exchange(links, grant, request, &connection, reply::limit(call.operation))
            .await;
        let outcome = outcome.and_then(|Answer { response, body }| {
            course.effort.bytes_received += body.len() as u64;
            self.read(grant, &response, body, now)
        });
        if let Err(fault) = &outcome {
            if fault.is_unsent() {
                course.effort.bytes_sent -= call.body.len() as u64;
            }
            if retry::is_throttling(fault) {
                course.effort.throttled += 1;
            }
        }
        // An answer, or a request that was not sent, leaves no more doubt than there was.
        course.in_doubt = was_in_doubt || matches!(&outcome, Err(fault) if fault.is_doubtful());
        if let Some(throttle) = &grant.settings.throttle {
            let throttled = matches!(&outcome, Err(fault) if retry::is_throttling(fault));
            throttle.answered(self.account.born.elapsed().as_secs_f64(), throttled);
        }
        if let Err(fault) = &outcome {
            // What stands behind this connection is in trouble; the next try goes to another.
            if fault.is_servers_fault()
                && let Some(connection) = connection.get()
            {
                connection.poison();
            }
        }
        outcome
    }

    /// The whole answer, within the time for one try.
    async fn exchange(
        &self,
        links: &Links,
        grant: &Grant,
        request: HttpRequest,
        connection: &CaptureSmithyConnection,
        limit: usize,
    ) -> Result<Answer, Fault> {
        let timeouts = &self.account.timeouts;
        let start = Instant::now();
        let mut clock = pin!(sleep_until(start + timeouts.head));
        let late = |after| Fault::Late {
            connected: connection.get().is_some(),
            after,
        };
        let mut response = tokio::select! {
            biased;
            response = links.to(grant.tls).call(request) => response.map_err(Fault::Lost)?,
            () = &mut clock => return Err(late(timeouts.head)),
        };
        clock.as_mut().reset(start + timeouts.whole);
        let body = tokio::select! {
            biased;
            body = reply::read(response.body_mut(), limit) => body?,
            () = &mut clock => return Err(late(timeouts.whole)),
        };
        Ok(Answer { response, body })
    }

    /// The answer to a request that was signed with this time.
    fn read(&self, grant: &Grant, response: &HttpResponse, body: Bytes, signed: SystemTime) -> Result<Reply, Fault> {
        reply::check(response, &body)?;
        // A page of the web answers 200 too.
        if response.status().is_success() && body.first() == Some(&b'{') {
            return Ok(Reply {
                body,
                request_id: failure::request_id(response),
                effort: Effort::default(),
            });
        }
        let mut refused = refusal(response, grant.without_token(body));
        if let (Refusal::Service(error), Some(date)) = (&refused.refusal, response.headers().get("date")) {
            refused.clock_was_wrong = self.account.skew.learn(&error.code, date, signed, SystemTime::now());
        }
        Err(Fault::Refused(Box::new(refused)))
    }

    /// Whether and how the request is sent once more.
    fn judge(&self, fault: &Fault, call: &Call, grant: &Grant, course: &Course) -> Option<Again> {
        let (is_expired, is_clock) = match fault {
            Fault::Refused(refused) => (refused.has_code(EXPIRED_CODES), refused.clock_was_wrong),
            _ => (false, false),
        };
        let trouble = if is_expired || is_clock {
            Trouble::Passing
        } else {
            retry::judge(fault, call)?
        };
        if course.effort.attempts >= grant.settings.max_attempts {
            return None;
        }
        let stake = self.account.budget.stake(trouble)?;
        // What was mended needs no wait.
        let wait = if is_expired || is_clock {
            Duration::ZERO
        } else {
            Waits::DYNAMODB.draw(
                course.effort.attempts,
                trouble,
                fault.asked_wait(),
                &self.account.random,
            )
        };
        Some(Again {
            wait,
            stake,
            renew: is_expired,
        })
    }
}

impl Course {
    /// What the caller gets, with the effort of all tries and the doubt that any of them left.
    fn finish(self, outcome: Result<Reply, Error>) -> Result<Reply, Error> {
        match outcome {
            Ok(reply) => Ok(Reply {
                effort: self.effort,
                ..reply
            }),
            Err(Error::Service(mut error)) => {
                error.effort = self.effort;
                error.in_doubt |= self.in_doubt;
                Err(Error::Service(error))
            }
            Err(Error::Transport(mut error)) => {
                error.effort = self.effort;
                error.ambiguous |= self.in_doubt;
                Err(Error::Transport(error))
            }
            Err(error) => Err(error),
        }
    }
}
