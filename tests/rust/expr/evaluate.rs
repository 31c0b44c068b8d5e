//! What a condition selects, by the plainest reading of DynamoDB's rules: the judge of the split.

use std::cmp::Ordering;
use std::collections::HashMap;

use oxidyn::expr::ast::{Comparison, Condition, Operand, Path, Value};
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
        Condition::HasType(path, tag) => stored(item, path).is_some_and(|found| found.tag.name() == content(tag)),
        Condition::In(operand, choices) => {
            let found = valued(item, operand);
            choices
                .iter()
                .any(|choice| holds(found, Comparison::Equal, valued(item, choice)))
        }
        Condition::Compare(left, comparison, right) => holds(valued(item, left), *comparison, valued(item, right)),
        Condition::Between(operand, low, high) => {
            let found = valued(item, operand);
            holds(found, Comparison::GreaterOrEqual, valued(item, low))
                && holds(found, Comparison::LessOrEqual, valued(item, high))
        }
        Condition::BeginsWith(path, prefix) => both(stored(item, path), valued(item, prefix))
            .is_some_and(|(found, prefix)| content(found).starts_with(content(prefix))),
        Condition::Contains(path, part) => both(stored(item, path), valued(item, part))
            .is_some_and(|(found, part)| content(found).contains(content(part))),
    }
}

/// What a query sends, and what the client then leaves out.
pub fn split_selects(split: &Split, item: &Item) -> bool {
    let key = split.key.0.iter().all(|(name, test)| {
        let path = Path::attribute(name.clone());
        selects(
            &match test.clone() {
                KeyTest::Compare(comparison, value) => Condition::compare(path, comparison, value),
                KeyTest::Between(low, high) => Condition::between(path, low, high),
                KeyTest::BeginsWith(prefix) => Condition::begins_with(path, prefix),
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

/// The value that an operand stands for; sizes are not asked for in these tests.
fn valued<'a>(item: &'a Item, operand: &'a Operand) -> Option<&'a Value> {
    match operand {
        Operand::Value(value) => Some(value),
        Operand::Path(path) => stored(item, path),
        Operand::Size(_) => unreachable!("the tests ask for no sizes"),
    }
}

fn both<'a>(found: Option<&'a Value>, asked: Option<&'a Value>) -> Option<(&'a Value, &'a Value)> {
    found.zip(asked).filter(|(found, asked)| found.tag == asked.tag)
}

fn holds(found: Option<&Value>, comparison: Comparison, asked: Option<&Value>) -> bool {
    let order = found.zip(asked).and_then(|(found, asked)| order(found, asked));
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
