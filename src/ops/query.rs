//! Query.

use super::body::Body;
use super::pages::{Bounds, Pages};
use crate::error::Result;
use crate::expr::ast::Path;
use crate::expr::key_condition;
use crate::expr::split::{Candidate, Kind, Split};

/// The items of one partition, in the order of the sort key.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    pub table: &'a str,
    pub candidate: &'a Candidate,
    pub split: &'a Split,
    /// What is asked for of each item, with the key of what is queried; all of it where this is empty.
    pub selection: &'a [Path],
    /// From the highest sort key to the lowest.
    pub reverse: bool,
    pub consistent: bool,
    pub bounds: Bounds,
}

impl Query<'_> {
    pub fn pages(&self) -> Result<Pages> {
        let Split {
            key,
            filter,
            drop,
            empty,
        } = self.split;
        let mut body = Body::of_table(self.table);
        let candidate = self.candidate;
        if let Some(index) = &candidate.index {
            body.text("IndexName", index);
        }
        body.expression("KeyConditionExpression", |text, placeholders| {
            key_condition::write(text, key, placeholders)
        })?;
        if let Some(filter) = filter {
            body.condition("FilterExpression", filter)?;
        }
        if self.reverse {
            body.flag("ScanIndexForward", false);
        }
        if self.consistent {
            body.flag("ConsistentRead", true);
        }
        let fetches_rest = self.fetches_rest();
        let selecting = if fetches_rest {
            None
        } else {
            body.selecting(self.selection)?
        };
        let pages = Pages::new("Query", body, self.bounds, drop, filter.is_some())?;
        let pages = pages.pinning(key.pinned()).selecting(selecting);
        let pages = if fetches_rest { pages.of_whole_items() } else { pages };
        Ok(if *empty { pages.sending_nothing() } else { pages })
    }

    /// Whether the service reads from the table what the index does not hold of an item, which it does for local indexes
    /// alone. Whole items come then: they cost the same as what is selected, and not every engine fetches only that.
    #[must_use]
    pub fn fetches_rest(&self) -> bool {
        let lacks = &self.candidate.lacks;
        let is_filtered = || {
            let filter = self.split.filter.as_ref();
            filter.is_some_and(|filter| lacks.iter().any(|attribute| filter.mentions(attribute)))
        };
        self.candidate.kind == Kind::Local && (!self.candidate.is_whole() || is_filtered())
    }
}
