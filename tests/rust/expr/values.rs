//! Paths and values in few letters.

use std::sync::Arc;

use oxidyn::expr::ast::{Comparison, Condition, Grid, Path, Segment, Value};
use oxidyn::wire::Tag;

/// `lines[0].qty`; no name in these tests holds a dot or a bracket.
pub fn path(text: &str) -> Path {
    let mut segments = Vec::new();
    for part in text.split('.') {
        let (name, indexes) = part.split_once('[').unwrap_or((part, ""));
        segments.push(Segment::Attribute(name.into()));
        for index in indexes.split_terminator(']') {
            segments.push(Segment::Index(index.trim_start_matches('[').parse().unwrap()));
        }
    }
    Path(segments.into())
}

pub fn value(tag: Tag, content: &str, grid: Grid) -> Value {
    Value {
        tag,
        wire: format!(r#"{{"{}":"{content}"}}"#, tag.name()).into_bytes().into(),
        grid,
    }
}

pub fn s(text: &str) -> Value {
    value(Tag::S, text, Grid::Dense)
}

/// A number without neighbours: a float or Decimal.
pub fn n(number: &str) -> Value {
    value(Tag::N, number, Grid::Dense)
}

/// An int.
pub fn i(number: i64) -> Value {
    value(Tag::N, &number.to_string(), Grid::Integer)
}

pub fn compare(name: &str, comparison: Comparison, value: Value) -> Condition {
    Condition::compare(path(name), comparison, value)
}

pub fn eq(name: &str, value: Value) -> Condition {
    compare(name, Comparison::Equal, value)
}

pub fn lt(name: &str, value: Value) -> Condition {
    compare(name, Comparison::Less, value)
}

pub fn ge(name: &str, value: Value) -> Condition {
    compare(name, Comparison::GreaterOrEqual, value)
}

pub fn gt(name: &str, value: Value) -> Condition {
    compare(name, Comparison::Greater, value)
}

pub fn names<const N: usize>(names: [&str; N]) -> Vec<Arc<str>> {
    names.into_iter().map(Arc::from).collect()
}
