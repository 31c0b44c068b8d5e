//! Counting what a query or scan finds: Query and Scan with `Select: COUNT`, all pages in one operation.

use super::pages::{Cursor, Pages};
use super::{Operation, Step};
use crate::error::Result;
use crate::transport::Reply;

/// The number of items on all pages, at most the limit.
#[derive(Debug, Clone)]
pub struct Count {
    pages: Pages,
    cursor: Option<Cursor>,
    total: u64,
}

impl Count {
    pub(super) fn new(pages: Pages, cursor: Option<Cursor>) -> Self {
        Self {
            pages,
            cursor,
            total: 0,
        }
    }
}

impl Operation for Count {
    type Output = u64;

    fn start(&mut self) -> Step<u64> {
        if self.pages.is_exhausted(self.cursor.as_ref()) {
            Step::Done(0)
        } else {
            Step::Call(self.pages.call_for_count(self.cursor.as_ref()))
        }
    }

    fn step(&mut self, reply: Reply) -> Result<Step<u64>> {
        let cursor = self.cursor.as_ref();
        let start_key = cursor.map(|cursor| &cursor.start_key);
        let page = self.pages.read(reply, start_key, self.pages.wanted(cursor))?;
        let (count, next) = page.count()?;
        self.total += count;
        let Some(next) = next else {
            return Ok(Step::Done(self.total));
        };
        self.cursor = Some(next);
        Ok(Step::Call(self.pages.call_for_count(self.cursor.as_ref())))
    }
}
