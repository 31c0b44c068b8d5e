//! Standard collections that a Pydantic version makes of a list or a dict by functions of its own: told by those
//! functions, they are compiled as what they are. What else has functions is not looked at here.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};

use super::list::{ListKind, ListNode, lengths};
use super::map::{MapKind, MapNode};
use super::union::{UnionNode, collect_classes};
use crate::codec::builder::Builder;
use crate::codec::node::Node;
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::codec::tags::Tags;
use crate::wire::Tag;

/// What such a schema stands for.
pub struct Standard<'py> {
    kind: Kind,
    /// The schema of the list or dict that it is made of, or of the union.
    pub part: Bound<'py, PyDict>,
    lengths: (usize, usize),
}

enum Kind {
    List(ListKind),
    Map(MapKind),
    /// `JsonValue`: told by the wire types, where Pydantic asks a function for the Python type.
    Json,
}

impl Standard<'_> {
    pub fn tags(&self) -> Tags {
        match self.kind {
            Kind::List(_) => Tags::of(Tag::L),
            Kind::Map(_) => Tags::of(Tag::M),
            Kind::Json => Tags::ALL,
        }
    }
}

impl<'py> Standard<'py> {
    /// The types of its values, as far as they tell the member of a union.
    pub fn collect_classes(
        &self,
        builder: &Builder<'_, 'py>,
        found: &mut Vec<Bound<'py, PyType>>,
        depth: usize,
    ) -> PyResult<()> {
        let py = builder.py;
        match &self.kind {
            Kind::List(ListKind::Deque) => found.push(python::deque(py)?.cast::<PyType>()?.clone()),
            Kind::List(_) => found.extend([py.get_type::<PyList>(), py.get_type::<PyTuple>()]),
            Kind::Map(MapKind::Dict) => found.push(py.get_type::<PyDict>()),
            Kind::Map(MapKind::Made(class)) => found.push(class.bind(py).cast::<PyType>()?.clone()),
            Kind::Map(MapKind::Defaulting(_)) => found.push(python::defaultdict(py)?.cast::<PyType>()?.clone()),
            Kind::Json => {
                for choice in self.part.schema("choices")?.values() {
                    collect_classes(&choice.cast_into()?, builder, found, depth + 1)?;
                }
            }
        }
        Ok(())
    }
}

/// Compile a schema that stands for a standard collection; `None` for every other.
pub fn claims<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let Some(Standard { kind, part, lengths }) = of(schema)? else {
        return match schema.text("type")?.as_deref() {
            Some(kind @ ("arguments" | "arguments-v3")) => {
                Err(builder.unsupported(&format!("the arguments of a function (`{kind}`)")))
            }
            _ => Ok(None),
        };
    };
    builder.check_marks("list")?;
    builder.refuse_serializer(&part)?;
    let node = match kind {
        Kind::List(kind) => ListNode::build_of(kind, &part, lengths, schema, builder)?,
        Kind::Map(kind) => MapNode::build_of(kind, &part, lengths, schema, builder)?,
        Kind::Json => UnionNode::build_json(&part, schema, builder)?,
    };
    Ok(Some(node))
}

/// What a schema stands for, where Pydantic made it of a list or a dict. A serializer says nothing of that.
pub fn of<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<Standard<'py>>> {
    match schema.text("type")?.as_deref() {
        Some("lax-or-strict") => lax(&schema.schema("lax_schema")?),
        Some("json-or-python") => json_or_python(schema),
        Some("function-after") => constrained(schema),
        _ => Ok(None),
    }
}

