//! Parts the condition of a query into the key condition and the filter, for the table or index that was chosen.
//!
//! DynamoDB takes one condition for each key attribute and refuses key attributes in filters. So two bounds become one
//! BETWEEN: a half-open end moves to the neighbour on the value's grid, and where there is none it is sent closed and
//! the items that lie on it are left out on the client.

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::{Comparison, Condition, Path, Value};
use super::condition::{check_ordered, check_prefix, check_range};
use super::grid;
use super::key_condition::{KeyCondition, KeyTest};
use super::order;
use crate::error::{Error, Result};
use crate::wire::Direction;

/// The key of a table or index by stored names: one partition attribute and at most one sort attribute, or up to four
/// of each in a global index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema {
    pub partition: Vec<Arc<str>>,
    pub sort: Vec<Arc<str>>,
}

impl KeySchema {
    /// The key as it is queried: an index without partition attributes of its own is local and has the table's.
    #[must_use]
    pub fn or_partition_of(mut self, table: &Self) -> Self {
        if self.partition.is_empty() {
            self.partition.clone_from(&table.partition);
        }
        self
    }
}

/// What a query goes to.
#[derive(Debug, Clone, Copy)]
pub struct Queried<'a> {
    /// `None` is the table itself.
    pub index: Option<&'a str>,
    pub key: &'a KeySchema,
    /// Key attributes with the fields they are stored for, which errors name; an attribute that is not here is its own.
    pub fields: &'a [(Arc<str>, Arc<str>)],
    /// The table and its other indexes: named in the error where one of them could serve the condition.
    pub others: &'a [Candidate],
}

impl Queried<'_> {
    fn field<'b>(&'b self, attribute: &'b str) -> &'b str {
        let known = self.fields.iter().find(|(stored, _)| **stored == *attribute);
        known.map_or(attribute, |(_, field)| field)
    }
}

#[derive(Debug, Clone)]
pub struct Candidate {
    /// `None` is the table itself.
    pub index: Option<Arc<str>>,
    pub partition: Vec<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub key: KeyCondition,
    pub filter: Option<Condition>,
    /// Items to leave out on the client.
    pub drop: Vec<OpenEnd>,
    /// Nothing can match: there is nothing to send.
    pub empty: bool,
}

/// The end of a range that was sent closed although it is open: an item with this very value is not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEnd {
    pub attribute: Arc<str>,
    pub value: Value,
}

/// Part `condition`, and add `wanted` (the caller's `where=`) to the filter as it stands.
pub fn split(queried: Queried<'_>, condition: Condition, wanted: Option<Condition>) -> Result<Split> {
    let key = queried.key;
    let mut tests: Vec<(&Arc<str>, Vec<KeyTest>)> = key
        .partition
        .iter()
        .chain(&key.sort)
        .map(|name| (name, Vec::new()))
        .collect();
    let parts = conjuncts(condition);
    let equal: Vec<Arc<str>> = parts.iter().filter_map(equal_attribute).cloned().collect();
    let mut filter = Vec::new();
    for part in parts {
        let Some(place) = tests.iter().position(|(name, _)| mentions(&part, name)) else {
            filter.push(part);
            continue;
        };
        let (name, tests) = &mut tests[place];
        tests.push(key_test(part).map_err(|found| refusal(&queried, name, found))?);
    }
    if let Some(wanted) = &wanted {
        check_filter(&queried, wanted)?;
    }

    let mut split = Split {
        key: KeyCondition::default(),
        filter: Condition::both((!filter.is_empty()).then(|| Condition::all(filter)), wanted),
        drop: Vec::new(),
        empty: false,
    };
    let sort = tests.split_off(key.partition.len());
    add_partition(&queried, &mut split, tests, &equal)?;
    add_sort(&queried, &mut split, sort)?;
    Ok(split)
}

