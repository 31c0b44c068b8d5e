//! One page for a reader of pages: filled up to its size over as many replies as the filter makes it take, and cut off
//! there, in the middle of a reply where it must be.

use bytes::Bytes;

use super::cursor::Place;
use super::pages::{Page, Pages};
use super::{Operation, Step, token};
use crate::error::{Error, Result};
use crate::transport::{Call, Reply};

/// Replies for one page: a filter that hardly ever holds would else read a whole table before it answers. The page is
/// given out short then, and its cursor goes on.
pub const MOST_REPLIES: usize = 100;

/// Read up to `size` items from a place on.
#[derive(Debug, Clone)]
pub struct FillPage {
    pages: Pages,
    /// Behind which the reply under way begins.
    start_key: Option<Bytes>,
    /// Whether a stranger could have made up the first start key.
    is_unproven: bool,
    /// Items still to be found for this page.
    missing: u64,
    /// With this page the query's limit is reached.
    reaches_limit: bool,
    filled: Filled,
}

/// The replies that hold a page's items, each to be consumed to the end of what is wanted of it.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    pub replies: Vec<Page>,
    /// Items given out up to the end of this page.
    given: u64,
    is_last: bool,
}

impl FillPage {
    #[must_use]
    pub fn new(pages: &Pages, size: u64, from: Option<Place>, is_unproven: bool) -> Self {
        let given = from.as_ref().map_or(0, |place| place.given);
        let left = pages.limit().map(|limit| limit.saturating_sub(given));
        let reaches_limit = left.is_some_and(|left| left <= size);
        Self {
            pages: pages.clone(),
            missing: left.map_or(size, |left| left.min(size)),
            start_key: from.map(|place| place.after),
            is_unproven,
            reaches_limit,
            filled: Filled {
                given,
                ..Filled::default()
            },
        }
    }

    fn call(&self) -> Call {
        // One more than is missing tells whether anything follows the page.
        let wanted = self.missing.saturating_add(u64::from(!self.reaches_limit));
        self.pages.call_from(self.start_key.as_ref(), Some(wanted))
    }

    fn done(&mut self) -> Step<Filled> {
        self.filled.is_last = self.reaches_limit && self.missing == 0;
        Step::Done(std::mem::take(&mut self.filled))
    }
}

impl Operation for FillPage {
    type Output = Filled;

    fn start(&mut self) -> Step<Filled> {
        if self.missing == 0 || self.pages.is_exhausted(None) {
            return self.done();
        }
        Step::Call(self.call())
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Filled>> {
        let page = self.pages.read(reply, self.start_key.as_ref(), Some(self.missing))?;
        let ahead = page.ahead()?;
        self.filled.replies.push(page);
        self.filled.given += ahead.items;
        self.missing -= ahead.items;
        Ok(match ahead.last_key {
            Some(last_key) if self.missing > 0 && self.filled.replies.len() < MOST_REPLIES => {
                self.start_key = Some(last_key);
                Step::Call(self.call())
            }
            _ => self.done(),
        })
    }

    fn fail(&mut self, error: Error) -> Result<Step<Filled>> {
        let is_first = self.filled.replies.is_empty();
        Err(token::explain(error, is_first && self.is_unproven))
    }
}

impl Filled {
    /// Where the next page begins, once the items of this one are consumed; `None` where it is known that there is none.
    pub fn next(&self) -> Result<Option<Place>> {
        let Some(last) = self.replies.last().filter(|_| !self.is_last) else {
            return Ok(None);
        };
        Ok(last.start_key()?.map(|after| Place {
            after,
            given: self.given,
        }))
    }
}
