//! Conditions.

use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::comparison::{self, compare};
use super::subject::{Field, Subject};
use super::{Node, refuse};
use crate::codec::{Plan, Purpose, Target};
use crate::expr::ast::{Comparison, Condition, Grid, Operand, Value};
use crate::limits;
use crate::wire::{Tag, writer};

/// Walk the tuples of `Condition.__oxidyn_node__` (python/oxidyn/expressions.py).
pub fn condition(plan: &Plan, condition: &Bound<'_, PyAny>) -> PyResult<Condition> {
    nested(plan, condition, 0)
}

fn nested(plan: &Plan, condition: &Bound<'_, PyAny>, depth: usize) -> PyResult<Condition> {
    let py = condition.py();
    // Each level is an operator of the expression, so DynamoDB would refuse what would exhaust the stack here.
    if depth > limits::EXPRESSION_OPERATORS {
        return Err(refuse(
            py,
            format!(
                "the condition nests more than {} operators, which DynamoDB refuses.",
                limits::EXPRESSION_OPERATORS
            ),
        ));
    }
    let node = Node::of(condition)?;
    let operator = node.operator()?;
    let parts = || {
        let parts = node.operands().map(|part| nested(plan, &part, depth + 1));
        parts.collect::<PyResult<Vec<_>>>()
    };
    let field = || Field::of(plan, &node.operand(1)?);
    let path = || Ok::<_, PyErr>(field()?.target.path.clone());
    Ok(match operator.to_str()? {
        "and" => Condition::all(parts()?),
        "or" => Condition::any(parts()?),
        "not" => nested(plan, &node.operand(1)?, depth + 1)?.negated(),
        "is_true" => is_true(py, &field()?)?,
        "exists" => Condition::Exists(path()?),
        "not_exists" => Condition::NotExists(path()?),
        "is_none" => Condition::is_none(path()?),
        "is_some" => Condition::is_some(path()?),
        "attribute_type" => Condition::HasType(path()?, text(&node.operand(2)?.extract::<String>()?)),
        "begins_with" => begins_with(plan, &field()?, &node.operand(2)?)?,
        "contains" => contains(plan, &field()?, &node.operand(2)?)?,
        "between" => between(plan, &node.operand(1)?, &node.operand(2)?, &node.operand(3)?)?,
        "in" => is_in(plan, &field()?, &node.operand(2)?)?,
        symbol => {
            let comparison = comparison::of(py, symbol)?;
            compare(plan, &subject(plan, &node.operand(1)?)?, comparison, &node.operand(2)?)?
        }
    })
}

/// What stands on the left of a comparison, which Python's side has looked at.
fn subject<'py>(plan: &Plan, operand: &Bound<'py, PyAny>) -> PyResult<Subject<'py>> {
    match Subject::of(plan, operand)? {
        Some(subject) => Ok(subject),
        None => Err(refuse(
            operand.py(),
            "a comparison begins with a field or a size.".to_owned(),
        )),
    }
}

/// A bare reference. Lax conversion makes 1 of True, so what is encoded tells whether the field holds bools.
fn is_true(py: Python<'_>, field: &Field<'_>) -> PyResult<Condition> {
    let encoded = field.target.encode(PyBool::new(py, true).as_any(), Purpose::Equality);
    match encoded {
        Ok(value) if value.tag == Tag::Bool => {
            Ok(Condition::compare(field.target.path.clone(), Comparison::Equal, value))
        }
        _ => Err(refuse(
            py,
            format!(
                "expected a condition, found {name}, which by itself is one only where it holds a bool: compare it \
                 ({name} == …), or ask attr({name}).is_some().",
                name = field.name()
            ),
        )),
    }
}

fn begins_with(plan: &Plan, field: &Field<'_>, prefix: &Bound<'_, PyAny>) -> PyResult<Condition> {
    let py = prefix.py();
    if !field.target.has_prefixes() {
        return Err(refuse(
            py,
            format!(
                "begins_with works on fields of text and bytes, and {} is none: give a range (>= and <).",
                field.name()
            ),
        ));
    }
    let prefix = match Subject::of(plan, prefix)? {
        Some(other) => comparison::stored_part(py, "begins_with", field, &other)?,
        None => text_or_bytes("begins_with", field, &field.target.encode(prefix, Purpose::Range)?, py)?,
    };
    Ok(Condition::begins_with(field.target.path.clone(), prefix))
}

fn contains(plan: &Plan, field: &Field<'_>, part: &Bound<'_, PyAny>) -> PyResult<Condition> {
    let py = part.py();
    let target = &field.target;
    let other = Subject::of(plan, part)?;
    let operand = if target.has_elements() {
        let element = field.element(plan)?;
        match other {
            Some(other) => comparison::stored_element(py, field, &element, &other)?,
            None => encode_element(&element, part)?.into(),
        }
    } else if target.has_prefixes() {
        match other {
            Some(other) => comparison::stored_part(py, "contains", field, &other)?,
            None => text_or_bytes("contains", field, &target.encode(part, Purpose::Range)?, py)?,
        }
    } else {
        return Err(refuse(
            py,
            format!(
                "contains works on text, bytes, sets and lists, and {} is none of them.",
                field.name()
            ),
        ));
    };
    Ok(Condition::Contains(target.path.clone(), operand))
}