/// The conditions which all must hold. A stack of our own: the depth of the tree is the caller's.
fn conjuncts(condition: Condition) -> Vec<Condition> {
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
fn mentions(condition: &Condition, name: &Arc<str>) -> bool {
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
fn key_test(condition: Condition) -> Result<KeyTest, &'static str> {
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

fn refusal(queried: &Queried<'_>, name: &str, found: &str) -> Error {
    let name = queried.field(name);
    Error::Expression(format!(
        "{name} is a key attribute of {queried}, and {found} cannot be a key condition: DynamoDB takes one `==`, \
         range or begins_with for it and refuses key attributes in filters; ask once for each value or range, \
         or scan with where="
    ))
}

fn check_filter(queried: &Queried<'_>, wanted: &Condition) -> Result<()> {
    let mut attributes = queried.key.partition.iter().chain(&queried.key.sort);
    let Some(name) = attributes.find(|name| mentions(wanted, name)) else {
        return Ok(());
    };
    let name = queried.field(name);
    Err(Error::Expression(format!(
        "where= may not ask for {name}: it is a key attribute of {queried}, and DynamoDB refuses key attributes in \
         filters; give this condition to query() itself"
    )))
}

impl std::fmt::Display for Queried<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.index {
            Some(index) => write!(f, "index {index}"),
            None => f.write_str("the table"),
        }
    }
}

fn add_partition(
    queried: &Queried<'_>,
    split: &mut Split,
    attributes: Vec<(&Arc<str>, Vec<KeyTest>)>,
    equal: &[Arc<str>],
) -> Result<()> {
    for (name, tests) in attributes {
        let mut value = None;
        for test in tests {
            let KeyTest::Compare(Comparison::Equal, found) = test else {
                return Err(Error::Expression(format!(
                    "{} is a partition attribute of {queried}, which takes only `==`: DynamoDB finds a partition \
                     by its exact value",
                    queried.field(name)
                )));
            };
            check_key_value(queried, name, &found)?;
            split.empty |= value.as_ref().is_some_and(|value| !is_equal(value, &found));
            value.get_or_insert(found);
        }
        let value = value.ok_or_else(|| missing_partition(queried, name, equal))?;
        split
            .key
            .0
            .push((Arc::clone(name), KeyTest::Compare(Comparison::Equal, value)));
    }
    Ok(())
}

/// `equal`: the attributes of which the condition gives the exact value.
fn missing_partition(queried: &Queried<'_>, name: &str, equal: &[Arc<str>]) -> Error {
    let serves = |candidate: &&Candidate| candidate.partition.iter().all(|name| equal.contains(name));
    let advice = match queried.others.iter().find(serves) {
        Some(Candidate { index: Some(index), .. }) => {
            format!("index {index} could serve this condition: give index=\"{index}\"")
        }
        Some(Candidate { index: None, .. }) => {
            "the table itself could serve this condition: leave index= out".to_owned()
        }
        None => "add it, or use scan, which reads everything".to_owned(),
    };
    let name = queried.field(name);
    Error::Expression(format!(
        "the query needs `{name} == …`, since {name} is a partition attribute of {queried}; {advice}"
    ))
}

fn equal_attribute(condition: &Condition) -> Option<&Arc<str>> {
    match condition {
        Condition::Compare(path, Comparison::Equal, _) => path.as_attribute(),
        _ => None,
    }
}

fn add_sort(queried: &Queried<'_>, split: &mut Split, attributes: Vec<(&Arc<str>, Vec<KeyTest>)>) -> Result<()> {
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

fn several(queried: &Queried<'_>, name: &str) -> Error {
    let name = queried.field(name);
    Error::Expression(format!(
        "{name} is a sort attribute of {queried}, which takes one condition: `==`, begins_with, one bound, or a lower \
         and an upper bound; leave out the ones that the others contain"
    ))
}

/// A key attribute holds S, N or B, and never NULL.
fn check_key_value(queried: &Queried<'_>, name: &str, value: &Value) -> Result<()> {
    if order::Scalar::of(value).is_some() {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{} is a key attribute, so it is S, N or B on the wire and never equal to {}",
        queried.field(name),
        value.tag.name()
    )))
}

fn is_equal(a: &Value, b: &Value) -> bool {
    order::compare(a, b) == Some(Ordering::Equal)
}
