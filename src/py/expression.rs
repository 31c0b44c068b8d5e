//! Python's conditions and actions -> `expr::ast`, with every value written by its own field's codec. What can be refused
//! without the plan (None, references and conditions as values, an empty `is_in`) never comes here: see
//! `python/oxidyn/expressions.py`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFrozenSet, PySet, PyString, PyTuple, PyType};

use crate::codec::{NoneRule, Plan, Purpose, Target};
use crate::expr::ast::{Action, Comparison, Condition, Operand, Value};
use crate::expr::update;
use crate::limits;
use crate::py::exceptions;
use crate::wire::Tag;

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
    let node = node(condition)?;
    let operator = node.get_item(0)?;
    let operator = operator.cast::<PyString>()?.to_str()?;
    let operand = |place: usize| node.get_item(place);
    Ok(match operator {
        "and" => Condition::all(operands(plan, &node, depth)?),
        "or" => Condition::any(operands(plan, &node, depth)?),
        "not" => nested(plan, &operand(1)?, depth + 1)?.negated(),
        "exists" => Condition::Exists(target(plan, &operand(1)?)?.path.clone()),
        "not_exists" => Condition::NotExists(target(plan, &operand(1)?)?.path.clone()),
        "is_none" => Condition::is_none(target(plan, &operand(1)?)?.path.clone()),
        "is_some" => Condition::is_some(target(plan, &operand(1)?)?.path.clone()),
        "begins_with" => {
            let reference = operand(1)?;
            let target = target(plan, &reference)?;
            if !target.has_prefixes() {
                return Err(refuse(
                    py,
                    format!(
                        "begins_with works on fields of text and bytes, and {} is none: give a range (>= and <).",
                        name(&reference)
                    ),
                ));
            }
            let prefix = target.encode(&operand(2)?, Purpose::Range)?;
            if !matches!(prefix.tag, Tag::S | Tag::B) {
                return Err(refuse(
                    py,
                    format!(
                        "begins_with works on text and bytes, and {} is stored as {}.",
                        name(&reference),
                        prefix.tag.name()
                    ),
                ));
            }
            Condition::begins_with(target.path.clone(), prefix)
        }
        "between" => {
            let target = target(plan, &operand(1)?)?;
            let low = target.encode(&operand(2)?, Purpose::Range)?;
            let high = target.encode(&operand(3)?, Purpose::Range)?;
            Condition::between(target.path.clone(), low, high)
        }
        "in" => is_in(plan, &operand(1)?, &operand(2)?)?,
        symbol => compare(plan, comparison(py, symbol)?, &operand(1)?, &operand(2)?)?,
    })
}

/// The actions of one update.
pub fn actions(plan: &Plan, actions: &Bound<'_, PyTuple>) -> PyResult<Vec<Action>> {
    let read: Vec<Action> = actions
        .iter()
        .map(|action| self::action(plan, &action))
        .collect::<PyResult<_>>()?;
    let name_of = |place: usize| {
        let reference = actions.get_item(place).and_then(|action| node(&action)?.get_item(1));
        reference.map_or_else(|_| read[place].path().to_string(), |reference| name(&reference))
    };
    update::check_overlaps(&read, name_of).map_err(|error| refuse(actions.py(), format!("{error}.")))?;
    Ok(read)
}

fn action(plan: &Plan, action: &Bound<'_, PyAny>) -> PyResult<Action> {
    let py = action.py();
    let node = node(action)?;
    let operator = node.get_item(0)?;
    let operator = operator.cast::<PyString>()?.to_str()?;
    let reference = node.get_item(1)?;
    let target = target(plan, &reference)?;
    if plan.key_spec().is_table_key(&target.path) {
        return Err(refuse(
            py,
            format!(
                "{} is part of the table's key, which no update can change: delete the item and put a new one.",
                name(&reference)
            ),
        ));
    }
    let path = target.path.clone();
    match operator {
        "set" => {
            let new = node.get_item(2)?;
            if new.is_none() && target.none_rule() == NoneRule::Absent {
                return Ok(Action::Remove(path));
            }
            // None comes back where the field's rule leaves the value out: an empty set.
            Ok(target
                .encode_update(&new)?
                .map_or_else(|| Action::Remove(path.clone()), |v| Action::Set(path.clone(), v.into())))
        }
        "add" => {
            let step = node.get_item(2)?;
            Ok(Action::Add(path, addend(&target, &reference, &step)?))
        }
        "remove" => Ok(Action::Remove(path)),
        other => Err(refuse(py, format!("{other} is not an action."))),
    }
}

