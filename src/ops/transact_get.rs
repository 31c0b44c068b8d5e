//! TransactGetItems: reads of one moment.

use std::sync::Arc;

use super::body::Body;
use super::part::{Part, write_transaction};
use super::{Operation, Step, StoredItem, cancellation, reply};
use crate::error::{Error, Result};
use crate::transport::{Call, Reply};

const OPERATION: &str = "TransactGetItems";

/// The items in the order of the reads; `None` where there is none.
#[derive(Debug, Clone)]
pub struct TransactGet {
    parts: Arc<[Part]>,
}

impl TransactGet {
    #[must_use]
    pub fn new(parts: Vec<Part>) -> Self {
        Self { parts: parts.into() }
    }
}

impl Operation for TransactGet {
    type Output = Vec<Option<StoredItem>>;

    fn start(&mut self) -> Step<Self::Output> {
        if self.parts.is_empty() {
            return Step::Done(Vec::new());
        }
        let mut bytes = Body::open().into_head();
        write_transaction(&mut bytes, &self.parts);
        bytes.push(b'}');
        Step::Call(Call {
            operation: OPERATION,
            body: bytes.into(),
        })
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>> {
        let found = reply::found(&reply, self.parts.len());
        found
            .map(Step::Done)
            .map_err(|error| reply::unreadable(OPERATION, &error))
    }

    fn fail(&mut self, error: Error) -> Result<Step<Self::Output>> {
        Err(cancellation::explain(error))
    }
}
