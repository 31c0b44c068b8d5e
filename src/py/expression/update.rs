//! Actions of updates.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PySet, PyTuple};

use super::subject::Field;
use super::{Node, refuse, source};
use crate::codec::{Plan, Purpose, Target};
use crate::expr::ast::{Action, Source, Value};
use crate::expr::update;
use crate::wire::Tag;

/// The actions of one update.
pub fn actions(plan: &Plan, actions: &Bound<'_, PyTuple>) -> PyResult<Vec<Action>> {
    let py = actions.py();
    let changes = actions
        .iter()
        .map(|action| Change::of(plan, &action))
        .collect::<PyResult<Vec<_>>>()?;
    let values = validated(py, &changes)?;
    let read = changes
        .iter()
        .zip(values)
        .map(|(change, value)| change.action(plan, value))
        .collect::<PyResult<Vec<_>>>()?;
    let name_of = |place: usize| changes[place].field.name();
    update::check_overlaps(&read, name_of).map_err(|error| refuse(py, format!("{error}.")))?;
    Ok(read)
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Set,
    Add,
    Delete,
    Append,
    Prepend,
    Remove,
}

impl Verb {
    fn of(node: &Node<'_>) -> PyResult<Self> {
        let verb = node.operator()?;
        Ok(match verb.to_str()? {
            "set" => Self::Set,
            "add" => Self::Add,
            "delete" => Self::Delete,
            "append" => Self::Append,
            "prepend" => Self::Prepend,
            "remove" => Self::Remove,
            other => return Err(refuse(verb.py(), format!("{other} is not an action."))),
        })
    }
}

/// What is done to one field.
struct Change<'py> {
    verb: Verb,
    field: Field<'py>,
    node: Node<'py>,
}

impl<'py> Change<'py> {
    fn of(plan: &Plan, action: &Bound<'py, PyAny>) -> PyResult<Self> {
        let node = Node::of(action)?;
        let field = Field::of(plan, &node.operand(1)?)?;
        if plan.key_spec().is_table_key(&field.target.path) {
            return Err(refuse(
                action.py(),
                format!(
                    "{} is part of the table's key, which no update can change: delete the item and put a new one.",
                    field.name()
                ),
            ));
        }
        Ok(Self {
            verb: Verb::of(&node)?,
            field,
            node,
        })
    }

    /// The value that a `set` gives the field, where it is one.
    fn value(&self) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.verb != Verb::Set {
            return Ok(None);
        }
        let value = self.node.operand(2)?;
        Ok((!source::is_stored(&value)?).then_some(value))
    }

    /// `value` is what a `set` gives the field, validated.
    fn action(&self, plan: &Plan, value: Option<Bound<'py, PyAny>>) -> PyResult<Action> {
        let (field, target) = (&self.field, &self.field.target);
        let py = field.reference.py();
        let path = target.path.clone();
        if let Some(value) = value {
            return Ok(match target.write_update(&value)? {
                Some(value) => Action::Set(path, value.into()),
                None => Action::Remove(path),
            });
        }
        let operand = || self.node.operand(2);
        Ok(match self.verb {
            Verb::Set => Action::Set(path, source::source(plan, field, &operand()?)?),
            Verb::Add => Action::Add(path, addend(field, &operand()?)?),
            Verb::Delete => Action::Delete(path, deleted(field, &operand()?)?),
            Verb::Append => {
                let (list, items) = lists(plan, field, &operand()?)?;
                Action::Set(path, Source::Appended(list, items))
            }
            Verb::Prepend => {
                let (list, items) = lists(plan, field, &operand()?)?;
                Action::Set(path, Source::Appended(items, list))
            }
            Verb::Remove if target.is_required() => {
                return Err(refuse(
                    py,
                    format!(
                        "{} cannot be removed: the model requires it, and every later read would refuse the item. Give \
                         the field a default, or set() it to another value.",
                        field.name()
                    ),
                ));
            }
            Verb::Remove => Action::Remove(path),
        })
    }
}

