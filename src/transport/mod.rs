//! The seam to DynamoDB: `call(operation, body) -> reply bytes`, and nothing else.

use bytes::Bytes;

use crate::error::Error;

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
}

pub trait Transport: Send + Sync {
    fn call(&self, call: Call) -> impl Future<Output = Result<Reply, Error>> + Send;
}
