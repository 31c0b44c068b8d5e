//! Scan.

use super::body::Body;
use super::pages::{Bounds, Pages};
use crate::error::Result;
use crate::expr::ast::{Condition, Path};

/// All items of a table or index, in no order.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    pub table: &'a str,
    pub index: Option<&'a str>,
    /// Unlike a query's, it may ask for key attributes.
    pub filter: Option<&'a Condition>,
    /// What is asked for of each item, with the key of what is scanned; all of it where this is empty.
    pub selection: &'a [Path],
    pub consistent: bool,
    pub bounds: Bounds,
}

impl Scan<'_> {
    pub fn pages(&self) -> Result<Pages> {
        let mut body = Body::of_table(self.table);
        if let Some(index) = self.index {
            body.text("IndexName", index);
        }
        if let Some(filter) = self.filter {
            body.condition("FilterExpression", filter)?;
        }
        if self.consistent {
            body.flag("ConsistentRead", true);
        }
        let selecting = body.selecting(self.selection)?;
        let pages = Pages::new("Scan", body, self.bounds, &[], self.filter.is_some())?;
        Ok(pages.selecting(selecting))
    }
}
