//! Computed fields that are marked to be stored: written like fields, and skipped when an item is read.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Field;
use super::field::{Absent, build_field};
use super::instance::Kind;
use crate::codec::builder::Builder;
use crate::codec::key_form::Role;
use crate::codec::node::Node;
use crate::codec::schema::{SchemaDict, oxidyn_metadata};

/// The stored ones among a model's computed fields.
pub(super) fn build_computed<'py>(
    inner: &Bound<'py, PyDict>,
    kind: &Kind,
    is_root: bool,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Vec<Field>> {
    let mut computed = Vec::new();
    let Some(declared) = inner.member("computed_fields")? else {
        return Ok(computed);
    };
    for declared in declared.try_iter()? {
        let declared = declared?.cast_into::<PyDict>()?;
        let schema = declared.schema("return_schema")?;
        if !is_stored(&schema, builder)? {
            continue;
        }
        let name = declared.text("property_name")?.unwrap_or_default();
        let field = PyDict::new(builder.py);
        field.set_item("schema", schema)?;
        field.set_item("serialization_alias", declared.get_item("alias")?)?;
        let field = builder.inside(name.clone(), |builder| {
            let field = build_field(&name, &field, kind, is_root, builder)?;
            if matches!(field.role, Role::Key(_)) {
                return Err(builder.schema_error(
                    "a table's key is a field, not a computed one: DynamoDB finds an item by it before there is anything \
                     to compute it of",
                ));
            }
            Ok(field)
        })?;
        computed.push(Field {
            // Nothing has to be given back, so nothing need be stored.
            omits_none: true,
            omits_empty: matches!(field.node.unlayered(), Node::Set(_)),
            absent: Absent::Nothing,
            ..field
        });
    }
    Ok(computed)
}

/// Whether the type that is returned has a stored name, or is part of an index.
fn is_stored<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<bool> {
    let mut schema = builder.resolve(schema)?;
    loop {
        if let Some(marks) = oxidyn_metadata(&schema)?
            && marks.has_any(&["name", "roles"])?
        {
            return Ok(true);
        }
        let inner = schema
            .member("schema")?
            .and_then(|inner| inner.cast_into::<PyDict>().ok());
        let is_wrapper = matches!(
            schema.text("type")?.as_deref(),
            Some("nullable" | "default" | "function-before" | "function-after" | "function-wrap")
        );
        match inner {
            Some(inner) if is_wrapper => schema = builder.resolve(&inner)?,
            _ => return Ok(false),
        }
    }
}
