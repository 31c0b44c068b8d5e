//! From a path of names, keys and indexes to the place in the plan.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};

use super::{Default, NoneRule, Part, Target, invalid_expression, spell};
use crate::codec::builder::Builder;
use crate::codec::form;
use crate::codec::key_form::Role;
use crate::codec::node::Node;
use crate::codec::nodes::function::is_transparent;
use crate::codec::nodes::model::{Absence, Field, Model};
use crate::codec::nodes::{named_tuple, standard};
use crate::codec::options::PlanOptions;
use crate::codec::own::Own;
use crate::codec::plan::Plan;
use crate::codec::schema::SchemaDict;
use crate::expr::ast::{Grid, Path, Segment};
use crate::wire::Tag;

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
    /// The field that it is, and its place among its model's.
    field: Option<(usize, &'a Field)>,
    /// Whether what holds it cannot be read without it.
    is_required: bool,
}

impl<'a, 'py> Place<'a, 'py> {
    fn part(node: &'a Node, schema: Bound<'py, PyDict>, config: Option<Bound<'py, PyDict>>) -> Self {
        Self {
            node,
            schema,
            config,
            field: None,
            is_required: false,
        }
    }

    /// A place in a tuple. Without one that every tuple of the type has, those behind it would move up.
    fn of_tuple(
        node: &'a Node,
        schema: Bound<'py, PyDict>,
        config: Option<Bound<'py, PyDict>>,
        is_required: bool,
    ) -> Self {
        Self {
            is_required,
            ..Self::part(node, schema, config)
        }
    }
}

/// A field on a path.
pub struct Waypoint {
    /// Segments that lead to it.
    pub depth: usize,
    /// Steps in Python's names that lead to it.
    pub steps: usize,
    pub absence: Absence,
    pub own: Box<Own>,
}

/// The fields on a path.
pub fn waypoints(py: Python<'_>, plan: &Plan, path: &Bound<'_, PyTuple>) -> PyResult<Vec<Waypoint>> {
    let mut builder = Builder::new(py, plan.options(), plan.schema(py))?;
    let mut fields = Vec::new();
    follow(py, plan, &builder, path, |place, depth, steps| {
        if let Some((_, field)) = place.field {
            let (schema, config) = (place.schema.clone(), place.config.clone());
            fields.push((field.absence(py), schema, config, depth, steps));
        }
    })?;
    let waypoints = fields.into_iter().map(|(absence, schema, config, depth, steps)| {
        builder.config = config;
        Waypoint {
            depth,
            steps,
            absence,
            own: builder.own(&schema),
        }
    });
    Ok(waypoints.collect())
}

/// Go along a path of field names, keys and indexes; `visit` is given each place with the segments and the steps to it.
/// What comes back is the last, the segments, and how Python spells the path.
fn follow<'a, 'py>(
    py: Python<'py>,
    plan: &'a Plan,
    builder: &Builder<'_, 'py>,
    path: &Bound<'py, PyTuple>,
    mut visit: impl FnMut(&Place<'a, 'py>, usize, usize),
) -> PyResult<(Place<'a, 'py>, Vec<Segment>, String)> {
    let mut steps = path.iter().enumerate();
    let mut spelled = plan.options().title.clone();
    let (_, first) = steps
        .next()
        .ok_or_else(|| invalid_expression(py, "a reference without a field"))?;
    let mut segments = Vec::with_capacity(path.len());
    let mut place = field_of(py, plan.root(), &first, &spelled, &mut segments)?;
    visit(&place, segments.len(), 1);
    spell(&mut spelled, &first);
    for (number, step) in steps {
        place = part_of(py, plan, builder, place, &step, &spelled, &mut segments)?;
        visit(&place, segments.len(), number + 1);
        spell(&mut spelled, &step);
    }
    Ok((place, segments, spelled))
}

/// Resolve a path of field names, keys and indexes.
pub fn resolve(py: Python<'_>, plan: &Plan, path: &Bound<'_, PyTuple>, part: Part) -> PyResult<Target> {
    resolve_with(py, plan, plan.options(), path, part)
}

