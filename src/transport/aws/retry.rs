//! What is sent again, by DynamoDB's error codes and by how a connection failed.

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use memchr::memmem;

use super::failure::{Refusal, cancellation_codes, connect_failure};
use crate::error::ServiceError;
use crate::transport::Call;

/// Codes that say "not now", and that a moment later it may be done.
const TRANSIENT_CODES: &[&str] = &[
    "InternalServerError",
    "InternalFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
    "TransactionConflictException",
];

/// Why a transaction is cancelled that may go through a moment later.
const TRANSIENT_REASONS: &[&str] = &[
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
];

/// Whether a request that may have been carried out already can be sent again without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    Harmless,
    /// `ADD` would count twice, a condition would be judged against the request's own first effect, the old item would be
    /// the new one, and a table made or deleted would be there already or no more.
    Harmful,
}

impl Repetition {
    pub fn of(call: &Call) -> Self {
        let has = |member: &[u8]| memmem::find(&call.body, member).is_some();
        match call.operation {
            "ExecuteStatement" | "BatchExecuteStatement" if is_read(&call.body) => Self::Harmless,
            "UpdateItem" | "ExecuteStatement" | "BatchExecuteStatement" => Self::Harmful,
            "CreateTable" | "DeleteTable" | "UpdateTable" | "UpdateTimeToLive" => Self::Harmful,
            "PutItem" | "DeleteItem" if has(b"\"ConditionExpression\"") || has(b"\"ReturnValues\"") => Self::Harmful,
            // Without a token DynamoDB cannot tell a repetition from a second transaction.
            "TransactWriteItems" | "ExecuteTransaction" if !has(b"\"ClientRequestToken\"") => Self::Harmful,
            _ => Self::Harmless,
        }
    }
}

/// Whether the first PartiQL statement only reads; those of one batch all do, or none.
fn is_read(body: &[u8]) -> bool {
    const HEAD: &[u8] = b"\"Statement\":\"";
    const READ: &[u8] = b"SELECT";
    let text = memmem::find(body, HEAD).map(|at| &body[at + HEAD.len()..]);
    text.and_then(|text| text.get(..READ.len()))
        .is_some_and(|word| word.eq_ignore_ascii_case(READ))
}

/// Whether nothing but the moment was against a transaction: none of its conditions failed, and nothing in it is wrong.
fn is_cancelled_for_the_moment(error: &ServiceError) -> bool {
    if error.code != "TransactionCanceledException" {
        return false;
    }
    let reasons = cancellation_codes(&error.body);
    let mut met = reasons.iter().filter(|code| *code != "None").peekable();
    met.peek().is_some() && met.all(|code| TRANSIENT_REASONS.contains(&code.as_str()))
}

#[derive(Debug)]
pub struct RetryRules(pub Repetition);

impl ClassifyRetry for RetryRules {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        if let Some(refusal) = error
            .as_operation_error()
            .and_then(|error| error.downcast_ref::<Refusal>())
        {
            let may_repeat = self.0 == Repetition::Harmless;
            return match refusal {
                Refusal::Service(error) if THROTTLING_ERRORS.contains(&error.code.as_str()) => {
                    RetryAction::throttling_error()
                }
                // DynamoDB says of a 500 that the write may have been made.
                Refusal::Service(error) if error.is_ambiguous() && !may_repeat => RetryAction::NoActionIndicated,
                Refusal::Service(error)
                    if TRANSIENT_CODES.contains(&error.code.as_str())
                        || error.is_ambiguous()
                        || is_cancelled_for_the_moment(error) =>
                {
                    RetryAction::transient_error()
                }
                Refusal::Foreign { status, .. } if *status >= 500 && may_repeat => RetryAction::transient_error(),
                _ => RetryAction::NoActionIndicated,
            };
        }
        let connector = error.as_connector_error();
        let is_lost = error.is_timeout_error()
            || error.is_response_error()
            || connector.is_some_and(|error| error.is_io() || error.is_timeout() || error.as_other().is_some());
        let may_repeat =
            self.0 == Repetition::Harmless || connector.is_some_and(|error| connect_failure(error).is_some());
        if is_lost && may_repeat {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "DynamoDB"
    }
}
