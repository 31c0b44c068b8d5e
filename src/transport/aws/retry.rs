//! What is sent again, by DynamoDB's error codes and by how a connection failed.

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use memchr::memmem;

use super::budget::Trouble;
use super::failure::{Fault, Refusal, cancellation_codes, connect_failure};
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
            "UpdateItem"
            | "ExecuteStatement"
            | "BatchExecuteStatement"
            | "CreateTable"
            | "DeleteTable"
            | "UpdateTable"
            | "UpdateTimeToLive" => Self::Harmful,
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

/// What may be done about a fault by sending the request once more; `None` where that is of no use, or would do harm.
pub fn judge(fault: &Fault, call: &Call) -> Option<Trouble> {
    // Looks through the body, and so is asked last.
    let is_harmless = || Repetition::of(call) == Repetition::Harmless;
    match fault {
        Fault::Refused(refused) => judge_refusal(&refused.refusal, is_harmless),
        Fault::Lost(error) if connect_failure(error).is_some() => Some(Trouble::Passing),
        // What is no HTTP is as good as no answer; only what we made wrong ourselves is so each time.
        Fault::Lost(error) => (!error.is_user() && is_harmless()).then_some(Trouble::Passing),
        Fault::Late { connected: false, .. } => Some(Trouble::Passing),
        Fault::Late { connected: true, .. } | Fault::Broken(_) | Fault::Damaged { .. } => {
            is_harmless().then_some(Trouble::Passing)
        }
        Fault::TooLarge { .. } => None,
    }
}

pub fn is_throttling(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused(refused) if refused.has_code(THROTTLING_ERRORS))
}

pub fn judge_refusal(refusal: &Refusal, is_harmless: impl Fn() -> bool) -> Option<Trouble> {
    match refusal {
        Refusal::Service(error) if THROTTLING_ERRORS.contains(&error.code.as_str()) => Some(Trouble::Throttling),
        // DynamoDB says of a 500 that the write may have been made.
        Refusal::Service(error) if error.is_ambiguous() => is_harmless().then_some(Trouble::Passing),
        Refusal::Service(error)
            if TRANSIENT_CODES.contains(&error.code.as_str()) || is_cancelled_for_the_moment(error) =>
        {
            Some(Trouble::Passing)
        }
        Refusal::Foreign { status } if *status >= 500 => is_harmless().then_some(Trouble::Passing),
        _ => None,
    }
}
