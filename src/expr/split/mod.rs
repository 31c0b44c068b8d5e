//! Parts the condition of a query into the key condition and the filter, for the table or index that was chosen.
//!
//! DynamoDB takes one condition for each key attribute and refuses key attributes in filters. So two bounds become one
//! BETWEEN: a half-open end moves to the neighbour on the value's grid, and where there is none it is sent closed and
//! the items that lie on it are left out on the client.

mod partition;
mod parts;
mod refusal;
mod sort;

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::{Condition, Value};
use super::key_condition::{KeyCondition, KeyTest};
use super::order;
use crate::error::Result;

/// The key of a table or index by stored names: one partition attribute and at most one sort attribute, or up to four
/// of each in a global index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema {
    pub partition: Vec<Arc<str>>,
    pub sort: Vec<Arc<str>>,
}

impl KeySchema {
    /// The key as it is queried: an index without partition attributes of its own is local and has the table's.
    #[must_use]
    pub fn or_partition_of(mut self, table: &Self) -> Self {
        if self.partition.is_empty() {
            self.partition.clone_from(&table.partition);
        }
        self
    }
}

/// What a query goes to.
#[derive(Debug, Clone, Copy)]
pub struct Queried<'a> {
    /// `None` is the table itself.
    pub index: Option<&'a str>,
    pub key: &'a KeySchema,
    /// Key attributes with the fields they are stored for, which errors name; an attribute that is not here is its own.
    pub fields: &'a [(Arc<str>, Arc<str>)],
    /// The table and its other indexes: named in the error where one of them could serve the condition.
    pub others: &'a [Candidate],
}

impl Queried<'_> {
    fn field<'b>(&'b self, attribute: &'b str) -> &'b str {
        let known = self.fields.iter().find(|(stored, _)| **stored == *attribute);
        known.map_or(attribute, |(_, field)| field)
    }
}

impl std::fmt::Display for Queried<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.index {
            Some(index) => write!(f, "index {index}"),
            None => f.write_str("the table"),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Candidate {
    /// `None` is the table itself.
    pub index: Option<Arc<str>>,
    pub partition: Vec<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub key: KeyCondition,
    pub filter: Option<Condition>,
    /// Items to leave out on the client.
    pub drop: Vec<OpenEnd>,
    /// Nothing can match: there is nothing to send.
    pub empty: bool,
}

/// The end of a range that was sent closed although it is open: an item with this very value is not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEnd {
    pub attribute: Arc<str>,
    pub value: Value,
}

/// Part `condition`, and add `wanted` (the caller's `where=`) to the filter as it stands.
pub fn split(queried: Queried<'_>, condition: Condition, wanted: Option<Condition>) -> Result<Split> {
    let key = queried.key;
    let mut tests: Vec<(&Arc<str>, Vec<KeyTest>)> = key
        .partition
        .iter()
        .chain(&key.sort)
        .map(|name| (name, Vec::new()))
        .collect();
    let parts = parts::conjuncts(condition);
    let equal: Vec<Arc<str>> = parts.iter().filter_map(parts::equal_attribute).cloned().collect();
    let mut filter = Vec::new();
    for part in parts {
        let Some(place) = tests.iter().position(|(name, _)| part.mentions(name)) else {
            filter.push(part);
            continue;
        };
        let (name, tests) = &mut tests[place];
        tests.push(parts::key_test(part).map_err(|found| refusal::no_key_condition(&queried, name, found))?);
    }
    if let Some(wanted) = &wanted {
        refusal::check_filter(&queried, wanted)?;
    }

    let mut split = Split {
        key: KeyCondition::default(),
        filter: Condition::both((!filter.is_empty()).then(|| Condition::all(filter)), wanted),
        drop: Vec::new(),
        empty: false,
    };
    let sort = tests.split_off(key.partition.len());
    partition::add(&queried, &mut split, tests, &equal)?;
    sort::add(&queried, &mut split, sort)?;
    Ok(split)
}

fn is_equal(a: &Value, b: &Value) -> bool {
    order::compare(a, b) == Some(Ordering::Equal)
}
