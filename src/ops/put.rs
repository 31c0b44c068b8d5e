//! PutItem.

use std::ops::Range;

use bytes::Bytes;

use super::body::Body;
use super::guard::{Guard, Meaning};
use super::part::{Kind, Part};
use super::{Operation, Step};
use crate::error::{Error, Result};
use crate::transport::{Call, Reply};

const OPERATION: &str = "PutItem";

/// Write an item, or replace it where there is one with its key.
#[derive(Debug, Clone)]
pub struct Put {
    body: Bytes,
    item: Range<usize>,
    meaning: Meaning,
}

impl Put {
    pub fn new(table: &str, item: &[u8], guard: &Guard) -> Result<Self> {
        let mut body = Body::of_table(table);
        body.reserve(item.len() + 16);
        let item = body.json("Item", item);
        guard.write(&mut body)?;
        Ok(Self {
            body: body.finish(),
            item,
            meaning: guard.meaning(),
        })
    }
}

impl Operation for Put {
    type Output = ();

    fn start(&mut self) -> Step<Self::Output> {
        Step::Call(Call {
            operation: OPERATION,
            body: self.body.clone(),
        })
    }

    fn step(&mut self, _: Reply) -> Result<Step<Self::Output>> {
        Ok(Step::Done(()))
    }

    fn part(&self) -> Option<Part> {
        Some(Part {
            is_conditional: self.meaning.is_conditional(),
            ..Part::new(Kind::Put, &self.body, &self.item)
        })
    }

    fn fail(&mut self, error: Error) -> Result<Step<Self::Output>, Error> {
        Err(self.meaning.explain(OPERATION, error))
    }
}
