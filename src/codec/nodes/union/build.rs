//! Compiling: the members, who reads which wire type, and whose values are of which type.

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTime,
    PyTuple, PyType,
};

use super::discriminator::Discriminator;
use super::scalars::{KnownTexts, Numbers, Texts, check_numbers};
use super::{Member, Readers, Union};
use crate::codec::builder::Builder;
use crate::codec::node::Node;
use crate::codec::nodes::function::is_transparent;
use crate::codec::nodes::{named_tuple, standard};
use crate::codec::own::Own;
use crate::codec::python;
use crate::codec::schema::{SchemaDict, union_choices};
use crate::wire::Tag;

impl Union {
    pub(super) fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let choices = union_choices(schema)?;
        let mut models = 0;
        for (choice, _) in &choices {
            models += usize::from(is_told_by_fields(choice, builder)?);
        }
        let mut members = Vec::with_capacity(choices.len());
        let told_by_fields = builder.marks.told_by_fields;
        builder.marks.told_by_fields |= models > 1;
        for (choice, label) in &choices {
            members.push(Member::build(choice, label.clone(), builder)?);
        }
        builder.marks.told_by_fields = told_by_fields;
        let smart = schema.text("mode")?.is_none_or(|mode| mode == "smart");
        let readers = readers(&members);
        check_numbers(&members, builder)?;
        let sharing = |tag: Tag| -> PyResult<Option<Box<Own>>> {
            if readers[tag as usize] != Readers::Several {
                return Ok(None);
            }
            let part = schema.copy()?;
            let raw = schema.required("choices")?.try_iter()?.collect::<PyResult<Vec<_>>>()?;
            let raw = raw.into_iter().zip(&members);
            let raw = raw.filter(|(_, member)| member.node.tags().has(tag));
            part.set_item("choices", raw.map(|(choice, _)| choice).collect::<Vec<_>>())?;
            if part.contains("ref")? {
                part.del_item("ref")?;
            }
            Ok(Some(builder.own(&part)))
        };
        let texts = Texts {
            own: sharing(Tag::S)?,
            known: smart.then(|| KnownTexts::of(&members)).flatten(),
        };
        let numbers = Numbers::of(&members, smart, sharing(Tag::N)?);
        Ok(Self {
            own: builder.own(schema),
            readers,
            members: members.into_boxed_slice(),
            texts,
            numbers,
            discriminator: None,
            has_own_error: has_own_error(schema)?,
        })
    }

    /// The members of `JsonValue` without its function: each has a wire type of its own.
    pub(super) fn build_json<'py>(
        union: &Bound<'py, PyDict>,
        schema: &Bound<'py, PyDict>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        let plain = PyDict::new(builder.py);
        plain.set_item("type", "union")?;
        plain.set_item("choices", union.schema("choices")?.values())?;
        let mut json = Self::build(&plain, builder)?;
        json.own = builder.own(schema);
        json.has_own_error = has_own_error(union)?;
        Ok(json)
    }

    pub(super) fn build_tagged<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let mut members: Vec<Member> = Vec::new();
        let mut built: Vec<Bound<'py, PyDict>> = Vec::new();
        let mut tagged = Vec::new();
        let choices = schema.schema("choices")?;
        for (value, choice) in choices.iter() {
            let mut choice = choice;
            // A value may stand for another's member.
            while choice.cast::<PyDict>().is_err() {
                choice = choices
                    .get_item(&choice)?
                    .ok_or_else(|| builder.schema_error("its union names a member that it does not have"))?;
            }
            let choice = choice.cast_into::<PyDict>()?;
            let member = match built.iter().position(|known| known.is(&choice)) {
                Some(member) => member,
                None => {
                    members.push(Member::build(&choice, None, builder)?);
                    built.push(choice.clone());
                    members.len() - 1
                }
            };
            tagged.push((value, member));
        }
        let discriminator = Discriminator::build(schema, &tagged, &built, &members, builder)?;
        let readers = match discriminator {
            Discriminator::Field(_) => readers(&members),
            Discriminator::Function(_) => [Readers::Function; Tag::ALL.len()],
        };
        Ok(Self {
            own: builder.own(schema),
            readers,
            numbers: Numbers::of(&[], false, None),
            members: members.into_boxed_slice(),
            texts: Texts { own: None, known: None },
            discriminator: Some(discriminator),
            has_own_error: has_own_error(schema)?,
        })
    }
}

/// Whether the values are instances with fields, or may be.
fn is_told_by_fields<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<bool> {
    let mut schema = builder.resolve(schema)?;
    loop {
        let kind = schema.text("type")?.unwrap_or_default();
        if !is_transparent(&kind) && !schema.flag("root_model")?.unwrap_or(false) {
            return Ok(matches!(&*kind, "model" | "dataclass" | "union" | "tagged-union"));
        }
        schema = builder.resolve(&schema.schema("schema")?)?;
    }
}

