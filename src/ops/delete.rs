//! DeleteItem.

use std::ops::Range;

use bytes::Bytes;

use super::body::Body;
use super::guard::{Guard, Meaning};
use super::part::{Kind, Part};
use super::{Operation, Returning, Step, StoredItem, reply};
use crate::error::{Error, Result};
use crate::transport::{Call, Reply};

const OPERATION: &str = "DeleteItem";

/// Delete an item; that there was none is no error unless the guard says so.
#[derive(Debug, Clone)]
pub struct Delete {
    body: Bytes,
    key: Range<usize>,
    returns_item: bool,
    meaning: Meaning,
}

impl Delete {
    /// With `return_old` the output is the item as it was, if there was one.
    pub fn new(table: &str, key: &[u8], guard: &Guard, return_old: bool) -> Result<Self> {
        let mut body = Body::of_table(table);
        let key = body.json("Key", key);
        guard.write(&mut body)?;
        body.returning(if return_old { Returning::Old } else { Returning::Nothing });
        Ok(Self {
            body: body.finish(),
            key,
            returns_item: return_old,
            meaning: guard.meaning(),
        })
    }
}

impl Operation for Delete {
    type Output = Option<StoredItem>;

    fn start(&mut self) -> Step<Self::Output> {
        Step::Call(Call {
            operation: OPERATION,
            body: self.body.clone(),
        })
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>> {
        if self.returns_item {
            reply::item(reply, "Attributes", OPERATION).map(Step::Done)
        } else {
            Ok(Step::Done(None))
        }
    }

    fn part(&self) -> Option<Part> {
        Some(Part {
            is_conditional: self.meaning.is_conditional(),
            returns_item: self.returns_item,
            ..Part::new(Kind::Delete, &self.body, &self.key)
        })
    }

    fn fail(&mut self, error: Error) -> Result<Step<Self::Output>, Error> {
        Err(self.meaning.explain(OPERATION, error))
    }
}
