//! The conditions that must all hold, one by one, and what each asks of an attribute.

use std::sync::Arc;

use crate::expr::ast::{Comparison, Condition, Operand, Path, Value};

/// What a part asks of an attribute, in a form that a key condition has too. Never `Comparison::NotEqual`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test<'a> {
    Compare(Comparison, &'a Value),
    Between(&'a Value, &'a Value),
    BeginsWith(&'a Value),
}

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

/// What the part asks of the attribute; `None` where it has nothing to do with it, and where it can be no key condition
/// the words for what it is instead.
pub(super) fn test<'a>(part: &'a Condition, attribute: &Arc<str>) -> Option<Result<Test<'a>, &'static str>> {
    if !is_about(part, attribute) {
        return None;
    }
    let is_whole = |path: &Path| path.as_attribute().is_some();
    Some(match part {
        Condition::Compare(Operand::Path(path), comparison, Operand::Value(value))
            if is_whole(path) && *comparison != Comparison::NotEqual =>
        {
            Ok(Test::Compare(*comparison, value))
        }
        Condition::Between(Operand::Path(path), Operand::Value(low), Operand::Value(high)) if is_whole(path) => {
            Ok(Test::Between(low, high))
        }
        Condition::BeginsWith(path, Operand::Value(prefix)) if is_whole(path) => Ok(Test::BeginsWith(prefix)),
        other => Err(other_than_a_test(other)),
    })
}

/// Whether the part mentions the attribute.
pub(super) fn is_about(part: &Condition, attribute: &Arc<str>) -> bool {
    match part {
        // Most parts: one attribute and a value, for which no tree need be walked.
        Condition::Compare(Operand::Path(path), _, Operand::Value(_)) => path.root() == Some(attribute),
        _ => part.mentions(attribute),
    }
}

fn other_than_a_test(part: &Condition) -> &'static str {
    use Operand::{Size, Value};
    match part {
        Condition::Compare(_, Comparison::NotEqual, _) => "`!=`",
        Condition::Compare(Size(_), ..) | Condition::Between(Size(_), ..) => "`size`",
        Condition::Compare(_, _, Value(_))
        | Condition::Between(_, Value(_), Value(_))
        | Condition::BeginsWith(_, Value(_)) => "a path into its value",
        Condition::Compare(..) | Condition::Between(..) | Condition::BeginsWith(..) => {
            "a comparison with another field"
        }
        Condition::In(..) => "`is_in`",
        Condition::Contains(..) => "`contains`",
        Condition::HasType(..) => "`attribute_type`",
        Condition::Exists(_) => "`exists` (a key attribute always exists)",
        Condition::NotExists(_) => "`not_exists` (a key attribute always exists)",
        Condition::Or(_) => "a condition with `|` (or with None, which a key attribute never is)",
        Condition::Not(_) => "a condition with `~`",
        Condition::And(_) => "a condition with `&`",
    }
}