fn has_own_error(schema: &Bound<'_, PyDict>) -> PyResult<bool> {
    schema.has_any(&["custom_error_type"])
}

impl Member {
    pub(super) fn build<'py>(
        schema: &Bound<'py, PyDict>,
        label: Option<String>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        // Markers of one member do not reach the next.
        let of_member = builder.marks.for_member();
        let marks = std::mem::replace(&mut builder.marks, of_member);
        let node = builder.build(schema);
        builder.marks = marks;
        let mut classes = Vec::new();
        collect_classes(schema, builder, &mut classes, 0)?;
        if let Ok(Node::Opaque(node)) = &node {
            classes.extend(node.class(builder.py));
        }
        let resolved = builder.resolve(schema)?;
        let name = match (label, resolved.member("cls")?) {
            (Some(label), _) => label,
            (None, Some(class)) => class.getattr("__name__")?.extract()?,
            (None, None) => resolved.text("type")?.unwrap_or_default(),
        };
        Ok(Self {
            name: name.into_boxed_str(),
            node: node?,
            classes: classes.into_iter().map(Bound::unbind).collect(),
        })
    }
}

pub(super) fn readers(members: &[Member]) -> [Readers; Tag::ALL.len()] {
    Tag::ALL.map(|tag| {
        let mut reading = (0..members.len()).filter(|&index| members[index].node.tags().has(tag));
        match (reading.next(), reading.next()) {
            (None, _) => Readers::None,
            (Some(index), None) => Readers::One(index),
            (Some(_), Some(_)) => Readers::Several,
        }
    })
}

/// Unions lie in each other only so deeply; what refers to itself has an end here.
pub(super) const MOST_LEVELS: usize = 8;

/// The types of a schema's values, as far as they tell the member.
pub fn collect_classes<'py>(
    schema: &Bound<'py, PyDict>,
    builder: &Builder<'_, 'py>,
    found: &mut Vec<Bound<'py, PyType>>,
    depth: usize,
) -> PyResult<()> {
    let py = builder.py;
    let schema = builder.resolve(schema)?;
    if let Some(standard) = standard::of(&schema)? {
        return standard.collect_classes(builder, found, depth);
    }
    let kind = schema.text("type")?.unwrap_or_default();
    let imported = |class: &Bound<'py, PyAny>| -> PyResult<Bound<'py, PyType>> { Ok(class.cast::<PyType>()?.clone()) };
    match kind.as_str() {
        "none" => found.push(py.None().bind(py).get_type()),
        "bool" => found.push(py.get_type::<PyBool>()),
        "int" => found.push(py.get_type::<PyInt>()),
        "float" => found.push(py.get_type::<PyFloat>()),
        "decimal" => found.push(imported(python::decimal(py)?)?),
        "str" => found.push(py.get_type::<PyString>()),
        "bytes" => found.push(py.get_type::<PyBytes>()),
        "uuid" => found.push(imported(python::uuid(py)?)?),
        "date" => found.push(py.get_type::<PyDate>()),
        "datetime" => found.push(py.get_type::<PyDateTime>()),
        "time" => found.push(py.get_type::<PyTime>()),
        "timedelta" => found.push(py.get_type::<PyDelta>()),
        "list" => found.push(py.get_type::<PyList>()),
        "deque" => found.push(imported(python::deque(py)?)?),
        "tuple" => found.push(py.get_type::<PyTuple>()),
        "set" => found.push(py.get_type::<PySet>()),
        "frozenset" => found.push(py.get_type::<PyFrozenSet>()),
        "dict" | "typed-dict" => found.push(py.get_type::<PyDict>()),
        "ordered-dict" => found.push(imported(python::ordered_dict(py)?)?),
        "counter" => found.push(imported(python::counter(py)?)?),
        "named-tuple" | "call" => found.extend(named_tuple::parts(&schema)?.map(|(class, _)| class)),
        "enum" | "model" | "dataclass" => found.push(schema.required("cls")?.cast_into()?),
        "literal" => {
            for value in schema.required("expected")?.try_iter()? {
                found.push(value?.get_type());
            }
        }
        // A validator may make something else of the value, which is then looked for by trying.
        _ if is_transparent(&kind) && depth < MOST_LEVELS => {
            if kind == "nullable" {
                found.push(py.None().bind(py).get_type());
            }
            collect_classes(&schema.schema("schema")?, builder, found, depth + 1)?;
        }
        "union" if depth < MOST_LEVELS => {
            for (choice, _) in union_choices(&schema)? {
                collect_classes(&choice, builder, found, depth + 1)?;
            }
        }
        "tagged-union" if depth < MOST_LEVELS => {
            for (_, choice) in schema.schema("choices")?.iter() {
                if let Ok(choice) = choice.cast::<PyDict>() {
                    collect_classes(choice, builder, found, depth + 1)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}
