//! All that a condition asks of one key attribute, which becomes the one test that DynamoDB takes for it.

use std::cmp::Ordering;
use std::sync::Arc;

use super::parts::{self, Test};
use crate::error::{Error, Result};
use crate::expr::ast::{Comparison, Condition, Path, Value};
use crate::expr::condition::{check_ordered, check_prefix, check_range};
use crate::expr::key_condition::KeyTest;
use crate::expr::{grid, order};
use crate::wire::Direction;

/// Everything that is asked of one attribute: equality, a lower and an upper bound, or a prefix.
#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    equal: Option<&'a Value>,
    /// Two different values are asked for, and nothing is both.
    contradicts: bool,
    low: Option<Bound<'a>>,
    high: Option<Bound<'a>>,
    prefix: Option<&'a Value>,
}

#[derive(Debug, Clone, Copy)]
struct Bound<'a> {
    value: &'a Value,
    is_open: bool,
}

/// Why what is asked cannot be one test.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unfit {
    /// A part can be no key condition; the words for what it is.
    NoTest(&'static str),
    /// Two lower bounds, a bound beside a prefix, and so on.
    Several,
}

impl<'a> Asked<'a> {
    pub fn of(attribute: &Arc<str>, parts: &'a [Condition]) -> Result<Self, Unfit> {
        let mut asked = Self::default();
        for part in parts {
            if let Some(test) = parts::test(part, attribute) {
                asked.add(test.map_err(Unfit::NoTest)?)?;
            }
        }
        let kinds = [asked.equal.is_some(), asked.is_bounded(), asked.prefix.is_some()];
        if kinds.into_iter().filter(|asked| *asked).count() > 1 {
            return Err(Unfit::Several);
        }
        Ok(asked)
    }

    fn add(&mut self, test: Test<'a>) -> Result<(), Unfit> {
        let bound = |side: &mut Option<Bound<'a>>, value, is_open| match side.replace(Bound { value, is_open }) {
            None => Ok(()),
            Some(_) => Err(Unfit::Several),
        };
        match test {
            Test::Compare(Comparison::Equal, value) => {
                self.contradicts |= self.equal.is_some_and(|known| !is_equal(known, value));
                self.equal.get_or_insert(value);
                Ok(())
            }
            Test::Compare(comparison, value) => {
                let is_open = matches!(comparison, Comparison::Greater | Comparison::Less);
                match comparison {
                    Comparison::Greater | Comparison::GreaterOrEqual => bound(&mut self.low, value, is_open),
                    _ => bound(&mut self.high, value, is_open),
                }
            }
            Test::Between(low, high) => {
                bound(&mut self.low, low, false)?;
                bound(&mut self.high, high, false)
            }
            Test::BeginsWith(prefix) => match self.prefix.replace(prefix) {
                None => Ok(()),
                Some(_) => Err(Unfit::Several),
            },
        }
    }

    fn is_bounded(&self) -> bool {
        self.low.is_some() || self.high.is_some()
    }

    pub fn is_nothing(&self) -> bool {
        self.equal.is_none() && self.prefix.is_none() && !self.is_bounded()
    }

    pub fn is_equality(&self) -> bool {
        self.equal.is_some()
    }

    /// The one test for all of it. `field` names the attribute in errors.
    pub fn into_test(self, field: &str) -> Result<Tested> {
        let path = Path::attribute(field);
        if let Some(value) = self.equal {
            check_key_value(field, value)?;
            return Ok(Tested {
                is_empty: self.contradicts,
                ..Tested::alone(KeyTest::Compare(Comparison::Equal, value.clone()))
            });
        }
        if let Some(prefix) = self.prefix {
            check_prefix(&path, prefix)?;
            return Ok(Tested::alone(KeyTest::BeginsWith(prefix.clone())));
        }
        let one = |bound: Bound<'_>, closed: Comparison, open: Comparison| {
            let comparison = if bound.is_open { open } else { closed };
            check_ordered(&path, comparison.symbol(), bound.value)?;
            Ok(Tested::alone(KeyTest::Compare(comparison, bound.value.clone())))
        };
        match (self.low, self.high) {
            (Some(low), Some(high)) => {
                check_range(&path, low.value, high.value)?;
                Ok(Tested::range(low, high))
            }
            (Some(low), None) => one(low, Comparison::GreaterOrEqual, Comparison::Greater),
            (None, Some(high)) => one(high, Comparison::LessOrEqual, Comparison::Less),
            (None, None) => unreachable!("only what something was asked of is tested"),
        }
    }
}

/// The test of one key attribute, and what it leaves to the client.
pub(super) struct Tested {
    pub test: KeyTest,
    /// Ends of the range that are sent closed although they are open.
    pub open_ends: Vec<Value>,
    /// Nothing can pass.
    pub is_empty: bool,
}

impl Tested {
    fn alone(test: KeyTest) -> Self {
        Self {
            test,
            open_ends: Vec::new(),
            is_empty: false,
        }
    }

    fn range(low: Bound<'_>, high: Bound<'_>) -> Self {
        let mut open_ends = Vec::new();
        let low = closed(low, Direction::Up, &mut open_ends);
        let high = closed(high, Direction::Down, &mut open_ends);
        let is_empty = match order::compare(&low, &high) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => !open_ends.is_empty(),
            Some(Ordering::Less) | None => false,
        };
        Self {
            test: KeyTest::Between(low, high),
            open_ends,
            is_empty,
        }
    }
}

/// The value at which BETWEEN may end.
fn closed(bound: Bound<'_>, inwards: Direction, open_ends: &mut Vec<Value>) -> Value {
    if !bound.is_open {
        return bound.value.clone();
    }
    grid::neighbour(bound.value, inwards).unwrap_or_else(|| {
        open_ends.push(bound.value.clone());
        bound.value.clone()
    })
}

/// A key attribute holds S, N or B, and never NULL.
fn check_key_value(field: &str, value: &Value) -> Result<()> {
    if order::Scalar::of(value).is_some() {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{field} is a key attribute, so it is S, N or B on the wire and never equal to {}",
        value.tag.name()
    )))
}

fn is_equal(a: &Value, b: &Value) -> bool {
    order::compare(a, b) == Some(Ordering::Equal)
}
