//! Replies and faults written down beforehand, and the calls that met them: for tests of what stands on the seam.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::effort::Effort;
use super::{Call, Reply, Transport, not_sent};
use crate::error::{Error, ServiceError, TransportError, TransportKind};

/// Answers each call with the next line of its script.
#[derive(Debug, Default)]
pub struct Scripted {
    script: Mutex<VecDeque<Result<Reply, Error>>>,
    calls: Mutex<Vec<Call>>,
}

impl Scripted {
    #[must_use]
    pub fn new(script: impl IntoIterator<Item = Result<Reply, Error>>) -> Self {
        Self {
            script: Mutex::new(script.into_iter().collect()),
            calls: Mutex::default(),
        }
    }

    /// The calls so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Transport for Scripted {
    async fn call(&self, call: Call) -> Result<Reply, Error> {
        let operation = call.operation;
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        let line = self.script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        line.unwrap_or_else(|| {
            Err(not_sent(
                TransportKind::Other,
                format!("the script has no reply left for {operation}"),
            ))
        })
    }
}

/// A script's line: a reply with this body.
pub fn reply(body: impl Into<Bytes>) -> Result<Reply, Error> {
    Ok(Reply {
        body: body.into(),
        request_id: None,
        effort: Effort::default(),
    })
}

/// A script's line: an error reply of DynamoDB's.
pub fn fault(code: &str, message: &str, status: u16) -> Result<Reply, Error> {
    Err(Error::Service(ServiceError {
        code: code.to_owned(),
        message: message.to_owned(),
        status,
        request_id: None,
        in_doubt: false,
        effort: Effort::default(),
        body: Bytes::new(),
    }))
}

/// A script's line: no answer came.
pub fn lost(ambiguous: bool) -> Result<Reply, Error> {
    Err(Error::Transport(TransportError {
        kind: TransportKind::Connect,
        message: "the connection was lost".to_owned(),
        ambiguous,
        effort: Effort::default(),
    }))
}
