//! ConditionCheck: that an item is as a condition says. DynamoDB has it in transactions only.

use std::ops::Range;

use bytes::Bytes;

use super::body::Body;
use super::guard::{Guard, Meaning};
use super::part::{Kind, Part};
use super::transact_write::TransactWrite;
use super::{Operation, Step};
use crate::error::{Error, Result};
use crate::transport::Reply;

/// A part of a transaction; run by itself, a transaction of one.
#[derive(Debug, Clone)]
pub struct Check {
    body: Bytes,
    key: Range<usize>,
    meaning: Meaning,
}

impl Check {
    pub fn new(table: &str, key: &[u8], guard: &Guard) -> Result<Self> {
        let mut body = Body::of_table(table);
        let key = body.json("Key", key);
        guard.write(&mut body)?;
        Ok(Self {
            body: body.finish(),
            key,
            meaning: guard.meaning(),
        })
    }
}

impl Operation for Check {
    type Output = ();

    fn start(&mut self) -> Step<()> {
        TransactWrite::new(self.part().into_iter().collect(), None).start()
    }

    fn step(&mut self, _: Reply) -> Result<Step<()>> {
        Ok(Step::Done(()))
    }

    fn part(&self) -> Option<Part> {
        Some(Part {
            is_conditional: true,
            ..Part::new(Kind::Check, &self.body, &self.key)
        })
    }

    /// Cancelled as a transaction of one, or refused as the part of a larger one.
    fn fail(&mut self, error: Error) -> Result<Step<()>> {
        let error = match super::cancellation::explain(error) {
            Error::Cancelled(mut cancelled) => match cancelled.reasons.pop().flatten() {
                Some(reason) => Error::Service(reason),
                None => Error::Cancelled(cancelled),
            },
            error => error,
        };
        Err(self.meaning.explain("TransactWriteItems", error))
    }
}
