//! The seam to DynamoDB: `call(operation, body) -> reply bytes`, and nothing else.

use bytes::Bytes;

use self::effort::Effort;
use crate::error::{Error, TransportError, TransportKind};

#[cfg(feature = "aws")]
pub mod aws;
pub mod config;
pub mod effort;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod scripted;

/// The operations that a client can be asked for by name.
pub const OPERATIONS: &[&str] = &[
    "BatchExecuteStatement",
    "BatchGetItem",
    "BatchWriteItem",
    "CreateTable",
    "DeleteItem",
    "DeleteTable",
    "DescribeTable",
    "DescribeTimeToLive",
    "ExecuteStatement",
    "ExecuteTransaction",
    "GetItem",
    "ListTables",
    "ListTagsOfResource",
    "PutItem",
    "Query",
    "Scan",
    "TagResource",
    "TransactGetItems",
    "TransactWriteItems",
    "UntagResource",
    "UpdateItem",
    "UpdateTable",
    "UpdateTimeToLive",
];

/// One request: the operation's name as in `X-Amz-Target: DynamoDB_20120810.<name>`, and its JSON body.
#[derive(Debug, Clone)]
pub struct Call {
    pub operation: &'static str,
    pub body: Bytes,
}

/// A successful answer. Error answers are `Error::Service`.
#[derive(Debug, Clone)]
pub struct Reply {
    pub body: Bytes,
    pub request_id: Option<String>,
    pub effort: Effort,
}

pub trait Transport: Send + Sync {
    fn call(&self, call: Call) -> impl Future<Output = Result<Reply, Error>> + Send;
}

/// A failure to get an answer that leaves no doubt: nothing was carried out.
pub(crate) fn not_sent(kind: TransportKind, message: impl Into<String>) -> Error {
    Error::Transport(TransportError {
        kind,
        message: message.into(),
        ambiguous: false,
        effort: Effort::default(),
    })
}
