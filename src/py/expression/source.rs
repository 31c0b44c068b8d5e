//! What a `set` writes where it is no value: a field, what stands for one that is not stored, a sum.
//!
//! Nobody validates what is stored, so the form must be one that the field reads: numbers of the same kind, the same wire
//! types.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyDeltaAccess};

use super::comparison::form_difference;
use super::subject::{Field, computed_class, reference_class};
use super::{Node, name, refuse};
use crate::codec::{Epoch, NoneRule, Plan, Purpose, Quantity, Target};
use crate::expr::ast::{Grid, Source, Value};
use crate::limits;
use crate::wire::{Tag, temporal};

/// Whether it stands for something stored, and is no value itself.
pub(super) fn is_stored(operand: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = operand.py();
    Ok(operand.is_exact_instance(reference_class(py)?) || operand.is_exact_instance(computed_class(py)?))
}

/// What `field` is set to.
pub(super) fn source(plan: &Plan, field: &Field<'_>, operand: &Bound<'_, PyAny>) -> PyResult<Source> {
    chosen(plan, field, operand, 0)
}

/// A field, or the first of several that is stored; a sum.
fn chosen(plan: &Plan, into: &Field<'_>, operand: &Bound<'_, PyAny>, depth: usize) -> PyResult<Source> {
    let py = operand.py();
    if operand.is_exact_instance(reference_class(py)?) {
        let from = Field::of(plan, operand)?;
        check_fits(py, into, &from)?;
        return Ok(Source::Path(from.target.path.clone()));
    }
    if !operand.is_exact_instance(computed_class(py)?) {
        return into.target.encode(operand, Purpose::Update).map(Source::Value);
    }
    let node = Node::of(operand)?;
    if node.operator()?.to_str()? == "if_not_exists" {
        check_depth(py, depth)?;
        let from = Field::of(plan, &node.operand(1)?)?;
        check_fits(py, into, &from)?;
        let other = node.operand(2)?;
        check_no_sum(&other)?;
        let other = chosen(plan, into, &other, depth + 1)?;
        return Ok(Source::IfNotExists(from.target.path.clone(), Box::new(other)));
    }
    let sum = Sum::of_node(plan, &node, depth)?;
    let fits = into.target.quantity().is_some_and(|into| fits(sum.quantity, into));
    if fits {
        return Ok(sum.source);
    }
    Err(refuse(
        py,
        format!(
            "{} cannot be set to {}: that is {}, and the field holds {}.",
            into.name(),
            name(operand),
            sum.quantity.noun(),
            held(&into.target)
        ),
    ))
}

/// What is computed, and what it counts.
struct Sum {
    source: Source,
    quantity: Quantity,
    /// By which values beside it are written.
    target: Arc<Target>,
}

impl Sum {
    /// None for a value.
    fn of(plan: &Plan, operand: &Bound<'_, PyAny>, depth: usize) -> PyResult<Option<Self>> {
        let py = operand.py();
        if operand.is_exact_instance(reference_class(py)?) {
            let field = Field::of(plan, operand)?;
            return Ok(Some(Self {
                source: Source::Path(field.target.path.clone()),
                quantity: quantity(py, &field)?,
                target: field.target,
            }));
        }
        if !operand.is_exact_instance(computed_class(py)?) {
            return Ok(None);
        }
        Self::of_node(plan, &Node::of(operand)?, depth).map(Some)
    }

