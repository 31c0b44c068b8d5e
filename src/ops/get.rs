//! GetItem.

use std::ops::Range;

use bytes::Bytes;

use super::body::{Body, member};
use super::part::Part;
use super::{Operation, Step, StoredItem, reply};
use crate::error::{Error, Result};
use crate::expr::ast::Path;
use crate::transport::{Call, Reply};

const OPERATION: &str = "GetItem";

/// Read one item; `None` where there is none.
#[derive(Debug, Clone)]
pub struct Get {
    body: Bytes,
    key: Range<usize>,
    /// Where what only GetItem takes begins.
    own: usize,
}

impl Get {
    #[must_use]
    pub fn new(table: &str, key: &[u8], consistent: bool) -> Self {
        Self::selecting(table, key, &[], consistent).expect("nothing but a projection can be refused")
    }

    /// Of a `selection`, or of the whole item where that is empty.
    pub fn selecting(table: &str, key: &[u8], selection: &[Path], consistent: bool) -> Result<Self> {
        let mut body = Body::of_table(table);
        let key = body.json("Key", key);
        body.select(selection)?;
        let mut body = body.into_head();
        let own = body.len();
        if consistent {
            member(&mut body, "ConsistentRead").extend_from_slice(b"true");
        }
        body.push(b'}');
        Ok(Self {
            body: body.into(),
            key,
            own,
        })
    }
}

impl Operation for Get {
    type Output = Option<StoredItem>;

    fn start(&mut self) -> Step<Self::Output> {
        Step::Call(Call {
            operation: OPERATION,
            body: self.body.clone(),
        })
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>, Error> {
        reply::item(reply, "Item", OPERATION).map(Step::Done)
    }

    fn part(&self) -> Option<Part> {
        Some(Part::read(&self.body, &self.key, self.own))
    }

    fn found(&self, item: Option<StoredItem>) -> Option<Self::Output> {
        Some(item)
    }
}
