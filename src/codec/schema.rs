//! Reading core-schema dicts.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::nodes::known;

/// Members of a core-schema dict.
pub trait SchemaDict<'py> {
    fn member(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>>;
    fn required(&self, name: &str) -> PyResult<Bound<'py, PyAny>>;
    fn text(&self, name: &str) -> PyResult<Option<String>>;
    fn flag(&self, name: &str) -> PyResult<Option<bool>>;
    fn schema(&self, name: &str) -> PyResult<Bound<'py, PyDict>>;
    fn has_any(&self, names: &[&str]) -> PyResult<bool>;
}

impl<'py> SchemaDict<'py> for Bound<'py, PyDict> {
    /// A member that is there and not None.
    fn member(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.get_item(name)?.filter(|value| !value.is_none()))
    }

    fn required(&self, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.get_item(name)?
            .ok_or_else(|| PyKeyError::new_err(format!("a core schema without {name:?}")))
    }

    fn text(&self, name: &str) -> PyResult<Option<String>> {
        self.member(name)?.map(|value| value.extract()).transpose()
    }

    fn flag(&self, name: &str) -> PyResult<Option<bool>> {
        self.member(name)?.map(|value| value.extract()).transpose()
    }

    fn schema(&self, name: &str) -> PyResult<Bound<'py, PyDict>> {
        Ok(self.required(name)?.cast_into()?)
    }

    fn has_any(&self, names: &[&str]) -> PyResult<bool> {
        for name in names {
            if self.member(name)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether the schema is one of `SerializeAsAny`, which is a function in Pydantic's older releases.
pub fn serializes_as_any(schema: &Bound<'_, PyDict>) -> PyResult<bool> {
    let Some(serializer) = schema.member("serialization")? else {
        return Ok(false);
    };
    let serializer = serializer.cast_into::<PyDict>()?;
    match serializer.text("type")?.as_deref() {
        Some("any") => Ok(true),
        Some("function-wrap") => known::is_function(
            &serializer,
            "SerializeAsAny.__get_pydantic_core_schema__.<locals>.<lambda>",
        ),
        _ => Ok(false),
    }
}

/// The schema without what narrows its type: constraints and functions.
pub fn without_constraints<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let schema = schema.copy()?;
    remove(
        &schema,
        &[
            "gt",
            "ge",
            "lt",
            "le",
            "multiple_of",
            "min_length",
            "max_length",
            "max_digits",
            "decimal_places",
            "pattern",
            "strip_whitespace",
            "to_lower",
            "to_upper",
            "ascii_only",
            "now_op",
            "version",
        ],
    )?;
    match schema.text("type")?.as_deref() {
        Some("model") if !schema.flag("root_model")?.unwrap_or(false) => {}
        Some("default" | "nullable" | "model") => {
            schema.set_item("schema", without_constraints(&schema.schema("schema")?)?)?;
        }
        Some("function-after" | "function-before" | "function-wrap") if !known::makes_type(&schema)? => {
            return without_constraints(&schema.schema("schema")?);
        }
        Some("union") => {
            let choices = union_choices(&schema)?;
            let choices = choices.iter().map(|(choice, _)| without_constraints(choice));
            schema.set_item("choices", choices.collect::<PyResult<Vec<_>>>()?)?;
        }
        _ => {}
    }
    Ok(schema)
}

/// Take members out of a schema.
pub fn remove(dict: &Bound<'_, PyDict>, names: &[&str]) -> PyResult<()> {
    for name in names {
        if dict.contains(name)? {
            dict.del_item(name)?;
        }
    }
    Ok(())
}

/// The members of a union, some with a label of their own.
pub fn union_choices<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Vec<(Bound<'py, PyDict>, Option<String>)>> {
    let choices = schema.required("choices")?.try_iter()?;
    let choices = choices.map(|choice| {
        let choice = choice?;
        match choice.cast::<PyTuple>() {
            Ok(labelled) => Ok((
                labelled.get_item(0)?.cast_into()?,
                Some(labelled.get_item(1)?.extract()?),
            )),
            Err(_) => Ok((choice.cast_into()?, None)),
        }
    });
    choices.collect()
}

/// What our markers left in a schema's metadata.
pub fn oxidyn_metadata<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(metadata) = schema.member("metadata")? else {
        return Ok(None);
    };
    let Ok(metadata) = metadata.cast_into::<PyDict>() else {
        return Ok(None);
    };
    Ok(metadata.member("oxidyn")?.map(Bound::cast_into).transpose()?)
}
