//! A reference's path, resolved: where it lies by stored names, and how the values of conditions and updates are written
//! there.

use std::sync::Arc;

use bytes::Bytes;
use pyo3::PyTraverseError;
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};

use super::builder::Builder;
use super::definitions::Definitions;
use super::infer;
use super::key_form::{self, Role};
use super::node::Node;
use super::nodes::function::is_transparent;
use super::nodes::model::{Field, Model};
use super::nodes::{named_tuple, standard};
use super::own::Own;
use super::plan::Plan;
use super::python;
use super::schema::SchemaDict;
use super::state::{Encoding, Outcome, Step};
use crate::expr::ast::{Grid, Path, Segment, Value};
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

pub struct Target {
    pub path: Path,
    title: String,
    /// The path in Python's names, for errors.
    steps: Box<[Py<PyAny>]>,
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
    grid: Grid,
}

impl Target {
    /// A value in its wire form. InvalidItem where the field refuses it, InvalidExpression where the field cannot be
    /// compared that way.
    pub fn encode(&self, value: &Bound<'_, PyAny>, purpose: Purpose) -> PyResult<Value> {
        let py = value.py();
        let encoded = self.encode_value(value, purpose).map_err(|mut refusal| {
            for step in self.steps.iter().rev() {
                refusal = refusal.under(|| Step::Name(step.clone_ref(py)));
            }
            refusal.into_error(py, &self.title)
        })?;
        if purpose == Purpose::Range {
            self.check_range(py, encoded.tag)?;
        }
        Ok(encoded)
    }

    /// The value of a `set`, or `None` where the field's rule leaves the value out: None and the empty set, where absent
    /// gives them back.
    pub fn encode_update(&self, value: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
        if value.is_none() && self.none == NoneRule::Absent || self.leaves_out(value) {
            return Ok(None);
        }
        self.encode(value, Purpose::Update).map(Some)
    }

    /// What `set(None)` means.
    pub fn none_rule(&self) -> NoneRule {
        self.none
    }

    /// Whether the value is an empty set that the field leaves out, because absent gives it back.
    pub fn leaves_out(&self, value: &Bound<'_, PyAny>) -> bool {
        self.omits_empty && infer::is_empty_set(value)
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
        self.node.tags().without(Tag::Null).only() == Some(Tag::N)
    }

    /// Visit every Python object that it holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.steps.iter().try_for_each(|step| visit.call(step))?;
        self.node.traverse(visit)?;
        self.ordered.traverse(visit)?;
        self.definitions.traverse(visit)?;
        self.own.traverse(visit)?;
        self.convert.traverse(visit)
    }

    fn encode_value(&self, value: &Bound<'_, PyAny>, purpose: Purpose) -> Outcome<Value> {
        let (node, value) = match purpose {
            Purpose::Range => (&self.ordered, validated(&self.ordered, &self.convert, value, true)?),
            Purpose::Equality => (&self.node, validated(&self.node, &self.own, value, true)?),
            Purpose::Update => (&self.node, validated(&self.node, &self.own, value, false)?),
        };
        let mut wire = Vec::with_capacity(32);
        node.encode(
            &value,
            &mut Encoding {
                out: &mut wire,
                definitions: &self.definitions,
                // The lists and maps on the way to it.
                depth: self.path.0.len() - 1,
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
            wire: Bytes::from(wire),
            grid: self.grid,
        })
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
        let path = self
            .steps
            .iter()
            .map(|step| step.bind(py).to_string())
            .collect::<Vec<_>>()
            .join(".");
        Err(invalid_expression(
            py,
            &format!("{}.{path}: {}", self.title, reason.replace("{tag}", tag.name())),
        ))
    }
}

/// The value as the field would hold it; what already is such a value is not asked about.
pub fn validated<'py>(node: &Node, own: &Own, value: &Bound<'py, PyAny>, lax: bool) -> Outcome<Bound<'py, PyAny>> {
    if node.holds(value) {
        return Ok(value.clone());
    }
    own.validate(value, lax).or_else(|refusal| {
        let py = value.py();
        // A validator that takes `info` may look for the other fields. They are not known here, so it is skipped.
        let lacks_data = refusal.raised().is_some_and(|error| {
            error.is_instance_of::<PyTypeError>(py) || error.is_instance_of::<PyAttributeError>(py)
        });
        if lacks_data && own.takes_info(py)? {
            return own.without_constraints(py)?.validate(value, lax);
        }
        Err(if node.hides() {
            refusal.without_values()
        } else {
            refusal
        })
    })
}

