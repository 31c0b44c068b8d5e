//! GetItem.

use bytes::Bytes;

use super::body::Body;
use super::{Operation, Step, StoredItem, reply};
use crate::error::Error;
use crate::transport::{Call, Reply};

const OPERATION: &str = "GetItem";

/// Read one item; `None` where there is none.
#[derive(Debug, Clone)]
pub struct Get {
    body: Bytes,
}

impl Get {
    #[must_use]
    pub fn new(table: &str, key: &[u8], consistent: bool) -> Self {
        let mut body = Body::of_table(table);
        body.json("Key", key);
        if consistent {
            body.flag("ConsistentRead", true);
        }
        Self { body: body.finish() }
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
}