/// The collection that is made of what a lax schema takes.
fn lax<'py>(lax: &Bound<'py, PyDict>) -> PyResult<Option<Standard<'py>>> {
    let py = lax.py();
    let kind = lax.text("type")?;
    let kind = match kind.as_deref() {
        Some("function-wrap") => match pydantic_function(lax)? {
            Some((name, _)) if name == "deque_validator" => Kind::List(ListKind::Deque),
            Some((name, keywords)) if name == "defaultdict_validator" => {
                let factory = keywords.map(|keywords| keywords.required("default_default_factory"));
                let Some(factory) = factory.transpose()? else {
                    return Ok(None);
                };
                Kind::Map(MapKind::Defaulting(factory.unbind()))
            }
            _ => return Ok(None),
        },
        Some("function-after") => {
            let function = lax.schema("function")?.required("function")?;
            if function.is(py.get_type::<PyDict>()) {
                Kind::Map(MapKind::Dict)
            } else if function.is(python::ordered_dict(py)?) || function.is(python::counter(py)?) {
                Kind::Map(MapKind::Made(function.unbind()))
            } else {
                return Ok(None);
            }
        }
        _ => return Ok(None),
    };
    of_part(kind, &lax.schema("schema")?)
}

fn json_or_python<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<Standard<'py>>> {
    let json = schema.schema("json_schema")?;
    let mut python = schema.schema("python_schema")?;
    if python.text("type")?.as_deref() == Some("tagged-union") {
        let function = python.required("discriminator")?;
        return match name_of(&function)? {
            Some(name) if name == "_get_type_name" => of_part(Kind::Json, &python),
            _ => Ok(None),
        };
    }
    if python.text("type")?.as_deref() == Some("chain") {
        let steps = python.required("steps")?.cast_into::<PyList>()?;
        let validator = steps.get_item(steps.len() - 1)?.cast_into::<PyDict>()?;
        if validator.text("type")?.as_deref() != Some("function-wrap")
            || pydantic_function(&validator)?.is_none_or(|(name, _)| name != "sequence_validator")
        {
            return Ok(None);
        }
        python = steps.get_item(0)?.cast_into()?;
    }
    let is_sequence = python.text("type")?.as_deref() == Some("is-instance")
        && python.text("cls_repr")?.as_deref() == Some("Sequence")
        && json.text("type")?.as_deref() == Some("list");
    if is_sequence {
        of_part(Kind::List(ListKind::Sequence), &json)
    } else {
        Ok(None)
    }
}

/// A collection whose length a function of Pydantic's checks.
fn constrained<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<Standard<'py>>> {
    let Some((name, Some(keywords))) = pydantic_function(schema)? else {
        return Ok(None);
    };
    let Some(mut standard) = of(&schema.schema("schema")?)? else {
        return Ok(None);
    };
    let (least, most) = &mut standard.lengths;
    match name.as_str() {
        "min_length_validator" => *least = (*least).max(keywords.required("min_length")?.extract()?),
        "max_length_validator" => *most = (*most).min(keywords.required("max_length")?.extract()?),
        _ => return Ok(None),
    }
    Ok(Some(standard))
}

fn of_part<'py>(kind: Kind, part: &Bound<'py, PyDict>) -> PyResult<Option<Standard<'py>>> {
    Ok(Some(Standard {
        kind,
        part: part.clone(),
        lengths: lengths(part)?,
    }))
}

type Keywords<'py> = Option<Bound<'py, PyDict>>;

/// The name of a function schema's function and the keywords that it is given, where the function is Pydantic's own.
fn pydantic_function<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<(String, Keywords<'py>)>> {
    let function = schema.schema("function")?.required("function")?;
    if !function.is_instance(python::partial(schema.py())?)? {
        return Ok(name_of(&function)?.map(|name| (name, None)));
    }
    let keywords = function.getattr("keywords")?.cast_into()?;
    Ok(name_of(&function.getattr("func")?)?.map(|name| (name, Some(keywords))))
}

/// The name of a function of Pydantic's own.
fn name_of(function: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if function.is_instance_of::<PyType>() {
        return Ok(None);
    }
    let module = function.getattr_opt("__module__")?;
    let module = module.and_then(|module| module.extract::<String>().ok());
    if !module.is_some_and(|module| module.starts_with("pydantic.")) {
        return Ok(None);
    }
    function.getattr("__name__")?.extract().map(Some)
}
