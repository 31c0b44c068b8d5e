//! A reference's path, resolved: where it lies by stored names, and how the values of conditions and updates are written
//! there.
//!
//! | file | what it holds |
//! |---|---|
//! | `resolve` | from a path of names, keys and indexes to the place in the plan |

mod resolve;

use std::borrow::Cow;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyInt, PyTuple};

pub use resolve::{Waypoint, resolve, resolve_with, waypoints};

use super::definitions::Definitions;
use super::form::{self, Quantity};
use super::infer;
use super::key_form::{self, Role};
use super::node::Node;
use super::options::PlanOptions;
use super::own::Own;
use super::python;
use super::state::{Decoding, Encoding, Outcome, Refusal, Step};
use super::tags::Tags;
use crate::expr::ast::{Grid, Path, Value};
use crate::wire::Tag;
use crate::wire::reader::Reader;

/// What a value is for, and so what it must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `==` and `is_in`: lax conversion and the field's own validation.
    Equality,
    /// Order, `begins_with`, `add`: conversion only, since a bound need not be a value that the field could hold.
    Range,
    /// `set`: the field's own validation, as its schema says.
    Update,
}

/// What None means for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoneRule {
    /// It is left out.
    Absent,
    /// It is stored as NULL.
    Null,
    /// The field may not be None.
    Refused,
}

/// Of what lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// One element of the list or set, whichever it is.
    Element,
}

/// What stands for a field that is not stored.
enum Default {
    Value(Py<PyAny>),
    Factory(Py<PyAny>),
}

pub struct Target {
    pub path: Path,
    title: String,
    /// The path in Python's names, for errors.
    steps: Box<[Py<PyAny>]>,
    /// The lists and maps on the way to it.
    levels: usize,
    /// Its place among its model's fields, where it is one.
    place: Option<usize>,
    node: Node,
    /// The same for order comparisons, which refuse what does not sort.
    ordered: Node,
    definitions: Definitions,
    own: Box<Own>,
    /// The type without its constraints.
    convert: Box<Own>,
    role: Role,
    none: NoneRule,
    omits_empty: bool,
    is_required: bool,
    grid: Grid,
    form: Option<Cow<'static, str>>,
    default: Option<Default>,
}

impl Target {
    /// A value in its wire form. InvalidItem where the field refuses it, InvalidExpression where the field cannot be
    /// compared that way.
    pub fn encode(&self, value: &Bound<'_, PyAny>, purpose: Purpose) -> PyResult<Value> {
        let py = value.py();
        let encoded = self.validated(value, purpose, None);
        let encoded = encoded.and_then(|value| self.write(&value, purpose));
        let encoded = encoded.map_err(|refusal| self.refused(py, refusal, None))?;
        if purpose == Purpose::Range {
            self.check_range(py, encoded.tag)?;
        }
        Ok(encoded)
    }