    fn of_node(plan: &Plan, node: &Node<'_>, depth: usize) -> PyResult<Self> {
        let operator = node.operator()?;
        let py = operator.py();
        check_depth(py, depth)?;
        let (left, right) = (node.operand(1)?, node.operand(2)?);
        let is_plus = match operator.to_str()? {
            "if_not_exists" => return Self::if_not_exists(plan, &left, &right, depth),
            operator => operator == "+",
        };
        let make = |left, right| {
            if is_plus {
                Source::Plus(Box::new(left), Box::new(right))
            } else {
                Source::Minus(Box::new(left), Box::new(right))
            }
        };
        let refused = || {
            refuse(
                py,
                format!(
                    "{} {operator} {} cannot be computed: DynamoDB adds numbers to numbers, durations to durations, and \
                     durations to datetimes that are stored as seconds (Epoch).",
                    shown(&left),
                    shown(&right)
                ),
            )
        };
        match (Self::of(plan, &left, depth + 1)?, Self::of(plan, &right, depth + 1)?) {
            (Some(a), Some(b)) => Ok(Self {
                quantity: combined(a.quantity, is_plus, b.quantity).ok_or_else(refused)?,
                source: make(a.source, b.source),
                target: a.target,
            }),
            (Some(a), None) => {
                let (value, counts) = a.beside(&right)?;
                Ok(Self {
                    quantity: combined(a.quantity, is_plus, counts).ok_or_else(refused)?,
                    source: make(a.source, value.into()),
                    target: a.target,
                })
            }
            (None, Some(b)) => {
                let (value, counts) = b.beside(&left)?;
                Ok(Self {
                    quantity: combined(counts, is_plus, b.quantity).ok_or_else(refused)?,
                    source: make(value.into(), b.source),
                    target: b.target,
                })
            }
            (None, None) => Err(refused()),
        }
    }

    fn if_not_exists(
        plan: &Plan,
        reference: &Bound<'_, PyAny>,
        other: &Bound<'_, PyAny>,
        depth: usize,
    ) -> PyResult<Self> {
        let py = reference.py();
        let field = Field::of(plan, reference)?;
        let quantity = quantity(py, &field)?;
        check_no_sum(other)?;
        let (other, counts) = match Self::of(plan, other, depth + 1)? {
            Some(other) => (other.source, other.quantity),
            // It need not be a value that the field could hold: something is added to it.
            None => (field.target.encode(other, Purpose::Range)?.into(), quantity),
        };
        if !fits(counts, quantity) {
            return Err(refuse(
                py,
                format!(
                    "{} counts {}, and what stands for it where it is not stored counts {}.",
                    field.name(),
                    quantity.noun(),
                    counts.noun()
                ),
            ));
        }
        Ok(Self {
            source: Source::IfNotExists(field.target.path.clone(), Box::new(other)),
            quantity,
            target: field.target,
        })
    }

    /// A value that is added or subtracted, and what it counts.
    fn beside(&self, value: &Bound<'_, PyAny>) -> PyResult<(Value, Quantity)> {
        if let (Quantity::Instant(epoch), Ok(delta)) = (self.quantity, value.cast::<PyDelta>()) {
            return Ok((duration(delta, epoch)?, Quantity::Duration));
        }
        let value = self.target.encode(value, Purpose::Range)?;
        Ok((value, self.quantity))
    }
}

/// What the sum or difference counts.
fn combined(left: Quantity, is_plus: bool, right: Quantity) -> Option<Quantity> {
    use Quantity::{Duration, Instant, Number, Whole};
    match (left, right) {
        (Whole, Whole) => Some(Whole),
        (Whole | Number, Whole | Number) => Some(Number),
        (Duration, Duration) => Some(Duration),
        (Instant(epoch), Duration) => Some(Instant(epoch)),
        (Duration, Instant(epoch)) if is_plus => Some(Instant(epoch)),
        (Instant(Epoch::Seconds | Epoch::Ttl), Instant(Epoch::Seconds | Epoch::Ttl)) if !is_plus => Some(Duration),
        _ => None,
    }
}

/// Whether every such number is one of the field's.
fn fits(found: Quantity, into: Quantity) -> bool {
    use Quantity::{Instant, Number, Whole};
    found == into
        || matches!(
            (found, into),
            (Whole, Number) | (Instant(Epoch::Ttl), Instant(Epoch::Seconds))
        )
}

