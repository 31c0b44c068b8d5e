//! The conditions that must all hold, one by one: which attribute each is about, and what it asks of a key attribute.

use std::sync::Arc;

use crate::expr::ast::{Comparison, Condition, Path};
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

/// Whether the condition has anything to do with the attribute, also deep inside its value.
pub(super) fn mentions(condition: &Condition, name: &Arc<str>) -> bool {
    let mut open = vec![condition];
    while let Some(condition) = open.pop() {
        match condition {
            Condition::And(inner) | Condition::Or(inner) => open.extend(inner),
            Condition::Not(inner) => open.push(inner),
            Condition::Compare(path, ..)
            | Condition::Between(path, ..)
            | Condition::In(path, _)
            | Condition::Exists(path)
            | Condition::NotExists(path)
            | Condition::BeginsWith(path, _) => {
                if path.root() == Some(name) {
                    return true;
                }
            }
        }
    }
    false
}

/// The test of a key attribute, or what the condition is instead.
pub(super) fn key_test(condition: Condition) -> Result<KeyTest, &'static str> {
    let whole = |path: &Path| path.as_attribute().is_some();
    match condition {
        Condition::Compare(_, Comparison::NotEqual, _) => Err("`!=`"),
        Condition::Compare(path, comparison, value) if whole(&path) => Ok(KeyTest::Compare(comparison, value)),
        Condition::Between(path, low, high) if whole(&path) => Ok(KeyTest::Between(low, high)),
        Condition::BeginsWith(path, prefix) if whole(&path) => Ok(KeyTest::BeginsWith(prefix)),
        Condition::Compare(..) | Condition::Between(..) | Condition::BeginsWith(..) => Err("a path into its value"),
        Condition::In(..) => Err("`is_in`"),
        Condition::Exists(_) => Err("`exists` (a key attribute always exists)"),
        Condition::NotExists(_) => Err("`not_exists` (a key attribute always exists)"),
        Condition::Or(_) => Err("a condition with `|` (or with None, which a key attribute never is)"),
        Condition::Not(_) => Err("a condition with `~`"),
        Condition::And(_) => Err("a condition with `&`"),
    }
}

pub(super) fn equal_attribute(condition: &Condition) -> Option<&Arc<str>> {
    match condition {
        Condition::Compare(path, Comparison::Equal, _) => path.as_attribute(),
        _ => None,
    }
}
