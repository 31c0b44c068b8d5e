//! Whether there are functions of the user's, or models, anywhere in a schema.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::chain::{function_of, is_pydantics};
use crate::codec::builder::Builder;
use crate::codec::schema::SchemaDict;

/// What a search in a schema looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Any function of the user's.
    Any,
    /// One that looks at the other fields, or a default that replaces refused values: only the model's own validator can
    /// do that.
    OfModel,
    /// A model, dataclass or TypedDict.
    Model,
}

/// Whether a validator that may know what to do with it gets what the type itself refuses, by its wire type. Where a
/// marker says how it is stored that would be another value; where there are models inside, the names of their fields
/// would be others, and each of these fields is asked for itself.
pub fn may_be_lenient<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<bool> {
    Ok(builder.marks.is_empty() && !holds(schema.as_any(), Wanted::Model, builder)?)
}

/// Whether there is such a part in a schema, outside the models and dataclasses in it.
pub fn holds<'py>(schema: &Bound<'py, PyAny>, wanted: Wanted, builder: &Builder<'_, 'py>) -> PyResult<bool> {
    search(schema, wanted, builder, &mut Vec::new())
}

fn search<'py>(
    part: &Bound<'py, PyAny>,
    wanted: Wanted,
    builder: &Builder<'_, 'py>,
    open: &mut Vec<String>,
) -> PyResult<bool> {
    if part.is_instance_of::<PyList>() || part.is_instance_of::<PyTuple>() {
        for part in part.try_iter()? {
            if search(&part?, wanted, builder, open)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let Ok(schema) = part.cast::<PyDict>() else {
        return Ok(false);
    };
    let kind = schema
        .member("type")?
        .and_then(|kind| kind.extract::<String>().ok())
        .unwrap_or_default();
    match kind.as_str() {
        "model" | "dataclass" => return Ok(wanted == Wanted::Model),
        "typed-dict" if wanted == Wanted::Model => return Ok(true),
        "definition-ref" => {
            let name = schema.text("schema_ref")?.unwrap_or_default();
            if open.contains(&name) {
                return Ok(false);
            }
            open.push(name);
            return search(builder.resolve(schema)?.as_any(), wanted, builder, open);
        }
        "default"
            if wanted != Wanted::Model && schema.text("on_error")?.is_some_and(|on_error| on_error != "raise") =>
        {
            return Ok(true);
        }
        _ if kind.starts_with("function-") => {
            let (function, with_info) = function_of(schema)?;
            let is_wanted = match wanted {
                Wanted::Any => true,
                Wanted::OfModel => with_info,
                Wanted::Model => false,
            };
            if is_wanted && !is_pydantics(&function)? {
                return Ok(true);
            }
        }
        _ => {}
    }
    for name in PARTS {
        if let Some(part) = schema.member(name)?
            && search(&part, wanted, builder, open)?
        {
            return Ok(true);
        }
    }
    // A TypedDict's fields and a tagged union's choices are dicts of schemas.
    for name in ["fields", "choices"] {
        if let Some(parts) = schema.member(name)?
            && let Ok(parts) = parts.cast::<PyDict>()
            && search(parts.values().as_any(), wanted, builder, open)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where schemas hold others.
const PARTS: [&str; 14] = [
    "schema",
    "items_schema",
    "keys_schema",
    "values_schema",
    "choices",
    "steps",
    "fields",
    "lax_schema",
    "strict_schema",
    "json_schema",
    "python_schema",
    "extras_schema",
    "arguments_schema",
    "default_schema",
];
