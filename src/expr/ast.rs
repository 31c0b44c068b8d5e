//! What an expression is, before it is text.

use std::sync::Arc;

use bytes::Bytes;

use crate::wire::Tag;

/// A document path by stored names: `lines[0].qty`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path(pub Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    Attribute(Arc<str>),
    Index(u32),
}

/// A value in its wire form, `{"S":"x"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Value {
    pub tag: Tag,
    pub wire: Bytes,
    pub grid: Grid,
}

/// Which values of a field's wire form lie next to each other; half-open ranges become closed ones by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grid {
    /// No neighbour: str, bytes, float, Decimal.
    Dense,
    /// N, whole numbers: int, epoch seconds and milliseconds that are whole, TTL.
    Integer,
    /// N with six decimals: epoch seconds exact to the microsecond.
    MicroNumber,
    /// S, a datetime in its fixed-width form (`…T12:00:00.000000Z`, or without `Z` where naive): one microsecond.
    DateTime,
    /// S, a date: one day.
    Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Compare(Path, Comparison, Value),
    Between(Path, Value, Value),
    In(Path, Vec<Value>),
    Exists(Path),
    NotExists(Path),
    BeginsWith(Path, Value),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Set(Path, Value),
    Add(Path, Value),
    Remove(Path),
}
