//! Comparisons, of a field or a size with a value or with another one.
//!
//! Two fields compare as their values do in Python, so their stored forms must agree; and None, or an empty set, is equal
//! to itself however each of the two is stored.

use pyo3::prelude::*;

use super::condition::{bound, size, whole};
use super::refuse;
use super::subject::{Field, Subject};
use crate::codec::{NoneRule, Plan, Purpose, Quantity, Target};
use crate::expr::ast::{Comparison, Condition, Operand, Path};
use crate::wire::Tag;

/// The comparison that DynamoDB spells so.
pub(super) fn of(py: Python<'_>, symbol: &str) -> PyResult<Comparison> {
    Ok(match symbol {
        "=" => Comparison::Equal,
        "<>" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        other => return Err(refuse(py, format!("{other} is not a comparison."))),
    })
}

pub(super) fn compare(
    plan: &Plan,
    left: &Subject<'_>,
    comparison: Comparison,
    right: &Bound<'_, PyAny>,
) -> PyResult<Condition> {
    let py = right.py();
    match (left, Subject::of(plan, right)?) {
        (Subject::Field(field), None) => with_value(field, comparison, right),
        (Subject::Field(field), Some(Subject::Field(other))) => fields(py, field, comparison, &other),
        (Subject::Field(number), Some(Subject::Size(of))) => {
            check_number(py, number, &of)?;
            let number = Side::Operand(Operand::Path(number.target.path.clone()));
            Ok(sizes(&number, comparison, &Side::of(&of)))
        }
        (Subject::Size(of), None) => Ok(sizes(&Side::of(of), comparison, &Side::Number(size(of, right)?))),
        (Subject::Size(of), Some(Subject::Field(number))) => {
            check_number(py, &number, of)?;
            let number = Side::Operand(Operand::Path(number.target.path.clone()));
            Ok(sizes(&Side::of(of), comparison, &number))
        }
        (Subject::Size(of), Some(Subject::Size(other))) => Ok(sizes(&Side::of(of), comparison, &Side::of(&other))),
    }
}

fn with_value(field: &Field<'_>, comparison: Comparison, value: &Bound<'_, PyAny>) -> PyResult<Condition> {
    let target = &field.target;
    if comparison.is_order() {
        let bound = bound(field, value)?;
        return Ok(Condition::compare(target.path.clone(), comparison, bound));
    }
    let encoded = target.encode(value, Purpose::Equality)?;
    if !target.leaves_out(value) {
        return Ok(Condition::compare(target.path.clone(), comparison, encoded));
    }
    // Absent is the empty set too, and another program may have stored the empty list.
    let empty = Condition::any([
        Condition::NotExists(target.path.clone()),
        Condition::compare(target.path.clone(), Comparison::Equal, encoded),
    ]);
    Ok(if comparison == Comparison::Equal {
        empty
    } else {
        empty.negated()
    })
}

fn fields(py: Python<'_>, left: &Field<'_>, comparison: Comparison, right: &Field<'_>) -> PyResult<Condition> {
    check_forms(py, left, &left.target, right)?;
    let compared = |comparison| {
        Condition::compare(
            left.target.path.clone(),
            comparison,
            Operand::Path(right.target.path.clone()),
        )
    };
    if comparison.is_order() {
        for field in [left, right] {
            if !field.target.has_order() {
                return Err(refuse(
                    py,
                    format!(
                        "{} is not stored in a form that has an order: compare with == and !=.",
                        field.name()
                    ),
                ));
            }
        }
        return Ok(compared(comparison));
    }
    let both_empty = match (empty_form(&left.target), empty_form(&right.target)) {
        (Some(left), Some(right)) => Some(Condition::all([left, right])),
        _ => None,
    };
    let equal = match both_empty {
        Some(both_empty) => Condition::any([compared(Comparison::Equal), both_empty]),
        None if comparison == Comparison::NotEqual => return Ok(compared(comparison)),
        None => compared(comparison),
    };
    Ok(if comparison == Comparison::Equal {
        equal
    } else {
        equal.negated()
    })
}

/// That nothing is stored there, where this is a value of the field's: None, or the empty set.
fn empty_form(target: &Target) -> Option<Condition> {
    match target.none_rule() {
        NoneRule::Absent | NoneRule::Null => Some(Condition::is_none(target.path.clone())),
        NoneRule::Refused => target.omits_empty().then(|| Condition::NotExists(target.path.clone())),
    }
}

/// Refuse fields whose values are never equal although they look alike, or look equal although they are not.
fn check_forms(py: Python<'_>, field: &Field<'_>, target: &Target, other: &Field<'_>) -> PyResult<()> {
    let share = Tag::ALL
        .into_iter()
        .any(|tag| target.tags().has(tag) && other.target.tags().has(tag));
    let reason = if share {
        form_difference(target, &other.target)
    } else {
        Some("the two are stored as different types, so they are never equal".to_owned())
    };
    let Some(reason) = reason else { return Ok(()) };
    Err(refuse(
        py,
        format!("{} cannot be compared with {}: {reason}.", field.name(), other.name()),
    ))
}

