//! One file per DynamoDB operation: write the body, step on the reply. No I/O, no Python: whatever holds item or key
//! values is already encoded.

use std::time::Duration;

use crate::error::Error;
use crate::transport::{Call, Reply};

mod body;
mod key;
mod reply;

pub mod backoff;
pub mod batch_get;
pub mod batch_write;
pub mod count;
pub mod delete;
pub mod get;
pub mod guard;
pub mod pages;
pub mod put;
pub mod query;
pub mod scan;
pub mod table;
pub mod update;

pub use reply::StoredItem;

/// An operation as a value: it can be shown without being sent, and sent more than once (a run works on a clone).
pub trait Operation: Clone + Send + Sync + 'static {
    type Output: Send + 'static;

    /// The first request.
    fn start(&mut self) -> Step<Self::Output>;

    /// What follows a reply.
    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>, Error>;

    /// What follows an error reply, or none: another call, or the error in the caller's terms.
    fn fail(&mut self, error: Error) -> Result<Step<Self::Output>, Error> {
        Err(error)
    }
}

#[derive(Debug)]
pub enum Step<T> {
    Call(Call),
    CallAfter(Duration, Call),
    /// Finished (at once, for an operation with nothing to ask: an empty batch, an empty key range).
    Done(T),
}

/// Which form of the written item comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Returning {
    #[default]
    Nothing,
    /// The item as it was before.
    Old,
    /// The item as it is now.
    New,
}

/// Whether the service did nothing because too much was asked of it at once, so that asking again later helps.
fn is_throttling(error: &Error) -> bool {
    matches!(error, Error::Service(error) if matches!(
        error.code.as_str(),
        "ProvisionedThroughputExceededException" | "RequestLimitExceeded" | "ThrottlingException"
    ))
}
