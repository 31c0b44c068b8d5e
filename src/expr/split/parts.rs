//! The conditions that must all hold, one by one: which attribute each is about, and what it asks of a key attribute.

use std::sync::Arc;

use crate::expr::ast::{Comparison, Condition, Operand, Path};
use crate::expr::key_condition::KeyTest;

/// The conditions which all must hold. A stack of our own: the depth of the tree is the caller's.
pub(super) fn conjuncts(condition: Condition) -> Vec<Condition> {
    let mut open = vec![condition];
    let mut parts = Vec::new();
    while let Some(condition) = open.pop() {
        match condition {
            Condition::And(inner) => open.extend(inner.into_iter().rev()),
            other => parts.push(other),
        }
    }
    parts
}

/// The test of a key attribute, or what the condition is instead.
pub(super) fn key_test(condition: Condition) -> Result<KeyTest, &'static str> {
    use Operand::{Size, Value};
    let is_whole = |path: &Path| path.as_attribute().is_some();
    match condition {
        Condition::Compare(_, Comparison::NotEqual, _) => Err("`!=`"),
        Condition::Compare(Size(_), ..) | Condition::Between(Size(_), ..) => Err("`size`"),
        Condition::Compare(Operand::Path(path), comparison, Value(value)) if is_whole(&path) => {
            Ok(KeyTest::Compare(comparison, value))
        }
        Condition::Between(Operand::Path(path), Value(low), Value(high)) if is_whole(&path) => {
            Ok(KeyTest::Between(low, high))
        }
        Condition::BeginsWith(path, Value(prefix)) if is_whole(&path) => Ok(KeyTest::BeginsWith(prefix)),
        Condition::Compare(_, _, Value(_))
        | Condition::Between(_, Value(_), Value(_))
        | Condition::BeginsWith(_, Value(_)) => Err("a path into its value"),
        Condition::Compare(..) | Condition::Between(..) | Condition::BeginsWith(..) => {
            Err("a comparison with another field")
        }
        Condition::In(..) => Err("`is_in`"),
        Condition::Contains(..) => Err("`contains`"),
        Condition::HasType(..) => Err("`attribute_type`"),
        Condition::Exists(_) => Err("`exists` (a key attribute always exists)"),
        Condition::NotExists(_) => Err("`not_exists` (a key attribute always exists)"),
        Condition::Or(_) => Err("a condition with `|` (or with None, which a key attribute never is)"),
        Condition::Not(_) => Err("a condition with `~`"),
        Condition::And(_) => Err("a condition with `&`"),
    }
}

pub(super) fn equal_attribute(condition: &Condition) -> Option<&Arc<str>> {
    match condition {
        Condition::Compare(Operand::Path(path), Comparison::Equal, Operand::Value(_)) => path.as_attribute(),
        _ => None,
    }
}
