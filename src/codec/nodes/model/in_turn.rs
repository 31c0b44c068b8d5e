//! Fields that Pydantic's own validator makes when the whole model is read: those whose validators take `info`, where
//! stored values are trusted and these run all the same. They see the fields before their own, as `info.data`.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyString};

use super::Field;
use super::field::build_field;
use super::instance::Kind;
use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::nodes::function::{Wanted, holds};
use crate::codec::options::Load;
use crate::codec::own::{Own, Terms};
use crate::codec::schema::SchemaDict;
use crate::codec::state::Outcome;

/// A field's validator, among the fields before it.
pub(super) struct InTurn {
    own: Box<Own>,
    terms: Terms,
    /// It makes the value of what was read.
    pub(super) of_present: bool,
    /// It makes, and checks, what stands for an absent value.
    pub(super) of_absent: bool,
}

/// Compile a field; where validators of it need the other fields and run although stored values are trusted, one that is
/// made in turn.
pub(super) fn build<'py>(
    name: &str,
    schema: &Bound<'py, PyDict>,
    kind: &Kind,
    (is_root, validated_by): (bool, ValidatedBy),
    before: &[Field],
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Field> {
    let build = |validated_by, builder: &mut Builder<'_, 'py>| {
        builder.inside(name, |builder| {
            builder.with_validation(validated_by, |builder| {
                build_field(name, schema, kind, is_root, builder)
            })
        })
    };
    let of_others = std::mem::take(&mut builder.needs_data);
    let mut field = build(validated_by, builder)?;
    let of_present = std::mem::replace(&mut builder.needs_data, of_others);
    let of_absent = builder.options.load == Load::Trust
        && validated_by == ValidatedBy::Node
        && field.default_check.is_some()
        && holds(schema.schema("schema")?.as_any(), Wanted::OfModel, builder)?;
    if !of_present && !of_absent {
        return Ok(field);
    }
    let outer_terms = std::mem::take(&mut builder.terms);
    if of_present {
        field = build(ValidatedBy::Model, builder)?;
    }
    if of_absent {
        field.default_check = None;
    }
    let terms = std::mem::replace(&mut builder.terms, outer_terms);
    field.in_turn = Some(Box::new(InTurn {
        own: own_among(before, name, schema, builder)?,
        terms,
        of_present,
        of_absent,
    }));
    Ok(field)
}

/// Pydantic's own of a field among those before it, of which it asks nothing.
fn own_among<'py>(
    before: &[Field],
    name: &str,
    field: &Bound<'py, PyDict>,
    builder: &Builder<'_, 'py>,
) -> PyResult<Box<Own>> {
    let py = builder.py;
    let fields = PyDict::new(py);
    let add = |name: &Bound<'_, PyAny>, schema: &Bound<'_, PyDict>| -> PyResult<()> {
        let field = PyDict::new(py);
        field.set_item("type", "typed-dict-field")?;
        field.set_item("schema", schema)?;
        field.set_item("required", false)?;
        fields.set_item(name, field)
    };
    let any = PyDict::new(py);
    any.set_item("type", "any")?;
    for finished in before {
        add(finished.name.bind(py), &any)?;
    }
    add(PyString::new(py, name).as_any(), &field.schema("schema")?)?;
    let schema = PyDict::new(py);
    schema.set_item("type", "typed-dict")?;
    schema.set_item("fields", fields)?;
    if let Some(config) = &builder.config {
        schema.set_item("config", config)?;
    }
    Ok(builder.own(&schema))
}

impl InTurn {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    /// Make the value of the field in `values`, in which those before it are finished.
    pub(super) fn finish(
        &self,
        field: &Field,
        before: &[Field],
        is_there: bool,
        values: &Bound<'_, PyDict>,
    ) -> Outcome<()> {
        let taken = data(before, values)?;
        if is_there && let Some(value) = values.get_item(&field.name)? {
            taken.set_item(&field.name, value)?;
        }
        let made = self.own.validate_on(self.terms, taken.as_any())?;
        Ok(values.set_item(&field.name, made.get_item(&field.name)?)?)
    }
}

/// What fields hold that are finished: one that need not be there may not be.
pub(super) fn data<'py>(fields: &[Field], values: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let data = PyDict::new(values.py());
    for field in fields {
        if let Some(value) = values.get_item(&field.name)? {
            data.set_item(&field.name, value)?;
        }
    }
    Ok(data)
}
