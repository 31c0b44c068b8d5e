//! What went wrong, in words that a new user can act on. Causes are told by their own text; secrets are in none.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::endpoint::error::ResolveEndpointError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use bytes::Bytes;
use jiter::JsonValue;

use super::account::Settings;
use crate::error::{Error, ServiceError, TransportError, TransportKind};
use crate::transport::effort::Effort;

/// The ways that need no file and no environment.
const IN_CODE: &str = "or as Client(access_key_id=..., secret_access_key=...), or name a profile: \
                       Client(profile=\"...\"). Client.local() needs none";

/// An answer that is no reply.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Service(ServiceError),
    /// From something that is not DynamoDB: a proxy, another server.
    #[error("HTTP {status} without DynamoDB's error code")]
    Foreign { status: u16 },
}

pub fn refusal(response: &HttpResponse, body: &[u8]) -> Refusal {
    let status = response.status().as_u16();
    let Some((code, message)) = code_and_message(body) else {
        return Refusal::Foreign { status };
    };
    Refusal::Service(ServiceError {
        code,
        message,
        status,
        request_id: request_id(response),
        body: Bytes::copy_from_slice(body),
        effort: Effort::default(),
    })
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

/// The failure in the caller's terms.
pub fn explain(error: SdkError<Refusal, HttpResponse>, settings: &Settings) -> Error {
    let error = match error {
        SdkError::ServiceError(answer) => match answer.into_err() {
            Refusal::Service(error) => return Error::Service(error),
            Refusal::Foreign { status } => return Error::Transport(foreign(status, settings)),
        },
        error => error,
    };
    let destination = &settings.destination;
    let cause = causes(&error);
    if let Some(error) = find::<CredentialsError>(&error) {
        return Error::Transport(no_credentials(error, settings));
    }
    if find::<ResolveEndpointError>(&error).is_some() {
        return failed(
            TransportKind::Endpoint,
            false,
            format!("no endpoint can be called: {cause}"),
        );
    }
    if let Some(reason) = connect_failure(&error) {
        let cause = causes(reason);
        let message = format!(
            "no connection to {destination}: {cause}. Check that something answers there, that endpoint_url and region \
             are right, and that the network lets you through"
        );
        return failed(TransportKind::Connect, false, message);
    }
    let is_timeout = match &error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_timeout(),
        _ => false,
    };
    if is_timeout {
        let message = format!(
            "{destination} did not answer in time; the request may have been carried out. read_timeout gives it more \
             time ({cause})"
        );
        return failed(TransportKind::Timeout, true, message);
    }
    match &error {
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.as_other().is_some() => {
            let message = format!(
                "the connection to {destination} was lost before the answer came; the request may have been carried \
                 out ({cause})"
            );
            failed(TransportKind::Connect, true, message)
        }
        SdkError::ResponseError(_) => {
            let message =
                format!("the answer of {destination} broke off; the request may have been carried out ({cause})");
            failed(TransportKind::Reply, true, message)
        }
        SdkError::ConstructionFailure(_) => failed(
            TransportKind::Other,
            false,
            format!("the request could not be made: {cause}"),
        ),
        _ => failed(
            TransportKind::Other,
            true,
            format!("the request to {destination} failed: {cause}"),
        ),
    }
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

fn no_credentials(error: &CredentialsError, settings: &Settings) -> TransportError {
    let cause = causes(error);
    let message = match (error, &settings.profile) {
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
    TransportError {
        kind: TransportKind::Credentials,
        message,
        ambiguous: false,
        effort: Effort::default(),
    }
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
