//! `SecretStr`, `SecretBytes`, `Secret[T]`: stored by the secret's value, in the clear, where the field says so.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::known;
use super::layer::LayerNode;
use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::node::Node;
use crate::codec::schema::SchemaDict;

/// The node of a secret's schema, which has a schema for JSON and another for Python; `None` where it is none.
pub fn claim<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let branches = match schema.text("type")?.as_deref() {
        Some("lax-or-strict") => schema.schema("lax_schema")?,
        _ => schema.clone(),
    };
    if branches.text("type")?.as_deref() != Some("json-or-python") {
        return Ok(None);
    }
    let json = branches.schema("json_schema")?;
    if json.text("type")?.as_deref() != Some("function-after") {
        return Ok(None);
    }
    let make = json.schema("function")?.required("function")?;
    let is_generic = known::is_function(&json, "Secret.__get_pydantic_core_schema__.<locals>.<lambda>")?;
    if !is_generic && make.getattr_opt("get_secret_value")?.is_none() {
        return Ok(None);
    }
    if !builder.marks.plaintext {
        return Err(builder.refused(
            "a secret is not stored by accident: Attribute(plaintext=True) on the field stores its value in the clear",
        ));
    }
    let value = json.schema("schema")?;
    let inner = builder.with_validation(ValidatedBy::Node, |builder| builder.build(&value))?;
    Ok(Some(LayerNode::secret(schema, inner, make, builder)))
}
