//! Every error of the part that knows no Python. `py/exceptions.rs` is the only place that turns these into exceptions.

use bytes::Bytes;

use crate::transport::effort::Effort;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An expression that cannot be sent: oxidyn.InvalidExpression.
    #[error("{0}")]
    Expression(String),
    /// DynamoDB answered with an error code.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A condition that the caller set did not hold.
    #[error("the condition did not hold")]
    Condition(ConditionFailure),
    /// No answer, or one that is not DynamoDB's.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A batch ended before all of it was done.
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    /// A cursor that cannot be gone on from: oxidyn.InvalidCursor.
    #[error("{0}")]
    Cursor(String),
    /// A transaction was refused as a whole.
    #[error(transparent)]
    Cancelled(#[from] Cancellation),
    /// The wait for a table ended before it was active.
    #[error("{0}")]
    Timeout(String),
}

impl Error {
    /// Whether what was asked for may have been carried out all the same.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Service(error) => error.is_ambiguous(),
            Self::Transport(error) => error.ambiguous,
            Self::Incomplete(error) => error.causes.iter().any(Self::is_ambiguous),
            _ => false,
        }
    }
}

/// An error reply of DynamoDB's, by its code (`__type` after the `#`), never by its text.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    pub code: String,
    pub message: String,
    pub status: u16,
    pub request_id: Option<String>,
    /// The reply's whole body: it may hold `Item` (a failed condition) or `CancellationReasons`.
    pub body: Bytes,
    /// A try before this answer got none, or a failure of the server for one.
    pub in_doubt: bool,
    pub effort: Effort,
}

impl ServiceError {
    /// Whether the request may have been carried out; of a 500 DynamoDB itself says that a write may have been made.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.in_doubt || self.status >= 500 || self.code == "InternalServerError"
    }
}

/// Why a conditional write was refused, as the caller meant the condition.
#[derive(Debug, Clone)]
pub struct ConditionFailure {
    pub meaning: ConditionMeaning,
    /// The stored item (`{"id":{"S":..},..}`), or `None` where there was none.
    pub item: Option<Bytes>,
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionMeaning {
    /// `create`: the item was there already.
    ItemExists,
    /// `update`, `replace`: there was no item.
    ItemNotFound,
    /// The caller's own `where=`.
    ConditionFailed,
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    pub kind: TransportKind,
    /// What was found, what was expected, what to do next; the cause's own words included, no secrets.
    pub message: String,
    /// The request may have been carried out although no answer came.
    pub ambiguous: bool,
    pub effort: Effort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    Credentials,
    Region,
    Endpoint,
    Connect,
    Timeout,
    Reply,
    Closed,
    Other,
}

/// What is left of a batch, so that nothing of it is lost; the rest is done.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} of the batch's {given} entries are not done", entries.len())]
pub struct Incomplete {
    /// The places of the entries that are not done, in the batch as it was given.
    pub entries: Vec<usize>,
    pub given: usize,
    /// Those in a row that left all of a request unprocessed, where that ended the batch.
    pub attempts: u32,
    /// What ended it otherwise, request by request: the entries of one whose error is ambiguous may be done.
    pub causes: Vec<Error>,
}

/// A transaction that did nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the transaction was cancelled")]
pub struct Cancellation {
    /// For each operation the error that it alone would have met; `None` for one that was not in the way.
    pub reasons: Vec<Option<ServiceError>>,
    pub request_id: Option<String>,
}