/// DynamoDB adds numbers to numbers and elements to sets, nothing else.
fn addend(target: &Target, reference: &Bound<'_, PyAny>, step: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = step.py();
    let is_set = step.is_instance_of::<PySet>() || step.is_instance_of::<PyFrozenSet>();
    if is_set && step.len()? == 0 {
        return Err(refuse(
            py,
            format!(
                "add to {}: the set is empty, so there is nothing to add.",
                name(reference)
            ),
        ));
    }
    let value = target.encode(step, Purpose::Range)?;
    let fits = match value.tag {
        Tag::N => target.is_number(),
        Tag::SS | Tag::NS | Tag::BS => true,
        _ => false,
    };
    if fits {
        return Ok(value);
    }
    Err(refuse(
        py,
        format!(
            "add works on numbers and on sets of text, numbers or bytes, and {} is neither: use set().",
            name(reference)
        ),
    ))
}

fn compare(
    plan: &Plan,
    comparison: Comparison,
    reference: &Bound<'_, PyAny>,
    operand: &Bound<'_, PyAny>,
) -> PyResult<Condition> {
    let target = target(plan, reference)?;
    match comparison {
        Comparison::Equal | Comparison::NotEqual => {
            let value = target.encode(operand, Purpose::Equality)?;
            if !target.leaves_out(operand) {
                return Ok(Condition::compare(target.path.clone(), comparison, value));
            }
            // Absent is the empty set too, and another program may have stored the empty list.
            let empty = Condition::any([
                Condition::NotExists(target.path.clone()),
                Condition::compare(target.path.clone(), Comparison::Equal, value),
            ]);
            Ok(if comparison == Comparison::Equal {
                empty
            } else {
                empty.negated()
            })
        }
        _ => {
            let value = target.encode(operand, Purpose::Range)?;
            Ok(Condition::compare(target.path.clone(), comparison, value))
        }
    }
}

fn is_in(plan: &Plan, reference: &Bound<'_, PyAny>, values: &Bound<'_, PyAny>) -> PyResult<Condition> {
    let target = target(plan, reference)?;
    let count = values.len()?;
    if count > limits::IN_OPERANDS {
        return Err(refuse(
            values.py(),
            format!(
                "{}: is_in was given {count} values, and DynamoDB takes at most {}: join several with any_of, or ask \
                 several times.",
                name(reference),
                limits::IN_OPERANDS
            ),
        ));
    }
    let values = values.try_iter()?;
    let values = values.map(|value| target.encode(&value?, Purpose::Equality).map(Operand::Value));
    Ok(Condition::In(
        target.path.clone().into(),
        values.collect::<PyResult<_>>()?,
    ))
}

fn operands(plan: &Plan, node: &Bound<'_, PyTuple>, depth: usize) -> PyResult<Vec<Condition>> {
    node.iter()
        .skip(1)
        .map(|operand| nested(plan, &operand, depth + 1))
        .collect()
}

fn node<'py>(expression: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    Ok(expression
        .getattr(intern!(expression.py(), "__oxidyn_node__"))?
        .cast_into::<PyTuple>()?)
}

fn comparison(py: Python<'_>, symbol: &str) -> PyResult<Comparison> {
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

fn target(plan: &Plan, reference: &Bound<'_, PyAny>) -> PyResult<std::sync::Arc<Target>> {
    let py = reference.py();
    let model = reference.getattr(intern!(py, "__oxidyn_model__"))?;
    let path = reference
        .getattr(intern!(py, "__oxidyn_path__"))?
        .cast_into::<PyTuple>()?;
    let own = plan.model(py);
    // Two spellings of one generic alias (`Event[int]`) are equal, and not always the same object.
    if !model.is(own) && !model.eq(own)? && !related(&model, own)? {
        return Err(refuse(
            py,
            format!(
                "{} is a field of another model: this table stores {}.",
                name(reference),
                plan.title()
            ),
        ));
    }
    plan.target(py, &path)
}

/// A table of a subclass takes conditions told on its base, and the other way round.
fn related(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<bool> {
    match (a.cast::<PyType>(), b.cast::<PyType>()) {
        (Ok(a), Ok(b)) => {
            let (a_bases, b_bases) = (a.mro(), b.mro());
            Ok(a_bases.contains(b)? || b_bases.contains(a)?)
        }
        _ => Ok(false),
    }
}

/// How the reference is spelled: `User.address.city`.
fn name(reference: &Bound<'_, PyAny>) -> String {
    reference
        .repr()
        .map_or_else(|_| "the field".to_owned(), |text| text.to_string())
}

fn refuse(py: Python<'_>, message: String) -> PyErr {
    exceptions::plain(py, "InvalidExpression", message)
}
