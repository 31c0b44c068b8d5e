//! TransactWriteItems: writes and checks that happen together or not at all.

use std::sync::Arc;

use super::body::Body;
use super::part::{Part, write_transaction};
use super::{Operation, Step, cancellation, idempotency};
use crate::error::{Error, Result};
use crate::transport::{Call, Reply};

const OPERATION: &str = "TransactWriteItems";

#[derive(Debug, Clone)]
pub struct TransactWrite {
    parts: Arc<[Part]>,
    token: Option<Arc<str>>,
}

impl TransactWrite {
    /// Without a token each run gets one of its own, so that sending it again is harmless.
    #[must_use]
    pub fn new(parts: Vec<Part>, token: Option<Arc<str>>) -> Self {
        Self {
            parts: parts.into(),
            token,
        }
    }
}

impl Operation for TransactWrite {
    type Output = ();

    fn start(&mut self) -> Step<()> {
        if self.parts.is_empty() {
            return Step::Done(());
        }
        let mut body = Body::open();
        match &self.token {
            Some(token) => body.text("ClientRequestToken", token),
            None => body.text("ClientRequestToken", &idempotency::token()),
        }
        let mut bytes = body.into_head();
        write_transaction(&mut bytes, &self.parts);
        bytes.push(b'}');
        Step::Call(Call {
            operation: OPERATION,
            body: bytes.into(),
        })
    }

    fn step(&mut self, _: Reply) -> Result<Step<()>> {
        Ok(Step::Done(()))
    }

    fn fail(&mut self, error: Error) -> Result<Step<()>> {
        Err(cancellation::explain(error))
    }
}
