//! What a condition selects, by the plainest reading of DynamoDB's rules: the judge of the split.

use std::cmp::Ordering;
use std::collections::HashMap;

use oxidyn::expr::ast::{Comparison, Condition, Path, Value};
use oxidyn::expr::key_condition::KeyTest;
use oxidyn::expr::split::Split;

pub type Item = HashMap<&'static str, Value>;

pub fn selects(condition: &Condition, item: &Item) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().all(|part| selects(part, item)),
        Condition::Or(parts) => parts.iter().any(|part| selects(part, item)),
        Condition::Not(inner) => !selects(inner, item),
        Condition::Exists(path) => stored(item, path).is_some(),
        Condition::NotExists(path) => stored(item, path).is_none(),
        Condition::In(path, values) => {
            stored(item, path).is_some_and(|found| values.iter().any(|value| value.wire == found.wire))
        }
        Condition::Compare(path, comparison, value) => match stored(item, path) {
            Some(found) => holds(found, *comparison, value),
            None => *comparison == Comparison::NotEqual,
        },
        Condition::Between(path, low, high) => stored(item, path).is_some_and(|found| {
            holds(found, Comparison::GreaterOrEqual, low) && holds(found, Comparison::LessOrEqual, high)
        }),
        Condition::BeginsWith(path, prefix) => {
            stored(item, path).is_some_and(|found| content(found).starts_with(content(prefix)))
        }
    }
}

/// What a query sends, and what the client then leaves out.
pub fn split_selects(split: &Split, item: &Item) -> bool {
    let key = split.key.0.iter().all(|(name, test)| {
        let path = Path::attribute(name.clone());
        selects(
            &match test.clone() {
                KeyTest::Compare(comparison, value) => Condition::Compare(path, comparison, value),
                KeyTest::Between(low, high) => Condition::Between(path, low, high),
                KeyTest::BeginsWith(prefix) => Condition::BeginsWith(path, prefix),
            },
            item,
        )
    });
    let dropped = split.drop.iter().any(|end| {
        item.get(&*end.attribute)
            .is_some_and(|found| found.wire == end.value.wire)
    });
    !split.empty && key && !dropped && split.filter.as_ref().is_none_or(|filter| selects(filter, item))
}

fn stored<'a>(item: &'a Item, path: &Path) -> Option<&'a Value> {
    item.get(&**path.as_attribute().expect("the tests select by whole attributes"))
}

fn holds(found: &Value, comparison: Comparison, value: &Value) -> bool {
    let order = order(found, value);
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// Numbers in these tests are exact as floats, and base64 text of one length from letters in order compares as its bytes.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    if a.tag != b.tag {
        return None;
    }
    match (content(a).parse::<f64>(), content(b).parse::<f64>()) {
        (Ok(a), Ok(b)) => a.partial_cmp(&b),
        _ => Some(content(a).cmp(content(b))),
    }
}

fn content(value: &Value) -> &str {
    std::str::from_utf8(&value.wire).unwrap().split('"').nth(3).unwrap()
}