/// An element to look for: one that has no order can be one too.
fn encode_element(element: &Target, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let purpose = if element.has_order() {
        Purpose::Range
    } else {
        Purpose::Equality
    };
    element.encode(value, purpose)
}

fn text_or_bytes(what: &str, field: &Field<'_>, value: &Value, py: Python<'_>) -> PyResult<Operand> {
    if matches!(value.tag, Tag::S | Tag::B) {
        return Ok(value.clone().into());
    }
    Err(refuse(
        py,
        format!(
            "{what} works on text and bytes, and {} is stored as {}.",
            field.name(),
            value.tag.name()
        ),
    ))
}

fn between(
    plan: &Plan,
    operand: &Bound<'_, PyAny>,
    low: &Bound<'_, PyAny>,
    high: &Bound<'_, PyAny>,
) -> PyResult<Condition> {
    let py = operand.py();
    let subject = subject(plan, operand)?;
    let stored = Subject::of(plan, low)?.is_some() || Subject::of(plan, high)?.is_some();
    if let Subject::Field(field) = &subject
        && !stored
    {
        let low = bound(field, low)?;
        let high = bound(field, high)?;
        if low.tag != high.tag {
            return Err(refuse(
                py,
                format!(
                    "the ends of a range must be of one type, and those for {} are stored as {} and {}.",
                    field.name(),
                    low.tag.name(),
                    high.tag.name()
                ),
            ));
        }
        return Ok(Condition::between(field.target.path.clone(), low, high));
    }
    if let Subject::Size(field) = &subject
        && !stored
        && !field.target.omits_empty()
    {
        let (low, high) = (size(field, low)?, size(field, high)?);
        return Ok(Condition::between(subject.operand(), whole(low), whole(high)));
    }
    Ok(Condition::all([
        compare(plan, &subject, Comparison::GreaterOrEqual, low)?,
        compare(plan, &subject, Comparison::LessOrEqual, high)?,
    ]))
}

fn is_in(plan: &Plan, field: &Field<'_>, choices: &Bound<'_, PyAny>) -> PyResult<Condition> {
    let count = choices.len()?;
    if count > limits::IN_OPERANDS {
        return Err(refuse(
            choices.py(),
            format!(
                "{}: is_in was given {count} values, and DynamoDB takes at most {}: join several with any_of, or ask \
                 several times.",
                field.name(),
                limits::IN_OPERANDS
            ),
        ));
    }
    let target = &field.target;
    let mut values: Vec<Operand> = Vec::with_capacity(count);
    let mut conditions = Vec::new();
    for choice in choices.try_iter()? {
        let choice = choice?;
        // What is stored in more than one way is more than one operand.
        if Subject::of(plan, &choice)?.is_some() || target.leaves_out(&choice) {
            let subject = Subject::Field(Field {
                reference: field.reference.clone(),
                target: target.clone(),
            });
            conditions.push(compare(plan, &subject, Comparison::Equal, &choice)?);
        } else {
            values.push(target.encode(&choice, Purpose::Equality)?.into());
        }
    }
    if !values.is_empty() {
        conditions.insert(0, Condition::In(target.path.clone().into(), values));
    }
    Ok(match conditions.len() {
        1 => conditions.remove(0),
        _ => Condition::any(conditions),
    })
}

/// The value that a field is compared with by order.
pub(super) fn bound(field: &Field<'_>, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let encoded = field.target.encode(value, Purpose::Range)?;
    if matches!(encoded.tag, Tag::S | Tag::N | Tag::B) {
        return Ok(encoded);
    }
    Err(refuse(
        value.py(),
        format!(
            "{} is stored as {}, which has no order: compare with == and !=, or ask for contains or size().",
            field.name(),
            encoded.tag.name()
        ),
    ))
}

/// The number that a size is compared with.
pub(super) fn size(field: &Field<'_>, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    let number = (!value.is_instance_of::<PyBool>()).then(|| value.extract::<i64>());
    match number {
        Some(Ok(number)) => Ok(number),
        _ => Err(refuse(
            value.py(),
            format!(
                "attr({}).size() is compared with whole numbers, found {}.",
                field.name(),
                value.get_type().name()?
            ),
        )),
    }
}

pub(super) fn whole(number: i64) -> Value {
    let mut wire = Vec::with_capacity(16);
    writer::push_n(&mut wire, &number.to_string());
    Value {
        tag: Tag::N,
        wire: wire.into(),
        grid: Grid::Integer,
    }
}

fn text(text: &str) -> Value {
    let mut wire = Vec::with_capacity(16);
    writer::push_s(&mut wire, text);
    Value {
        tag: Tag::S,
        wire: wire.into(),
        grid: Grid::Dense,
    }
}
