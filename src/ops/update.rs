//! UpdateItem.

use std::ops::Range;

use bytes::Bytes;

use super::body::Body;
use super::guard::{Guard, Meaning};
use super::part::{Kind, Part};
use super::{Operation, Returning, Step, StoredItem, reply};
use crate::error::{Error, Result};
use crate::expr::ast::Action;
use crate::expr::update;
use crate::transport::{Call, Reply};

const OPERATION: &str = "UpdateItem";

/// Change an item in place. UpdateItem creates a missing item from the key and the actions alone: a guard without
/// `present` is an upsert, whose actions `expr::upsert` checks.
#[derive(Debug, Clone)]
pub struct Update {
    body: Bytes,
    key: Range<usize>,
    returning: Returning,
    meaning: Meaning,
}

impl Update {
    /// No action may change an attribute of the table's key.
    pub fn new(table: &str, key: &[u8], actions: &[Action], guard: &Guard, returning: Returning) -> Result<Self> {
        let mut body = Body::of_table(table);
        let key = body.json("Key", key);
        body.expression("UpdateExpression", |text, placeholders| {
            update::write(text, actions, placeholders)
        })?;
        guard.write(&mut body)?;
        body.returning(returning);
        Ok(Self {
            body: body.finish(),
            key,
            returning,
            meaning: guard.meaning(),
        })
    }
}

impl Operation for Update {
    type Output = Option<StoredItem>;

    fn start(&mut self) -> Step<Self::Output> {
        Step::Call(Call {
            operation: OPERATION,
            body: self.body.clone(),
        })
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>> {
        match self.returning {
            Returning::Nothing => Ok(Step::Done(None)),
            Returning::Old | Returning::New => reply::item(reply, "Attributes", OPERATION).map(Step::Done),
        }
    }

    fn part(&self) -> Option<Part> {
        Some(Part {
            is_conditional: self.meaning.is_conditional(),
            returns_item: self.returning != Returning::Nothing,
            ..Part::new(Kind::Update, &self.body, &self.key)
        })
    }

    fn fail(&mut self, error: Error) -> Result<Step<Self::Output>, Error> {
        Err(self.meaning.explain(OPERATION, error))
    }
}