/// The values that fields are set to, each validated by its own field. As in Pydantic, a validator that takes `info` sees
/// the fields before its own, those of this update.
fn validated<'py>(py: Python<'py>, changes: &[Change<'py>]) -> PyResult<Vec<Option<Bound<'py, PyAny>>>> {
    let mut values = Vec::with_capacity(changes.len());
    let mut takes_info = false;
    for change in changes {
        let value = change.value()?;
        takes_info |= value.is_some() && change.field.target.takes_info(py)?;
        values.push(value);
    }
    if !takes_info {
        for (change, value) in changes.iter().zip(&mut values) {
            if let Some(value) = value {
                *value = change.field.target.validate_update(value, None)?;
            }
        }
        return Ok(values);
    }
    let mut order: Vec<usize> = (0..changes.len()).collect();
    order.sort_by_key(|&change| changes[change].field.target.place());
    for change in order {
        let Some(value) = &values[change] else { continue };
        let target = &changes[change].field.target;
        let others = before(py, target, changes, &values)?;
        values[change] = Some(target.validate_update(value, Some(&others))?);
    }
    Ok(values)
}

/// The values of the fields before this one, of the same model.
fn before<'py>(
    py: Python<'py>,
    target: &Target,
    changes: &[Change<'py>],
    values: &[Option<Bound<'py, PyAny>>],
) -> PyResult<Bound<'py, PyDict>> {
    let before = PyDict::new(py);
    for (change, value) in changes.iter().zip(values) {
        let other = &change.field.target;
        let (Some(value), Some(name)) = (value, other.name(py)) else {
            continue;
        };
        if other.place() < target.place() && are_equal(py, other.parents(), target.parents())? {
            before.set_item(name, value)?;
        }
    }
    Ok(before)
}

fn are_equal(py: Python<'_>, a: &[Py<PyAny>], b: &[Py<PyAny>]) -> PyResult<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b) {
        if !a.bind(py).eq(b)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// DynamoDB adds numbers to numbers and elements to sets, nothing else.
fn addend(field: &Field<'_>, step: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = step.py();
    if is_empty_set(step)? {
        return Err(nothing_to_do(py, "add to", field));
    }
    let value = field.target.encode(step, Purpose::Range)?;
    let fits = match value.tag {
        Tag::N => field.target.is_number(),
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
            field.name()
        ),
    ))
}

/// The members to take out of a set.
fn deleted(field: &Field<'_>, members: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = members.py();
    if !field.target.is_set() {
        return Err(refuse(
            py,
            format!(
                "delete takes members out of sets of text, numbers or bytes, and {} is none: use set() or remove().",
                field.name()
            ),
        ));
    }
    if !field.target.may_run_empty() {
        return Err(refuse(
            py,
            format!(
                "delete from {}: DynamoDB removes a set with its last member, and the field's default, which is not empty, \
                 would come back: use set().",
                field.name()
            ),
        ));
    }
    if is_empty_set(members)? {
        return Err(nothing_to_do(py, "delete from", field));
    }
    let value = field.target.encode(members, Purpose::Range)?;
    match value.tag {
        Tag::SS | Tag::NS | Tag::BS => Ok(value),
        // None, where the field may be that.
        _ => Err(refuse(
            py,
            format!("delete from {} expected a set of its members.", field.name()),
        )),
    }
}

/// The list that is stored, or that stands for none, and the one of the new items.
fn lists(plan: &Plan, field: &Field<'_>, items: &Bound<'_, PyAny>) -> PyResult<(Box<Source>, Box<Source>)> {
    let py = items.py();
    if !field.target.is_list() {
        return Err(refuse(
            py,
            format!(
                "append and prepend work on lists whose items are of one type, and {} is none: use set().",
                field.name()
            ),
        ));
    }
    let items = field.element(plan)?.encode_elements(items.cast()?)?;
    let absent = field.target.absent_list(py)?;
    let stored = Source::IfNotExists(field.target.path.clone(), Box::new(absent.into()));
    Ok((Box::new(stored), Box::new(items.into())))
}

fn is_empty_set(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_set = value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>();
    Ok(is_set && value.len()? == 0)
}

#[cold]
fn nothing_to_do(py: Python<'_>, what: &str, field: &Field<'_>) -> PyErr {
    refuse(
        py,
        format!("{what} {}: the set is empty, so there is nothing to do.", field.name()),
    )
}