fn grid(node: &Node) -> Grid {
    match node.innermost() {
        Node::Int(_) => Grid::Integer,
        Node::Date(_) => Grid::Date,
        Node::DateTime(node) => node.grid(),
        _ => Grid::Dense,
    }
}

/// Where a path has come to: the node there, its schema, and what that is compiled with.
struct Place<'a, 'py> {
    node: &'a Node,
    schema: Bound<'py, PyDict>,
    config: Option<Bound<'py, PyDict>>,
    field: Option<&'a Field>,
}

/// Resolve a path of field names, keys and indexes.
pub fn resolve(py: Python<'_>, plan: &Plan, path: &Bound<'_, PyTuple>) -> PyResult<Target> {
    let options = plan.options();
    let mut builder = Builder::new(py, options, plan.schema(py))?;
    let mut steps = path.iter();
    let mut spelled = options.title.clone();
    let first = steps
        .next()
        .ok_or_else(|| invalid_expression(py, "a reference without a field"))?;
    let mut segments = Vec::with_capacity(path.len());
    let mut place = field_of(py, plan.root(), &first, &spelled, &mut segments)?;
    spell(&mut spelled, &first);
    let role = if path.len() == 1 {
        place.field.map_or(Role::None, |field| field.role)
    } else {
        Role::None
    };
    for step in steps {
        place = part_of(py, plan, &builder, place, &step, &spelled, &mut segments)?;
        spell(&mut spelled, &step);
    }

    builder.config = place.config.clone();
    // Only the option knows that a field is the TTL.
    let is_ttl =
        |field: &Field| path.len() == 1 && options.ttl.as_deref().is_some_and(|ttl| field.name.bind(py) == ttl);
    let is_ttl = place.field.is_some_and(is_ttl);
    let node = builder.build_again(&place.schema, is_ttl, role != Role::None)?;
    let ordered = builder.build_again(&place.schema, is_ttl, true)?;
    let own = builder.own(&place.schema);
    let convert = builder.own_without_constraints(&place.schema)?;
    builder.finish_definitions()?;
    if node.needs_instance() {
        return Err(invalid_expression(
            py,
            &format!(
                "{spelled} is written by a serializer that needs the whole instance, so no value can be compared or set"
            ),
        ));
    }
    let nullable = node.tags().has(Tag::Null);
    let none = match place.field {
        Some(field) if field.omits_none => NoneRule::Absent,
        _ if nullable => NoneRule::Null,
        _ => NoneRule::Refused,
    };
    Ok(Target {
        path: Path(segments),
        title: options.title.clone(),
        steps: path.iter().map(Bound::unbind).collect(),
        grid: grid(&node),
        definitions: builder.definitions,
        node,
        ordered,
        own,
        convert,
        role,
        none,
        omits_empty: place.field.is_some_and(|field| field.omits_empty),
    })
}

fn field_of<'a, 'py>(
    py: Python<'py>,
    model: &'a Model,
    step: &Bound<'py, PyAny>,
    spelled: &str,
    segments: &mut Vec<Segment>,
) -> PyResult<Place<'a, 'py>> {
    let field = step
        .cast::<PyString>()
        .ok()
        .and_then(|name| model.field(py, name.to_str().ok()?));
    let Some(field) = field else {
        let known: Vec<String> = model
            .fields
            .iter()
            .map(|field| field.name.bind(py).to_string())
            .collect();
        return Err(invalid_expression(
            py,
            &format!("{spelled} has no field {step}; it has {}", known.join(", ")),
        ));
    };
    segments.push(Segment::Attribute(Arc::from(&*field.stored)));
    let (schema, config) = field.own.parts(py);
    Ok(Place {
        node: &field.node,
        schema,
        config,
        field: Some(field),
    })
}

