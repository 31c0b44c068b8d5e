//! What tells the members of a tagged union: a field by its stored values, or a function of the user's.

use std::collections::HashSet;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::Member;
use super::by_field::ByField;
use super::by_function::ByFunction;
use crate::codec::builder::Builder;
use crate::codec::nodes::model::fields_of;
use crate::codec::schema::{SchemaDict, union_choices};
use crate::codec::state::Outcome;

pub enum Discriminator {
    Field(ByField),
    Function(ByFunction),
}

impl Discriminator {
    /// `tagged` are the values with the places of their members, `schemas` are the members'.
    pub fn build<'py>(
        schema: &Bound<'py, PyDict>,
        tagged: &[(Bound<'py, PyAny>, usize)],
        schemas: &[Bound<'py, PyDict>],
        members: &[Member],
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        match input_paths(schema)? {
            Some(paths) => ByField::build(&paths, tagged, schemas, members, builder).map(Self::Field),
            None => ByFunction::build(schema, tagged, schemas, members, builder).map(Self::Function),
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Field(_) => Ok(()),
            Self::Function(function) => {
                visit.call(&function.function)?;
                visit.call(&function.members)
            }
        }
    }

    /// The member of a value that is to be written, where the discriminator must be asked: members may share a class.
    #[inline]
    pub fn member_of_value(&self, value: &Bound<'_, PyAny>, is_shared: bool) -> Outcome<Option<usize>> {
        match self {
            Self::Function(function) if is_shared || !function.classes_tell => Ok(function.call(value)?.ok()),
            _ => Ok(None),
        }
    }
}

pub type InputPath = Vec<String>;

/// The paths on which Pydantic looks for the discriminator; `None` where it is a function.
fn input_paths(schema: &Bound<'_, PyDict>) -> PyResult<Option<Vec<InputPath>>> {
    let discriminator = schema.required("discriminator")?;
    if let Ok(name) = discriminator.extract::<String>() {
        return Ok(Some(vec![vec![name]]));
    }
    match discriminator.cast::<PyList>() {
        Ok(paths) => paths_of(paths).map(Some),
        Err(_) => Ok(None),
    }
}

/// One path, or several that are tried in turn. One with an index in it leads to no field.
pub fn paths_of(list: &Bound<'_, PyList>) -> PyResult<Vec<InputPath>> {
    let is_one = list.iter().any(|step| step.cast::<PyList>().is_err());
    let paths = if is_one {
        vec![list.clone()]
    } else {
        list.iter()
            .map(|path| Ok(path.cast_into::<PyList>()?))
            .collect::<PyResult<_>>()?
    };
    let named = paths
        .into_iter()
        .filter(|path| path.iter().all(|step| step.is_instance_of::<PyString>()));
    named.map(|path| path.extract()).collect()
}

/// The names of the fields by which unions anywhere in a schema may tell their members: discriminators, and what members
/// of other unions hold that is an enum or a literal.
pub fn collect_discriminating<'py>(
    schema: &Bound<'py, PyAny>,
    builder: &Builder<'_, 'py>,
    found: &mut HashSet<String>,
) -> PyResult<()> {
    if let Ok(parts) = schema.cast::<PyList>() {
        return parts
            .iter()
            .try_for_each(|part| collect_discriminating(&part, builder, found));
    }
    if let Ok(labelled) = schema.cast::<PyTuple>() {
        return labelled
            .iter()
            .try_for_each(|part| collect_discriminating(&part, builder, found));
    }
    let Ok(schema) = schema.cast::<PyDict>() else {
        return Ok(());
    };
    let kind = schema.member("type")?.and_then(|kind| kind.extract::<String>().ok());
    match kind.as_deref() {
        Some("tagged-union") => match input_paths(schema)? {
            Some(paths) => found.extend(paths.into_iter().flatten()),
            // A function may look at any of its members' fields.
            None => {
                for (_, choice) in schema.schema("choices")?.iter() {
                    if let Ok(choice) = choice.cast::<PyDict>() {
                        let fields = fields_of(&builder.resolve(choice)?)?;
                        found.extend(fields.into_iter().map(|(name, _)| name));
                    }
                }
            }
        },
        Some("union") => {
            for (choice, _) in union_choices(schema)? {
                for (name, field) in fields_of(&builder.resolve(&choice)?)? {
                    let mut of_field = builder.resolve(&field.schema("schema")?)?;
                    if of_field.text("type")?.as_deref() == Some("default") {
                        of_field = builder.resolve(&of_field.schema("schema")?)?;
                    }
                    if matches!(of_field.text("type")?.as_deref(), Some("literal" | "enum")) {
                        found.insert(name);
                    }
                }
            }
        }
        _ => {}
    }
    for (name, part) in schema.iter() {
        let is_schema = !name
            .extract::<String>()
            .is_ok_and(|name| matches!(&*name, "metadata" | "default" | "expected" | "members" | "config"));
        if is_schema {
            collect_discriminating(&part, builder, found)?;
        }
    }
    Ok(())
}
