//! One file per DynamoDB operation: write the body, step on the reply. No I/O, no Python: whatever holds item or key
//! values is already encoded.

use std::time::Duration;

use crate::error::{Error, ServiceError};
use crate::transport::{Call, Reply};

/// An operation as a value: it can be shown without being sent, and sent more than once (a run works on a clone).
pub trait Operation: Clone + Send + Sync + 'static {
    type Output: Send + 'static;

    /// The first request.
    fn start(&mut self) -> Step<Self::Output>;

    /// What follows a reply.
    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>, Error>;

    /// What follows an error reply: another call, or the error in the caller's terms.
    fn fail(&mut self, error: ServiceError) -> Result<Step<Self::Output>, Error> {
        Err(Error::Service(error))
    }
}

pub enum Step<T> {
    Call(Call),
    CallAfter(Duration, Call),
    /// Finished (at once, for an operation with nothing to ask: an empty batch, an empty key range).
    Done(T),
}