fn part_of<'a, 'py>(
    py: Python<'py>,
    plan: &'a Plan,
    builder: &Builder<'_, 'py>,
    place: Place<'a, 'py>,
    step: &Bound<'py, PyAny>,
    spelled: &str,
    segments: &mut Vec<Segment>,
) -> PyResult<Place<'a, 'py>> {
    let (node, schema) = unwrapped(plan, builder, place.node, place.schema)?;
    if let Node::RootModel(root_model) = node {
        let inside = Place {
            node: root_model.root(),
            config: schema.member("config")?.map(Bound::cast_into).transpose()?,
            schema: schema.schema("schema")?,
            field: None,
        };
        // `root` is a name in Python only: what is stored is the root itself.
        return if step.eq("root")? {
            Ok(inside)
        } else {
            part_of(py, plan, builder, inside, step, spelled, segments)
        };
    }
    let index = || index_of(py, step, spelled);
    let config = place.config;
    match node {
        Node::Model(model) => field_of(py, model.model(), step, spelled, segments),
        Node::List(list) => {
            segments.push(Segment::Index(index()?));
            Ok(Place {
                node: list.element(),
                schema: builder.part_schema(&schema, "items_schema")?,
                config,
                field: None,
            })
        }
        Node::Tuple(tuple) => {
            let index = index()?;
            let Some(node) = tuple.element(index as usize) else {
                return Err(invalid_expression(
                    py,
                    &format!("{spelled} has no element {index} with a type of its own"),
                ));
            };
            segments.push(Segment::Index(index));
            let elements = schema.required("items_schema")?.cast_into::<PyList>()?;
            let element = elements
                .get_item((index as usize).min(elements.len() - 1))?
                .cast_into()?;
            Ok(Place {
                node,
                schema: element,
                config,
                field: None,
            })
        }
        Node::NamedTuple(tuple) => {
            let index = match step.cast::<PyString>().ok().and_then(|name| tuple.position(name)) {
                Some(position) => u32::try_from(position).expect("a class has fewer fields"),
                None => index()?,
            };
            let fields = named_tuple::parts(&schema)?.map(|(_, fields)| fields);
            let field = fields.unwrap_or_default().into_iter().nth(index as usize);
            let Some((node, (_, schema))) = tuple.element(index as usize).zip(field) else {
                return Err(invalid_expression(py, &format!("{spelled} has no element {index}")));
            };
            segments.push(Segment::Index(index));
            Ok(Place {
                node,
                schema,
                config,
                field: None,
            })
        }
        Node::Map(map) => {
            let text = map.key_text(step).map_err(|refusal| refusal.into_error(py, spelled))?;
            if text.is_empty() {
                return Err(invalid_expression(
                    py,
                    &format!("{spelled}: expected a key, found an empty one, which DynamoDB refuses"),
                ));
            }
            segments.push(Segment::Attribute(text.into()));
            Ok(Place {
                node: map.value(),
                schema: builder.part_schema(&schema, "values_schema")?,
                config,
                field: None,
            })
        }
        Node::Any(_) | Node::Union(_) => Err(invalid_expression(
            py,
            &format!("{spelled} may be of several types, so it is not known what {step} in it would be"),
        )),
        _ => Err(invalid_expression(
            py,
            &format!("{spelled} has no parts, so there is no {step} in it"),
        )),
    }
}

/// What holds the parts: without what stands for it, or makes it optional.
fn unwrapped<'a, 'py>(
    plan: &'a Plan,
    builder: &Builder<'_, 'py>,
    mut node: &'a Node,
    mut schema: Bound<'py, PyDict>,
) -> PyResult<(&'a Node, Bound<'py, PyDict>)> {
    loop {
        schema = builder.resolve(&schema)?;
        if let Some(standard) = standard::of(&schema)? {
            schema = standard.part;
            continue;
        }
        let kind = schema.text("type")?.unwrap_or_default();
        let is_layer = matches!(kind.as_str(), "custom-error" | "json") && schema.contains("schema")?;
        if !is_layer && !is_transparent(&kind) {
            break;
        }
        schema = schema.schema("schema")?;
    }
    loop {
        let inner = match node.unlayered() {
            Node::Nullable(nullable) => Some(nullable.inner()),
            Node::Function(function) => function.inner(),
            Node::Reference(reference) => Some(plan.definitions().get(reference.number())),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => return Ok((node.unlayered(), schema)),
        }
    }
}

fn index_of(py: Python<'_>, step: &Bound<'_, PyAny>, spelled: &str) -> PyResult<u32> {
    let index = step
        .cast::<PyInt>()
        .ok()
        .filter(|step| !step.is_instance_of::<PyBool>());
    index.and_then(|index| index.extract().ok()).ok_or_else(|| {
        invalid_expression(
            py,
            &format!("{spelled} is a list: an element is told by its index from 0, not by {step}"),
        )
    })
}

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
