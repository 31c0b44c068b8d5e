//! Query.

use super::body::Body;
use super::pages::{Bounds, Pages};
use crate::error::Result;
use crate::expr::key_condition;
use crate::expr::split::{Candidate, Kind, Split};

/// The items of one partition, in the order of the sort key.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    pub table: &'a str,
    pub candidate: &'a Candidate,
    pub split: &'a Split,
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
        let pages = Pages::new("Query", body, self.bounds, drop, filter.is_some())?.pinning(key.pinned());
        // The service fetches what the index does not hold of an item, for local indexes alone.
        let pages = if candidate.kind == Kind::Local && !candidate.is_whole() {
            pages.of_whole_items()
        } else {
            pages
        };
        Ok(if *empty { pages.sending_nothing() } else { pages })
    }
}
