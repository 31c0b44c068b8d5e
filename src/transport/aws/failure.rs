//! What went wrong, in words that a new user can act on. Causes are told by their own text; secrets are in none.

use std::error::Error as StdError;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use jiter::JsonValue;

use super::settings::Settings;
use crate::error::{Error, ServiceError, TransportError, TransportKind};
use crate::transport::effort::Effort;

/// The ways that need no file and no environment.
const IN_CODE: &str = "or as Client(access_key_id=..., secret_access_key=...), or name a profile: \
                       Client(profile=\"...\"). Client.local() needs none";

/// Why a try gave no reply.
#[derive(Debug)]
pub enum Fault {
    /// An answer that is no reply; boxed, so that what is handed on of a reply stays small.
    Refused(Box<Refused>),
    /// No answer, as the connector tells it.
    Lost(ConnectorError),
    /// No answer, or not all of it, within the time for one try.
    Late { connected: bool, after: Duration },
    /// The answer broke off.
    Broken(BoxError),
    /// An answer that is not what was sent.
    Damaged { told: u32, found: u32 },
    /// An answer larger than any of DynamoDB's.
    TooLarge { limit: usize },
}

/// An answer that is no reply, and what it says about trying again.
#[derive(Debug)]
pub struct Refused {
    pub refusal: Refusal,
    /// The wait that the service asks for.
    pub asked_wait: Option<Duration>,
    /// The request was signed with the time of a clock that is wrong, and the next will not be.
    pub clock_was_wrong: bool,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Service(ServiceError),
    /// From something that is not DynamoDB: a proxy, another server.
    #[error("HTTP {status} without DynamoDB's error code")]
    Foreign { status: u16 },
}

pub fn refusal(response: &HttpResponse, body: Bytes) -> Refused {
    let status = response.status().as_u16();
    let refusal = match code_and_message(&body) {
        None => Refusal::Foreign { status },
        Some((code, message)) => Refusal::Service(ServiceError {
            code,
            message,
            status,
            request_id: request_id(response),
            body,
            in_doubt: false,
            effort: Effort::default(),
        }),
    };
    let asked_wait = response
        .headers()
        .get("x-amz-retry-after")
        .and_then(|wait| wait.trim().parse().ok());
    Refused {
        refusal,
        asked_wait: asked_wait.map(Duration::from_millis),
        clock_was_wrong: false,
    }
}

impl Refused {
    pub fn has_code(&self, codes: &[&str]) -> bool {
        matches!(&self.refusal, Refusal::Service(error) if codes.contains(&error.code.as_str()))
    }
}

pub fn request_id(response: &HttpResponse) -> Option<String> {
    response.headers().get("x-amzn-requestid").map(str::to_owned)
}

/// `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":".."}`; some errors spell
/// `Message`.
fn code_and_message(body: &[u8]) -> Option<(String, String)> {
    let JsonValue::Object(members) = JsonValue::parse(body, false).ok()? else {
        return None;
    };
    let text = |names: &[&str]| {
        members.iter().find_map(|(name, value)| match value {
            JsonValue::Str(text) if names.contains(&&**name) => Some(text.to_string()),
            _ => None,
        })
    };
    let code = text(&["__type"])?;
    let code = code.rsplit_once('#').map_or(code.as_str(), |(_, code)| code).to_owned();
    Some((code, text(&["message", "Message"]).unwrap_or_default()))
}

/// The reasons of a cancelled transaction, one for each of its operations; "None" for one that was not in the way.
pub fn cancellation_codes(body: &[u8]) -> Vec<String> {
    let Ok(JsonValue::Object(members)) = JsonValue::parse(body, false) else {
        return Vec::new();
    };
    let reasons = members.iter().find(|(name, _)| *name == "CancellationReasons");
    let Some((_, JsonValue::Array(reasons))) = reasons else {
        return Vec::new();
    };
    let code = |reason: &JsonValue<'_>| match reason {
        JsonValue::Object(members) => members.iter().find_map(|(name, value)| match value {
            JsonValue::Str(code) if *name == "Code" => Some(code.to_string()),
            _ => None,
        }),
        _ => None,
    };
    reasons.iter().map(|reason| code(reason).unwrap_or_default()).collect()
}

/// Why there was no connection, if that was it: the request was certainly not sent.
pub fn connect_failure<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let error = find::<hyper_util::client::legacy::Error>(error).filter(|error| error.is_connect())?;
    Some(error.source().unwrap_or(error))
}

impl Fault {
    /// Nothing reached the service.
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Lost(error) => connect_failure(error).is_some(),
            Self::Late { connected, .. } => !connected,
            Self::Refused(_) | Self::Broken(_) | Self::Damaged { .. } | Self::TooLarge { .. } => false,
        }
    }

    /// The service may have carried the request out without an answer.
    pub fn is_doubtful(&self) -> bool {
        !self.is_unsent() && !matches!(self, Self::Refused(_))
    }

    /// It is the server's, or of the way to it, so that its connection is not to be used again.
    pub fn is_servers_fault(&self) -> bool {
        match self {
            Self::Refused(refused) => match &refused.refusal {
                Refusal::Service(error) => error.status >= 500,
                Refusal::Foreign { status } => *status >= 500,
            },
            Self::Damaged { .. } => true,
            // These close their connections themselves.
            Self::Lost(_) | Self::Late { .. } | Self::Broken(_) | Self::TooLarge { .. } => false,
        }
    }

    pub fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::Refused(refused) => refused.asked_wait,
            _ => None,
        }
    }

    /// The failure in the caller's terms.
    pub fn explain(self, settings: &Settings) -> Error {
        match self {
            Self::Refused(refused) => match refused.refusal {
                Refusal::Service(error) => Error::Service(error),
                Refusal::Foreign { status } => Error::Transport(foreign(status, settings)),
            },
            Self::Lost(error) => lost(&error, settings),
            Self::Late { connected, after } => late(connected, &format!("no whole answer after {after:?}"), settings),
            Self::Broken(error) => broken(&causes(&*error), settings),
            Self::Damaged { told, found } => {
                let reason = format!("its checksum is {found}, and {told} was told");
                unusable(&reason, settings)
            }
            Self::TooLarge { limit } => {
                let reason = format!("it is larger than {limit} bytes, which no answer of DynamoDB's is");
                unusable(&reason, settings)
            }
        }
    }
}