/// The same under other options than the plan's.
pub fn resolve_with(
    py: Python<'_>,
    plan: &Plan,
    options: &PlanOptions,
    path: &Bound<'_, PyTuple>,
    part: Part,
) -> PyResult<Target> {
    let mut builder = Builder::new(py, options, plan.schema(py))?;
    let (mut place, segments, spelled) = follow(py, plan, &builder, path, |_, _, _| {})?;
    let role = if path.len() == 1 && part == Part::Whole {
        place.field.map_or(Role::None, |(_, field)| field.role)
    } else {
        Role::None
    };
    if part == Part::Element {
        place = element_of(py, plan, &builder, place, &spelled)?;
    }

    builder.config = place.config.clone();
    // Only the option knows that a field is the TTL.
    let is_ttl =
        |field: &Field| path.len() == 1 && options.ttl.as_deref().is_some_and(|ttl| field.name.bind(py) == ttl);
    let is_ttl = place.field.is_some_and(|(_, field)| is_ttl(field));
    let node = builder.build_again(&place.schema, is_ttl, role != Role::None)?;
    let ordered = builder.build_again(&place.schema, is_ttl, true)?;
    let own = builder.own(&place.schema);
    let convert = builder.own_without_constraints(&place.schema)?;
    builder.finish_definitions()?;
    if node.needs_instance() {
        return Err(invalid_expression(
            py,
            &format!(
                "{spelled} is written by a serializer that needs the whole instance, so nothing there can be compared, set or selected"
            ),
        ));
    }
    let nullable = node.tags().has(Tag::Null);
    let none = match place.field {
        Some((_, field)) if field.omits_none => NoneRule::Absent,
        _ if nullable => NoneRule::Null,
        _ => NoneRule::Refused,
    };
    let default = place.field.and_then(|(_, field)| field.absent());
    Ok(Target {
        levels: segments.len() - usize::from(part == Part::Whole),
        path: Path(segments.into()),
        place: place.field.map(|(place, _)| place),
        title: options.title.clone(),
        steps: path.iter().map(Bound::unbind).collect(),
        grid: grid(&node),
        form: form::form(&node),
        definitions: builder.definitions,
        node,
        ordered,
        own,
        convert,
        role,
        none,
        omits_empty: place.field.is_some_and(|(_, field)| field.omits_empty),
        is_required: place.is_required,
        default: default.map(|(object, is_factory)| {
            let object = object.clone_ref(py);
            if is_factory {
                Default::Factory(object)
            } else {
                Default::Value(object)
            }
        }),
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
        .and_then(|name| model.field_at(py, name.to_str().ok()?));
    let Some((place, field)) = field else {
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
        field: Some((place, field)),
        is_required: field.is_required(),
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
        let config = schema.member("config")?.map(Bound::cast_into).transpose()?;
        let inside = Place::part(root_model.root(), schema.schema("schema")?, config);
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
            Ok(Place::part(
                list.element(),
                builder.part_schema(&schema, "items_schema")?,
                config,
            ))
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
            let is_required = !tuple.repeats_at(index as usize);
            Ok(Place::of_tuple(node, element, config, is_required))
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
            Ok(Place::of_tuple(node, schema, config, true))
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
            Ok(Place::part(
                map.value(),
                builder.part_schema(&schema, "values_schema")?,
                config,
            ))
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

/// The place of any one element.
fn element_of<'a, 'py>(
    py: Python<'py>,
    plan: &'a Plan,
    builder: &Builder<'_, 'py>,
    place: Place<'a, 'py>,
    spelled: &str,
) -> PyResult<Place<'a, 'py>> {
    let config = place.config.clone();
    let (node, schema) = unwrapped(plan, builder, place.node, place.schema)?;
    let of = |node: &'a Node, schema: Bound<'py, PyDict>| Place::part(node, schema, config);
    match node {
        Node::RootModel(root_model) => {
            let config = schema.member("config")?.map(Bound::cast_into).transpose()?;
            let inside = Place::part(root_model.root(), schema.schema("schema")?, config);
            element_of(py, plan, builder, inside, spelled)
        }
        Node::List(list) => Ok(of(list.element(), builder.part_schema(&schema, "items_schema")?)),
        Node::Set(set) => Ok(of(set.element(), builder.part_schema(&schema, "items_schema")?)),
        Node::Tuple(tuple) if tuple.repeated().is_some() => {
            let elements = schema.required("items_schema")?.cast_into::<PyList>()?;
            let node = tuple.repeated().expect("asked for just now");
            Ok(of(node, elements.get_item(0)?.cast_into()?))
        }
        Node::Any(_) => Ok(of(node, schema)),
        _ => Err(invalid_expression(
            py,
            &format!("{spelled} is no list or set whose elements are of one type"),
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
