//! The grammar of KeyConditionExpression: one condition for each key attribute, joined by AND.

use std::sync::Arc;

use super::ast::{Comparison, Value};
use super::placeholders::Placeholders;
use super::text::Text;
use crate::error::Result;

/// An attribute, and the one value that it has in all items found, in its wire form.
pub type Pinned = (Arc<str>, Arc<[u8]>);

/// Partition attributes first, then sort attributes, each in the key's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyCondition(pub Vec<(Arc<str>, KeyTest)>);

impl KeyCondition {
    /// The attributes that have one value in all items found.
    pub fn pinned(&self) -> impl Iterator<Item = Pinned> {
        self.0.iter().filter_map(|(name, test)| match test {
            KeyTest::Compare(Comparison::Equal, value) => Some((Arc::clone(name), value.wire.clone())),
            _ => None,
        })
    }
}

/// What one key attribute must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyTest {
    /// Any comparison but `NotEqual`.
    Compare(Comparison, Value),
    Between(Value, Value),
    BeginsWith(Value),
}

/// Append the key condition's text.
pub fn write(text: &mut String, condition: &KeyCondition, placeholders: &mut Placeholders) -> Result<()> {
    let mut text = Text::new("key condition", text, placeholders);
    for (position, (name, test)) in condition.0.iter().enumerate() {
        if position > 0 {
            text.operator(" AND ");
        }
        match test {
            KeyTest::Compare(comparison, value) => {
                text.name(name);
                text.comparison(*comparison);
                text.value(value);
            }
            KeyTest::Between(low, high) => {
                text.name(name);
                text.operator(" BETWEEN ");
                text.value(low);
                text.push(" AND ");
                text.value(high);
            }
            KeyTest::BeginsWith(prefix) => {
                text.operator("begins_with(");
                text.name(name);
                text.push(", ");
                text.value(prefix);
                text.push(")");
            }
        }
    }
    text.check()
}
