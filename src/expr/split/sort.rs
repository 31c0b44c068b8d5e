//! The sort attributes: from left to right, and all that is asked of one becomes one test.

use std::cmp::Ordering;
use std::sync::Arc;

use super::refusal::{check_key_value, several};
use super::{OpenEnd, Queried, Split, is_equal};
use crate::error::{Error, Result};
use crate::expr::ast::{Comparison, Path, Value};
use crate::expr::condition::{check_ordered, check_prefix, check_range};
use crate::expr::key_condition::KeyTest;
use crate::expr::{grid, order};
use crate::wire::Direction;

pub(super) fn add(queried: &Queried<'_>, split: &mut Split, attributes: Vec<(&Arc<str>, Vec<KeyTest>)>) -> Result<()> {
    // The attribute after which the key condition cannot go on: one without a condition, or one with a range.
    let mut last: Option<&Arc<str>> = None;
    for (name, tests) in attributes {
        if tests.is_empty() {
            last = last.or(Some(name));
            continue;
        }
        if let Some(last) = last {
            let (last, name) = (queried.field(last), queried.field(name));
            return Err(Error::Expression(format!(
                "{queried} sorts by {last} before {name}: a condition on {name} needs `{last} == …` as well, since \
                 DynamoDB reads the parts of a key from left to right"
            )));
        }
        let test = SortTest::combine(queried, name, tests)?;
        if !matches!(test.test, KeyTest::Compare(Comparison::Equal, _)) {
            last = Some(name);
        }
        split.empty |= test.empty;
        split.drop.extend(test.open_ends.into_iter().map(|value| OpenEnd {
            attribute: Arc::clone(name),
            value,
        }));
        split.key.0.push((Arc::clone(name), test.test));
    }
    Ok(())
}

/// The one test that stands for all tests of a sort attribute.
struct SortTest {
    test: KeyTest,
    open_ends: Vec<Value>,
    empty: bool,
}

struct Bound {
    value: Value,
    is_open: bool,
}

impl SortTest {
    fn combine(queried: &Queried<'_>, name: &Arc<str>, tests: Vec<KeyTest>) -> Result<Self> {
        // For errors alone.
        let path = Path::attribute(queried.field(name));
        let alone = tests.len() == 1;
        let mut equal: Option<Value> = None;
        let mut empty = false;
        let (mut low, mut high): (Option<Bound>, Option<Bound>) = (None, None);
        for test in tests {
            match test {
                KeyTest::BeginsWith(prefix) if alone => {
                    check_prefix(&path, &prefix)?;
                    return Ok(Self::alone(KeyTest::BeginsWith(prefix)));
                }
                KeyTest::Compare(Comparison::Equal, value) => {
                    check_key_value(queried, name, &value)?;
                    empty |= equal.as_ref().is_some_and(|known| !is_equal(known, &value));
                    equal.get_or_insert(value);
                }
                KeyTest::Compare(comparison, value) => {
                    check_ordered(&path, comparison.symbol(), &value)?;
                    let is_open = matches!(comparison, Comparison::Greater | Comparison::Less);
                    let is_low = matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual);
                    let side = if is_low { &mut low } else { &mut high };
                    set_bound(queried, name, side, Bound { value, is_open })?;
                }
                KeyTest::Between(from, to) => {
                    check_range(&path, &from, &to)?;
                    set_bound(
                        queried,
                        name,
                        &mut low,
                        Bound {
                            value: from,
                            is_open: false,
                        },
                    )?;
                    set_bound(
                        queried,
                        name,
                        &mut high,
                        Bound {
                            value: to,
                            is_open: false,
                        },
                    )?;
                }
                KeyTest::BeginsWith(_) => return Err(several(queried, name)),
            }
        }
        match (equal, low, high) {
            (Some(value), None, None) => Ok(Self {
                empty,
                ..Self::alone(KeyTest::Compare(Comparison::Equal, value))
            }),
            (None, Some(low), Some(high)) => {
                check_range(&path, &low.value, &high.value)?;
                Ok(Self::range(low, high))
            }
            (None, Some(Bound { value, is_open }), None) => {
                let comparison = if is_open {
                    Comparison::Greater
                } else {
                    Comparison::GreaterOrEqual
                };
                Ok(Self::alone(KeyTest::Compare(comparison, value)))
            }
            (None, None, Some(Bound { value, is_open })) => {
                let comparison = if is_open {
                    Comparison::Less
                } else {
                    Comparison::LessOrEqual
                };
                Ok(Self::alone(KeyTest::Compare(comparison, value)))
            }
            _ => Err(several(queried, name)),
        }
    }

    fn alone(test: KeyTest) -> Self {
        Self {
            test,
            open_ends: Vec::new(),
            empty: false,
        }
    }

    fn range(low: Bound, high: Bound) -> Self {
        let mut open_ends = Vec::new();
        let low = closed(low, Direction::Up, &mut open_ends);
        let high = closed(high, Direction::Down, &mut open_ends);
        let empty = match order::compare(&low, &high) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => !open_ends.is_empty(),
            Some(Ordering::Less) | None => false,
        };
        Self {
            test: KeyTest::Between(low, high),
            open_ends,
            empty,
        }
    }
}

/// The value at which BETWEEN may end.
fn closed(bound: Bound, inwards: Direction, open_ends: &mut Vec<Value>) -> Value {
    if !bound.is_open {
        return bound.value;
    }
    grid::neighbour(&bound.value, inwards).unwrap_or_else(|| {
        open_ends.push(bound.value.clone());
        bound.value
    })
}

fn set_bound(queried: &Queried<'_>, name: &str, side: &mut Option<Bound>, bound: Bound) -> Result<()> {
    if side.replace(bound).is_some() {
        return Err(several(queried, name));
    }
    Ok(())
}
