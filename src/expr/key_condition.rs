//! The grammar of KeyConditionExpression: one condition for each key attribute, joined by AND.

use std::sync::Arc;

use super::ast::{Comparison, Value};
use super::placeholders::{Placeholders, check_size};
use crate::error::Result;

/// Partition attributes first, then sort attributes, each in the key's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyCondition(pub Vec<(Arc<str>, KeyTest)>);

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
    for (position, (name, test)) in condition.0.iter().enumerate() {
        if position > 0 {
            text.push_str(" AND ");
        }
        match test {
            KeyTest::Compare(comparison, value) => {
                placeholders.name(text, name);
                text.push(' ');
                text.push_str(comparison.symbol());
                text.push(' ');
                placeholders.value(text, value);
            }
            KeyTest::Between(low, high) => {
                placeholders.name(text, name);
                text.push_str(" BETWEEN ");
                placeholders.value(text, low);
                text.push_str(" AND ");
                placeholders.value(text, high);
            }
            KeyTest::BeginsWith(prefix) => {
                text.push_str("begins_with(");
                placeholders.name(text, name);
                text.push_str(", ");
                placeholders.value(text, prefix);
                text.push(')');
            }
        }
    }
    check_size(text)
}