fn lost(error: &ConnectorError, settings: &Settings) -> Error {
    let destination = &settings.destination;
    let cause = causes(error);
    if let Some(reason) = connect_failure(error) {
        let cause = causes(reason);
        let message = format!(
            "no connection to {destination}: {cause}. Check that something answers there, that endpoint_url and region \
             are right, and that the network lets you through"
        );
        return failed(TransportKind::Connect, false, message);
    }
    if error.is_timeout() {
        return late(true, &cause, settings);
    }
    if !error.is_user() {
        let message = format!(
            "the connection to {destination} was lost before the answer came; the request may have been carried out \
             ({cause})"
        );
        return failed(TransportKind::Connect, true, message);
    }
    failed(
        TransportKind::Other,
        true,
        format!("the request to {destination} failed: {cause}"),
    )
}

/// `cause` says in other words that it took too long.
fn late(connected: bool, cause: &str, settings: &Settings) -> Error {
    let destination = &settings.destination;
    if !connected {
        let message = format!(
            "no connection to {destination} in time; the request was not sent. connect_timeout and read_timeout give it \
             more ({cause})"
        );
        return failed(TransportKind::Timeout, false, message);
    }
    let message = format!(
        "{destination} did not answer in time; the request may have been carried out. read_timeout gives it more time \
         ({cause})"
    );
    failed(TransportKind::Timeout, true, message)
}

fn broken(cause: &str, settings: &Settings) -> Error {
    let destination = &settings.destination;
    let message = format!("the answer of {destination} broke off; the request may have been carried out ({cause})");
    failed(TransportKind::Reply, true, message)
}

fn unusable(reason: &str, settings: &Settings) -> Error {
    let destination = &settings.destination;
    let message = format!(
        "the answer of {destination} cannot be used: {reason}; the request may have been carried out. Check what stands \
         between here and there"
    );
    failed(TransportKind::Reply, true, message)
}

/// A call whose time was over, all its tries together.
pub fn overdue(limit: Duration, ambiguous: bool, settings: Option<&Settings>) -> Error {
    let destination = settings.map_or("DynamoDB", |settings| &settings.destination);
    let outcome = if ambiguous {
        "the request may have been carried out"
    } else {
        "the request was not carried out"
    };
    let message =
        format!("{destination} gave no answer within operation_timeout, {limit:?} for all tries together; {outcome}");
    failed(TransportKind::Timeout, ambiguous, message)
}

/// The endpoint rules have no place to go.
pub fn no_endpoint(error: &(dyn StdError + 'static)) -> Error {
    let cause = causes(error);
    failed(
        TransportKind::Endpoint,
        false,
        format!("no endpoint can be called: {cause}"),
    )
}

fn foreign(status: u16, settings: &Settings) -> TransportError {
    TransportError {
        kind: TransportKind::Reply,
        message: format!(
            "what answers at {} is not DynamoDB: it sent HTTP {status} without DynamoDB's JSON. Check endpoint_url \
             and the proxy settings",
            settings.destination
        ),
        // A gateway's 5xx may stand between DynamoDB's answer and us.
        ambiguous: status >= 500,
        effort: Effort::default(),
    }
}

/// Nobody to sign as. `profile` is the one that the caller named.
pub fn no_credentials(error: &CredentialsError, profile: Option<&str>) -> Error {
    let cause = causes(error);
    let message = match (error, profile) {
        (CredentialsError::CredentialsNotLoaded(_), None) => format!(
            "no AWS credentials were found in the environment (AWS_ACCESS_KEY_ID), the shared files (~/.aws, \
             AWS_PROFILE), a web identity, or the metadata of a container or an instance. Provide them in \
             one of these places, {IN_CODE}"
        ),
        (_, None) => format!(
            "the AWS credentials could not be loaded: {cause}. Provide them in the environment or the shared files, \
             {IN_CODE}"
        ),
        (CredentialsError::CredentialsNotLoaded(_), Some(profile)) => format!(
            "there is no profile \"{profile}\", or it holds no credentials: check it in ~/.aws/config and \
             ~/.aws/credentials"
        ),
        (_, Some(profile)) => format!(
            "the profile \"{profile}\" gives no credentials: {cause}. Check it in ~/.aws/config and ~/.aws/credentials"
        ),
    };
    failed(TransportKind::Credentials, false, message)
}

fn failed(kind: TransportKind, ambiguous: bool, message: String) -> Error {
    Error::Transport(TransportError {
        kind,
        message,
        ambiguous,
        effort: Effort::default(),
    })
}

/// The error and its causes by their texts, each said once. `Debug` would tell more than should be told.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    for error in chain(error) {
        let text = error.to_string();
        if !told.iter().any(|told| told.contains(&text)) {
            told.push(text);
        }
    }
    told.join(": ").trim_end_matches('.').to_owned()
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    chain(error).find_map(<dyn StdError>::downcast_ref)
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
