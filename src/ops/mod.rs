//! One file per DynamoDB operation: write the body, step on the reply. No I/O, no Python: whatever holds item or key
//! values is already encoded.

use std::time::Duration;

use crate::error::Error;
use crate::transport::{Call, Reply};

mod body;
mod cancellation;
mod chunks;
mod idempotency;
mod identity;
mod key;
mod part;
pub(crate) mod reply;

pub mod backoff;
pub mod batch_get;
pub mod batch_write;
pub mod capacity;
pub mod check;
pub mod count;
pub mod cursor;
pub mod delete;
pub mod fill;
pub mod get;
pub mod guard;
pub mod hydrate;
pub mod pages;
pub mod parallel;
pub mod partiql;
pub mod put;
pub mod query;
pub mod rate;
pub mod scan;
pub mod table;
pub mod token;
pub mod transact_get;
pub mod transact_write;
pub mod update;

pub use chunks::AT_ONCE;
pub use key::{KeyedTable, identity};
pub use part::{Kind, Part};
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

    /// What it is as a part of a batch or a transaction, if it can be one: an operation on one item.
    fn part(&self) -> Option<Part> {
        None
    }

    /// What it gives where a batch or a transaction has read its item; `None` for what reads no item.
    fn found(&self, _item: Option<StoredItem>) -> Option<Self::Output> {
        None
    }

    /// What follows the answer to the call of this number, for an operation that has several under way.
    fn answer(&mut self, _number: usize, answer: Result<Reply, Error>) -> Result<Step<Self::Output>, Error> {
        match answer {
            Ok(reply) => self.step(reply),
            Err(error) => self.fail(error),
        }
    }
}

#[derive(Debug)]
pub enum Step<T> {
    Call(Call),
    CallAfter(Duration, Call),
    /// Calls beside those that are under way; with none, one of these is waited for. What is under way when the
    /// operation is done, or fails, is dropped.
    Calls(Vec<NumberedCall>),
    /// Finished (at once, for an operation with nothing to ask: an empty batch, an empty key range).
    Done(T),
}

/// One of several calls under way, and the number under which its answer comes back.
#[derive(Debug)]
pub struct NumberedCall {
    pub number: usize,
    /// The wait before it.
    pub after: Duration,
    pub call: Call,
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
