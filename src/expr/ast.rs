//! What an expression is, before it is text.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::wire::{Tag, writer};

/// A document path by stored names: `lines[0].qty`. Its first segment is an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Arc<[Segment]>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    Attribute(Arc<str>),
    Index(u32),
}

impl Path {
    #[must_use]
    pub fn attribute(name: impl Into<Arc<str>>) -> Self {
        Self(Arc::new([Segment::Attribute(name.into())]))
    }

    /// The item's own attribute in which the path begins.
    #[must_use]
    pub fn root(&self) -> Option<&Arc<str>> {
        match self.0.first() {
            Some(Segment::Attribute(name)) => Some(name),
            _ => None,
        }
    }

    /// The attribute, if the path is nothing more than one.
    #[must_use]
    pub fn as_attribute(&self) -> Option<&Arc<str>> {
        if self.0.len() == 1 { self.root() } else { None }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Attribute(name) if position == 0 => f.write_str(name)?,
                Segment::Attribute(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A value in its wire form, `{"S":"x"}`, written without blanks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Value {
    pub tag: Tag,
    pub wire: Arc<[u8]>,
    pub grid: Grid,
}

impl Value {
    #[must_use]
    pub fn null() -> Self {
        Self {
            tag: Tag::Null,
            wire: writer::NULL.as_bytes().into(),
            grid: Grid::Dense,
        }
    }
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
    /// S, a datetime in a form of fixed width (`…T12:00:00.000000Z`, or without `Z` where naive): one microsecond, or one
    /// second where the form has no fraction.
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

impl Comparison {
    /// The operator as DynamoDB spells it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it holds of two values that stand so to each other.
    #[must_use]
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// Whether it asks for an order and not only for equality: only S, N and B have one.
    #[must_use]
    pub const fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// What a comparison compares: an attribute, how large one is, or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    Path(Path),
    /// DynamoDB's `size`: the length of text and bytes, the number of elements of the rest.
    Size(Path),
    Value(Value),
}

impl Operand {
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) | Self::Size(path) => Some(path),
            Self::Value(_) => None,
        }
    }
}

impl fmt::Display for Operand {
    /// Without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Size(path) => write!(f, "size({path})"),
            Self::Value(_) => f.write_str("…"),
        }
    }
}

impl From<Path> for Operand {
    fn from(path: Path) -> Self {
        Self::Path(path)
    }
}

impl From<Value> for Operand {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// Built by its constructors, which keep the tree flat: `a & b & c` is one `And` of three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Compare(Operand, Comparison, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    /// The value is a type's name: `{"S":"NS"}`.
    HasType(Path, Value),
    BeginsWith(Path, Operand),
    Contains(Path, Operand),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    #[must_use]
    pub fn compare(left: impl Into<Operand>, comparison: Comparison, right: impl Into<Operand>) -> Self {
        Self::Compare(left.into(), comparison, right.into())
    }

    #[must_use]
    pub fn between(operand: impl Into<Operand>, low: impl Into<Operand>, high: impl Into<Operand>) -> Self {
        Self::Between(operand.into(), low.into(), high.into())
    }

    #[must_use]
    pub fn is_in<O: Into<Operand>>(operand: impl Into<Operand>, choices: impl IntoIterator<Item = O>) -> Self {
        Self::In(operand.into(), choices.into_iter().map(Into::into).collect())
    }

    #[must_use]
    pub fn begins_with(path: Path, prefix: impl Into<Operand>) -> Self {
        Self::BeginsWith(path, prefix.into())
    }

    /// All of them hold.
    #[must_use]
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        let conditions = conditions.into_iter();
        let mut flat = Vec::with_capacity(conditions.size_hint().0);
        for condition in conditions {
            match condition {
                Self::And(parts) => flat.extend(parts),
                other => flat.push(other),
            }
        }
        Self::And(flat)
    }

    /// At least one of them holds.
    #[must_use]
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        let conditions = conditions.into_iter();
        let mut flat = Vec::with_capacity(conditions.size_hint().0);
        for condition in conditions {
            match condition {
                Self::Or(parts) => flat.extend(parts),
                other => flat.push(other),
            }
        }
        Self::Or(flat)
    }

    /// The opposite. Comparisons are not turned round: where the attribute is absent `NOT x < 3` holds, `x >= 3` does not.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(condition) => *condition,
            Self::Exists(path) => Self::NotExists(path),
            Self::NotExists(path) => Self::Exists(path),
            other => Self::Not(Box::new(other)),
        }
    }

    /// Nothing is stored there, be it left out or NULL.
    #[must_use]
    pub fn is_none(path: Path) -> Self {
        Self::Or(vec![
            Self::NotExists(path.clone()),
            Self::compare(path, Comparison::Equal, Value::null()),
        ])
    }

    /// Something is stored there that is not NULL: the opposite of `is_none`.
    #[must_use]
    pub fn is_some(path: Path) -> Self {
        Self::And(vec![
            Self::Exists(path.clone()),
            Self::compare(path, Comparison::NotEqual, Value::null()),
        ])
    }

    /// `first AND second`, of which either may be missing.
    #[must_use]
    pub fn both(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) => Some(Self::all([first, second])),
            (first, second) => first.or(second),
        }
    }

    /// Whether the condition has anything to do with the attribute, also deep inside its value.
    #[must_use]
    pub fn mentions(&self, attribute: &str) -> bool {
        let is_it = |path: &Path| path.root().is_some_and(|root| **root == *attribute);
        let has_it = |operand: &Operand| operand.path().is_some_and(is_it);
        // A stack of our own: the depth of the tree is the caller's.
        let mut open = vec![self];
        while let Some(condition) = open.pop() {
            let found = match condition {
                Self::And(inner) | Self::Or(inner) => {
                    open.extend(inner);
                    false
                }
                Self::Not(inner) => {
                    open.push(inner);
                    false
                }
                Self::Compare(left, _, right) => has_it(left) || has_it(right),
                Self::Between(operand, low, high) => [operand, low, high].into_iter().any(has_it),
                Self::In(operand, choices) => has_it(operand) || choices.iter().any(has_it),
                Self::Exists(path) | Self::NotExists(path) | Self::HasType(path, _) => is_it(path),
                Self::BeginsWith(path, operand) | Self::Contains(path, operand) => is_it(path) || has_it(operand),
            };
            if found {
                return true;
            }
        }
        false
    }
}

/// One change of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Set(Path, Source),
    Remove(Path),
    /// Add to the number, or members to the set.
    Add(Path, Value),
    /// Take members out of the set.
    Delete(Path, Value),
}

impl Action {
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Add(path, _) | Self::Delete(path, _) => path,
        }
    }
}

/// What a `SET` writes; paths in it are read as they were before the update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Value(Value),
    Path(Path),
    /// What is stored there, else the other.
    IfNotExists(Path, Box<Source>),
    /// Two lists, one after the other.
    Appended(Box<Source>, Box<Source>),
    Plus(Box<Source>, Box<Source>),
    Minus(Box<Source>, Box<Source>),
}

impl From<Value> for Source {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}