    /// The value of a `set` as the field holds it. Validators that take `info` see the `others` of the same update.
    pub fn validate_update<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        others: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if value.is_none() && self.none == NoneRule::Absent {
            return Ok(value.clone());
        }
        let validated = self.validated(value, Purpose::Update, others);
        validated.map_err(|refusal| self.refused(value.py(), refusal, None))
    }

    /// What was validated in its wire form, or `None` where the field's rule leaves it out: None and the empty set, where
    /// absent gives them back.
    pub fn write_update(&self, value: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
        if value.is_none() && self.none == NoneRule::Absent || self.leaves_out(value) {
            return Ok(None);
        }
        let written = self.write(value, Purpose::Update);
        written
            .map(Some)
            .map_err(|refusal| self.refused(value.py(), refusal, None))
    }

    /// Elements of the list as the list that they make: this is the target of one.
    pub fn encode_elements(&self, elements: &Bound<'_, PyTuple>) -> PyResult<Value> {
        let mut wire = Vec::with_capacity(16 + 32 * elements.len());
        wire.extend_from_slice(br#"{"L":["#);
        for (place, element) in elements.iter().enumerate() {
            if place > 0 {
                wire.push(b',');
            }
            let written = self.validated(&element, Purpose::Update, None);
            let written = written.and_then(|element| self.write(&element, Purpose::Update));
            let written = written.map_err(|refusal| self.refused(elements.py(), refusal, Some(place)))?;
            wire.extend_from_slice(&written.wire);
        }
        wire.extend_from_slice(b"]}");
        Ok(list(wire))
    }

    /// The list that is there where none is stored: the field's default, or none.
    pub fn absent_list(&self, py: Python<'_>) -> PyResult<Value> {
        let default = match &self.default {
            Some(Default::Value(value)) => value.bind(py).clone(),
            Some(Default::Factory(factory)) => factory.bind(py).call0()?,
            None => py.None().into_bound(py),
        };
        if default.is_none() {
            return Ok(list(br#"{"L":[]}"#.to_vec()));
        }
        self.write(&default, Purpose::Update)
            .map_err(|refusal| self.refused(py, refusal, None))
    }

    /// What `set(None)` means.
    pub fn none_rule(&self) -> NoneRule {
        self.none
    }

    /// Whether the field leaves the empty set out, because absent gives it back.
    pub fn omits_empty(&self) -> bool {
        self.omits_empty
    }

    /// Whether a read without it is refused.
    pub fn is_required(&self) -> bool {
        self.is_required
    }

    /// Whether the value is an empty set that the field leaves out.
    pub fn leaves_out(&self, value: &Bound<'_, PyAny>) -> bool {
        self.omits_empty && infer::is_empty_set(value)
    }

    /// Whether the set's absence, after its last member is deleted, is read as no members: as the empty set, as None, or
    /// not at all where it lies in a map or list.
    pub fn may_run_empty(&self) -> bool {
        self.omits_empty || self.none == NoneRule::Absent || self.place.is_none()
    }

    /// Whether the field holds text or bytes as they are: a prefix of a date or a UUID is none itself.
    pub fn has_prefixes(&self) -> bool {
        matches!(
            self.node.innermost(),
            Node::Str(_) | Node::Bytes(_) | Node::Enum(_) | Node::Literal(_)
        )
    }

    /// Whether the field is stored as N.
    pub fn is_number(&self) -> bool {
        self.tags().only() == Some(Tag::N)
    }

    /// Whether it is stored as a set of DynamoDB's.
    pub fn is_set(&self) -> bool {
        matches!(self.node.innermost(), Node::Set(set) if set.is_native())
    }

    /// Whether it is a list to which elements of one type can be added.
    pub fn is_list(&self) -> bool {
        match self.node.innermost() {
            Node::List(_) | Node::Any(_) => true,
            Node::Tuple(tuple) => tuple.repeated().is_some(),
            _ => false,
        }
    }

    /// Whether it is a list or set, or may be.
    pub fn has_elements(&self) -> bool {
        self.is_list() || matches!(self.node.innermost(), Node::Set(_))
    }

    /// Whether it holds one of a few values: an enum's, or a literal's.
    pub fn is_choice(&self) -> bool {
        matches!(self.node.innermost(), Node::Enum(_) | Node::Literal(_))
    }

    pub fn has_size(&self) -> bool {
        form::has_size(&self.node)
    }

    /// What the numbers stored there count.
    pub fn quantity(&self) -> Option<Quantity> {
        Quantity::of(&self.node)
    }

    /// The wire types of what is stored there, NULL aside.
    pub fn tags(&self) -> Tags {
        self.node.tags().without(Tag::Null)
    }

    /// How values are stored, in words, where their wire type does not tell.
    pub fn form(&self) -> Option<&str> {
        self.form.as_deref()
    }

    /// Whether stored values have an order, and that of the values themselves.
    pub fn has_order(&self) -> bool {
        let tags = self.tags();
        let ordered = [Tag::S, Tag::N, Tag::B].into_iter().any(|tag| tags.has(tag));
        ordered && self.node.sorts() && self.node.disorder().is_none()
    }

    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Read a stored value, with its head and its end.
    pub fn decode<'py>(
        &self,
        py: Python<'py>,
        options: &PlanOptions,
        reader: &mut Reader<'_>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let mut state = Decoding::new(py, &self.definitions, options);
        state.depth = self.levels;
        reader.peek();
        let start = reader.position();
        let value = self.node.decode_value(reader, &mut state)?;
        if self.role != Role::None {
            let stored = &reader.bytes()[start..reader.position()];
            if !self.node.writes_again(stored) {
                key_form::check_stored(stored, &self.node, &value, &state)?;
            }
        }
        Ok(value)
    }

    /// The names, keys and indexes on the way from the step of this number on.
    pub fn steps_from<'a, 'py>(&'a self, py: Python<'py>, step: usize) -> impl Iterator<Item = Bound<'py, PyAny>> + 'a
    where
        'py: 'a,
    {
        self.steps[step..].iter().map(move |step| step.bind(py).clone())
    }

    /// Whether a validator asks for the other fields.
    pub fn takes_info(&self, py: Python<'_>) -> PyResult<bool> {
        self.own.takes_info(py)
    }

    /// Its place among its model's fields.
    pub fn place(&self) -> Option<usize> {
        self.place
    }

    /// The names, keys and indexes on the way to it, without its own.
    pub fn parents(&self) -> &[Py<PyAny>] {
        self.steps.split_last().map_or(&[], |(_, parents)| parents)
    }

    /// Its own name.
    pub fn name<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyAny>> {
        self.steps.last().map(|name| name.bind(py))
    }

    /// Visit every Python object that it holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.steps.iter().try_for_each(|step| visit.call(step))?;
        if let Some(Default::Value(object) | Default::Factory(object)) = &self.default {
            visit.call(object)?;
        }
        self.node.traverse(visit)?;
        self.ordered.traverse(visit)?;
        self.definitions.traverse(visit)?;
        self.own.traverse(visit)?;
        self.convert.traverse(visit)
    }

    fn validated<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        purpose: Purpose,
        others: Option<&Bound<'py, PyDict>>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let (node, own) = match purpose {
            Purpose::Range => (&self.ordered, &self.convert),
            Purpose::Equality | Purpose::Update => (&self.node, &self.own),
        };
        let field = self.name(value.py());
        validated(node, own, value, purpose != Purpose::Update, (field, others))
    }

    fn write(&self, value: &Bound<'_, PyAny>, purpose: Purpose) -> Outcome<Value> {
        let node = match purpose {
            Purpose::Range => &self.ordered,
            Purpose::Equality | Purpose::Update => &self.node,
        };
        let mut wire = Vec::with_capacity(32);
        node.encode(
            value,
            &mut Encoding {
                out: &mut wire,
                definitions: &self.definitions,
                depth: self.levels,
            },
        )?;
        match (self.role, purpose) {
            (Role::None, _) => {}
            // A bound need not be a key itself, but DynamoDB asks it to be short all the same.
            (role, Purpose::Range) => key_form::check_length(&wire, role)?,
            (role, Purpose::Equality | Purpose::Update) => key_form::check_written(&wire, role)?,
        }
        let tag = Reader::new(&wire).tag()?;
        Ok(Value {
            tag,
            wire: wire.into(),
            grid: self.grid,
        })
    }

    /// A refusal of what lies there.
    #[cold]
    pub fn located(&self, py: Python<'_>, refusal: Box<Refusal>) -> Box<Refusal> {
        let steps = self.steps.iter().rev();
        steps.fold(refusal, |refusal, step| {
            refusal.under(|| Step::Name(step.clone_ref(py)))
        })
    }

    /// The exception for a refused value, or for a refused one of several.
    #[cold]
    fn refused(&self, py: Python<'_>, mut refusal: Box<Refusal>, place: Option<usize>) -> PyErr {
        if let Some(place) = place {
            refusal = refusal.under(|| Step::Index(place));
        }
        self.located(py, refusal).into_error(py, &self.title)
    }

    fn check_range(&self, py: Python<'_>, tag: Tag) -> PyResult<()> {
        let reason = match tag {
            Tag::Bool | Tag::Null | Tag::M | Tag::L => {
                "it is stored as {tag}, which has no order and cannot be added to"
            }
            Tag::S if !self.node.sorts() => {
                "a datetime that keeps its offset (utc=False) does not sort as the instants do"
            }
            _ => match self.node.disorder() {
                Some(reason) => reason,
                None => return Ok(()),
            },
        };
        let mut spelled = self.title.clone();
        for step in &self.steps {
            spell(&mut spelled, step.bind(py));
        }
        let reason = reason.replace("{tag}", tag.name());
        Err(invalid_expression(py, &format!("{spelled}: {reason}")))
    }
}