/// How the stored forms of two fields differ that share a wire type; None where they are the same.
pub(super) fn form_difference(one: &Target, other: &Target) -> Option<String> {
    if one.form() == other.form() {
        return None;
    }
    let form = |target: &Target| target.form().unwrap_or("plain values").to_owned();
    Some(format!(
        "the one is stored as {}, the other as {}",
        form(one),
        form(other)
    ))
}

/// Another field as the part of a text.
pub(super) fn stored_part(py: Python<'_>, what: &str, field: &Field<'_>, other: &Subject<'_>) -> PyResult<Operand> {
    let Subject::Field(part) = other else {
        return Err(refuse(py, format!("{what} looks for text or bytes, not for a size.")));
    };
    if !part.target.has_prefixes() {
        return Err(refuse(
            py,
            format!("{what} looks for text or bytes, and {} is none.", part.name()),
        ));
    }
    check_forms(py, field, &field.target, part)?;
    distinct(py, what, field, part)
}

/// Another field as an element.
pub(super) fn stored_element(
    py: Python<'_>,
    field: &Field<'_>,
    element: &Target,
    other: &Subject<'_>,
) -> PyResult<Operand> {
    match other {
        Subject::Field(part) => {
            check_forms(py, field, element, part)?;
            distinct(py, "contains", field, part)
        }
        Subject::Size(_) => Err(refuse(
            py,
            format!(
                "contains looks for a value or a field in {}: a size is computed in comparisons alone.",
                field.name()
            ),
        )),
    }
}

fn distinct(py: Python<'_>, what: &str, field: &Field<'_>, part: &Field<'_>) -> PyResult<Operand> {
    if field.target.path != part.target.path {
        return Ok(Operand::Path(part.target.path.clone()));
    }
    Err(refuse(
        py,
        format!("{what} looks for {} in itself, which DynamoDB refuses.", field.name()),
    ))
}

fn check_number(py: Python<'_>, number: &Field<'_>, of: &Field<'_>) -> PyResult<()> {
    match number.target.quantity() {
        Some(Quantity::Whole | Quantity::Number) => Ok(()),
        _ => Err(refuse(
            py,
            format!(
                "attr({}).size() is compared with numbers, and {} is none.",
                of.name(),
                number.name()
            ),
        )),
    }
}

/// One side of a comparison with a size.
enum Side {
    Number(i64),
    Operand(Operand),
    /// The size of a set that is not stored where it is empty: then it is 0.
    SizeOfSet(Path),
}

impl Side {
    fn of(field: &Field<'_>) -> Self {
        let path = field.target.path.clone();
        if field.target.omits_empty() {
            Self::SizeOfSet(path)
        } else {
            Self::Operand(Operand::Size(path))
        }
    }

    /// What it is, and on which condition: stored, or not and so nothing.
    fn cases(&self) -> Vec<(Option<Condition>, Case)> {
        match self {
            Self::Number(number) => vec![(None, Case::Number(*number))],
            Self::Operand(operand) => vec![(None, Case::Operand(operand.clone()))],
            Self::SizeOfSet(path) => vec![
                (None, Case::Operand(Operand::Size(path.clone()))),
                (Some(Condition::NotExists(path.clone())), Case::Number(0)),
            ],
        }
    }
}

enum Case {
    Number(i64),
    Operand(Operand),
}

impl Case {
    fn into_operand(self) -> Operand {
        match self {
            Self::Number(number) => whole(number).into(),
            Self::Operand(operand) => operand,
        }
    }
}

/// A comparison of which one side is a size.
fn sizes(left: &Side, comparison: Comparison, right: &Side) -> Condition {
    let has_cases = [left, right].iter().any(|side| matches!(side, Side::SizeOfSet(_)));
    // Of what is absent DynamoDB has `<>` hold whatever it is compared with.
    if has_cases && comparison == Comparison::NotEqual {
        return sizes(left, Comparison::Equal, right).negated();
    }
    let mut holding = Vec::new();
    for (left_guard, left) in left.cases() {
        for (right_guard, right) in right.cases() {
            let guard = Condition::both(left_guard.clone(), right_guard);
            let compared = match (&left, right) {
                (Case::Number(left), Case::Number(right)) => {
                    if !comparison.holds(left.cmp(&right)) {
                        continue;
                    }
                    None
                }
                (Case::Number(left), right) => Some(Condition::compare(whole(*left), comparison, right.into_operand())),
                (Case::Operand(left), right) => {
                    Some(Condition::compare(left.clone(), comparison, right.into_operand()))
                }
            };
            holding.extend(Condition::both(guard, compared));
        }
    }
    match holding.len() {
        1 => holding.remove(0),
        _ => Condition::any(holding),
    }
}