/// A duration in the unit of a datetime that it is added to.
fn duration(delta: &Bound<'_, PyDelta>, epoch: Epoch) -> PyResult<Value> {
    const MICROS_PER_SECOND: i128 = 1_000_000;
    let seconds = i128::from(delta.get_days()) * 86_400 + i128::from(delta.get_seconds());
    let micros = seconds * MICROS_PER_SECOND + i128::from(delta.get_microseconds());
    let (unit, expected) = match epoch {
        Epoch::Seconds => (1, ""),
        Epoch::Milliseconds => (1000, "milliseconds"),
        Epoch::Ttl => (MICROS_PER_SECOND, "seconds"),
    };
    if micros % unit != 0 {
        return Err(refuse(
            delta.py(),
            format!(
                "expected whole {expected}, as the field is stored, found a part of one: round the duration first."
            ),
        ));
    }
    let mut wire = b"{\"N\":\"".to_vec();
    match epoch {
        Epoch::Seconds => temporal::push_seconds(&mut wire, micros),
        Epoch::Milliseconds | Epoch::Ttl => wire.extend_from_slice((micros / unit).to_string().as_bytes()),
    }
    wire.extend_from_slice(b"\"}");
    Ok(Value {
        tag: Tag::N,
        wire: wire.into(),
        grid: Grid::Dense,
    })
}

fn quantity(py: Python<'_>, field: &Field<'_>) -> PyResult<Quantity> {
    let target = &field.target;
    target.quantity().ok_or_else(|| {
        let instead = if target.is_list() {
            ": use append() or prepend()"
        } else if target.is_set() {
            ": use add() or delete()"
        } else {
            ""
        };
        refuse(
            py,
            format!(
                "DynamoDB computes with numbers, and {} holds {}{instead}.",
                field.name(),
                held(target)
            ),
        )
    })
}

/// What a field holds, in words.
fn held(target: &Target) -> String {
    if let Some(quantity) = target.quantity() {
        return quantity.noun().to_owned();
    }
    match (target.form(), target.tags().only()) {
        (Some(form), _) => format!("{form}, which are no numbers as they are stored"),
        (None, Some(tag)) => format!("values that are stored as {}", tag.name()),
        (None, None) => "values of several types".to_owned(),
    }
}

/// Refuse to copy what the field could not read.
fn check_fits(py: Python<'_>, into: &Field<'_>, from: &Field<'_>) -> PyResult<()> {
    if into.target.path == from.target.path {
        return Ok(());
    }
    let (to, of) = (&into.target, &from.target);
    let stranger = Tag::ALL
        .into_iter()
        .find(|&tag| of.tags().has(tag) && !to.tags().has(tag));
    let reason = if let Some(tag) = stranger {
        format!(
            "{} may be stored as {}, which {} is not",
            from.name(),
            tag.name(),
            into.name()
        )
    } else if let Some(difference) = form_difference(to, of) {
        difference
    } else if let (Some(counted), Some(counts)) = (of.quantity(), to.quantity())
        && !fits(counted, counts)
    {
        format!("the one holds {}, the other {}", counts.noun(), counted.noun())
    } else if to.is_choice() && !of.is_choice() {
        format!("{} holds only some of the values that {} may", into.name(), from.name())
    } else if of.none_rule() == NoneRule::Null && to.none_rule() == NoneRule::Refused {
        format!("{} may be None, and {} may not", from.name(), into.name())
    } else {
        return Ok(());
    };
    Err(refuse(
        py,
        format!("{} cannot be set to {}: {reason}.", into.name(), from.name()),
    ))
}

/// DynamoDB takes no sum as an argument.
fn check_no_sum(operand: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = operand.py();
    if !operand.is_exact_instance(computed_class(py)?) || Node::of(operand)?.operator()?.to_str()? == "if_not_exists" {
        return Ok(());
    }
    Err(refuse(
        py,
        format!(
            "if_not_exists takes a value or a field, found {}: DynamoDB computes outside of it.",
            name(operand)
        ),
    ))
}

/// Each level is an operator, so DynamoDB would refuse what would exhaust the stack here.
fn check_depth(py: Python<'_>, depth: usize) -> PyResult<()> {
    if depth <= limits::EXPRESSION_OPERATORS {
        return Ok(());
    }
    Err(refuse(
        py,
        format!(
            "the value of a set nests more than {} operators, which DynamoDB refuses.",
            limits::EXPRESSION_OPERATORS
        ),
    ))
}

/// A side of a sum without its value.
fn shown(operand: &Bound<'_, PyAny>) -> String {
    match is_stored(operand) {
        Ok(true) => name(operand),
        _ => "…".to_owned(),
    }
}