fn list(wire: Vec<u8>) -> Value {
    Value {
        tag: Tag::L,
        wire: wire.into(),
        grid: Grid::Dense,
    }
}

/// The value as the field would hold it; what already is such a value is not asked about. `field` and `others` are what
/// validators that take `info` learn.
pub fn validated<'py>(
    node: &Node,
    own: &Own,
    value: &Bound<'py, PyAny>,
    lax: bool,
    (field, others): (Option<&Bound<'py, PyAny>>, Option<&Bound<'py, PyDict>>),
) -> Outcome<Bound<'py, PyAny>> {
    if node.holds(value) {
        return Ok(value.clone());
    }
    own.validate_among(value, lax, (field, others)).map_err(|refusal| {
        if node.hides() {
            refusal.without_values()
        } else {
            refusal
        }
    })
}

/// Append a step as Python spells it.
fn spell(spelled: &mut String, step: &Bound<'_, PyAny>) {
    if step.is_instance_of::<PyInt>() {
        spelled.push('[');
        spelled.push_str(&step.to_string());
        spelled.push(']');
    } else {
        spelled.push('.');
        spelled.push_str(&step.to_string());
    }
}

#[cold]
fn invalid_expression(py: Python<'_>, message: &str) -> PyErr {
    python::invalid_expression(py)
        .and_then(|class| class.call1((format!("{message}."),)))
        .map_or_else(|error| error, PyErr::from_value)
}
