//! A function's schema, or that of a serializer that counts → its node.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::chain::{Chain, counting_serializer, function_of, is_pydantics};
use super::search::may_be_lenient;
use super::{Finish, Function, Read, Stored};
use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::infer;
use crate::codec::node::{Codec, Node};
use crate::codec::nodes::any::AnyNode;
use crate::codec::nodes::opaque::OpaqueNode;
use crate::codec::options::Load;
use crate::codec::own::Terms;
use crate::codec::schema::{SchemaDict, remove, without_constraints};
use crate::codec::tags::Tags;
use crate::wire::Tag;

/// The node of a schema that is a function or has a serializer that counts; `None` where it is neither.
pub fn build<'py>(kind: &str, schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let is_function = kind.starts_with("function-");
    if !is_function && counting_serializer(schema)?.is_none() {
        return Ok(None);
    }
    let whole = builder.whole.clone().unwrap_or_else(|| schema.clone());
    let chain = Chain::read(&whole, builder)?;
    if let Some(node) = build_decided(&chain, &whole, builder)? {
        return Ok(Some(node));
    }
    if !is_function {
        return Ok(None);
    }
    let (function, _) = function_of(schema)?;
    let is_users = !is_pydantics(&function)?;
    if !is_users && enum_behind(schema, &function, builder)?.is_none() {
        // Pydantic's own types have nodes of their own.
        return Err(builder.unsupported(&format!("a `{kind}` type")));
    }
    let makes = match function.cast::<PyType>() {
        Ok(class) if kind == "function-after" => Some(chain.is_serialized || !infer::is_storable_class(class)?),
        _ => None,
    };
    if kind == "function-plain" || makes == Some(true) {
        return build_made(schema, &whole, builder).map(Some);
    }
    // A class is the type, and no validator of it; so is what makes values of a type that has no form of its own.
    if builder.options.load == Load::Trust
        && is_users
        && makes.is_none()
        && let Some(inner) = builder.attempt(&schema.schema("schema")?)?
    {
        return Ok(Some(inner));
    }
    if kind == "function-after" {
        build_after(schema, &whole, is_users, builder).map(Some)
    } else {
        build_around(schema, &whole, builder).map(Some)
    }
}

/// The node of a schema whose serializer decides the stored form; `None` where it does not, or has none.
pub fn build_by_serializer<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    if counting_serializer(schema)?.is_none() {
        return Ok(None);
    }
    let whole = builder.whole.clone().unwrap_or_else(|| schema.clone());
    let chain = Chain::read(&whole, builder)?;
    build_decided(&chain, &whole, builder)
}

fn build_decided<'py>(
    chain: &Chain<'py>,
    whole: &Bound<'py, PyDict>,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Option<Node>> {
    match &chain.serializer {
        Some(layer) if chain.decides(layer, builder)? => build_serialized(chain, layer, whole, builder).map(Some),
        _ => Ok(None),
    }
}

/// A type that only the function makes: written as its serializer says, read by the wire type alone.
fn build_made<'py>(
    schema: &Bound<'py, PyDict>,
    whole: &Bound<'py, PyDict>,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Node> {
    let inner = OpaqueNode::build(schema, builder)?;
    Function::unread(inner, Stored::Value, whole, builder)
}

/// The decoded value, and then the function.
fn build_after<'py>(
    schema: &Bound<'py, PyDict>,
    whole: &Bound<'py, PyDict>,
    is_users: bool,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Node> {
    let (function, with_info) = function_of(schema)?;
    let inner_schema = schema.schema("schema")?;
    if builder.validated_by != ValidatedBy::Node {
        return builder.build(&inner_schema);
    }
    let is_model = builder
        .resolve(&inner_schema)?
        .text("type")?
        .is_some_and(|kind| kind == "model" || kind == "dataclass");
    if with_info && is_users && is_model {
        // The model is made by the same validator: whoever validated it here would have it validated twice.
        return build_around(schema, whole, builder);
    }
    let inner = builder.build(&inner_schema)?;
    let stored = match enum_behind(schema, &function, builder)? {
        Some(class) => Stored::EnumValue(class.unbind()),
        None => Stored::Value,
    };
    let finish = if with_info {
        Finish::Validate(builder.own_of_functions(schema)?, Terms::default())
    } else {
        Finish::Call(function.unbind(), builder.own(whole))
    };
    Ok(Function {
        inner,
        stored,
        read: Read::Typed,
        lenient: false,
        finish,
    }
    .into_node())
}

/// Pydantic's own validator of the field, on what it would get.
fn build_around<'py>(
    schema: &Bound<'py, PyDict>,
    whole: &Bound<'py, PyDict>,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Node> {
    let inner_schema = without_constraints(&schema.schema("schema")?)?;
    let outside = builder.validated_by != ValidatedBy::Node;
    let outer_terms = std::mem::take(&mut builder.terms);
    let native = builder.with_validation(ValidatedBy::Function, |builder| builder.attempt(&inner_schema))?;
    let terms = std::mem::replace(&mut builder.terms, outer_terms);
    let lenient = may_be_lenient(&inner_schema, builder)?;
    let finish = if outside {
        builder.terms = builder.terms.and(terms);
        Finish::Outside
    } else {
        Finish::Validate(builder.own_of_functions(whole)?, terms)
    };
    let (inner, read) = match native {
        Some(inner) => (inner, Read::Typed),
        // The function makes what has no form of its own.
        None => (OpaqueNode::build(schema, builder)?, Read::Untyped),
    };
    Ok(Function {
        inner,
        stored: Stored::Value,
        read,
        lenient,
        finish,
    }
    .into_node())
}

fn build_serialized<'py>(
    chain: &Chain<'py>,
    layer: &Bound<'py, PyDict>,
    whole: &Bound<'py, PyDict>,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Node> {
    let serializer = layer.schema("serialization")?;
    let tags = match serializer.member("return_schema")? {
        Some(returned) => tags_of_returned(&returned.cast_into()?, &serializer)?,
        None => Tags::ALL,
    };
    let stored = if serializer.flag("is_field_serializer")?.unwrap_or(false) {
        Stored::SerializedByField(tags)
    } else {
        Stored::Serialized(builder.own(layer), tags)
    };
    let node = Function::unread(AnyNode.into(), stored, whole, builder)?;
    // A model's fields are wanted all the same: for its keys and for references.
    let kind = chain.innermost.text("type")?.unwrap_or_default();
    if !matches!(kind.as_str(), "model" | "dataclass" | "typed-dict") {
        return Ok(node);
    }
    let Node::Function(mut node) = node else {
        return Ok(node);
    };
    let innermost = chain.innermost.copy()?;
    remove(&innermost, &["serialization"])?;
    node.0.inner = builder.with_validation(ValidatedBy::Function, |builder| builder.build_layer(&innermost))?;
    Ok(Node::Function(node))
}

/// The enum whose members' values an instance holds: `use_enum_values` puts a getter of the value around the enum.
fn enum_behind<'py>(
    schema: &Bound<'py, PyDict>,
    function: &Bound<'py, PyAny>,
    builder: &Builder<'_, 'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(inner) = schema.member("schema")? else {
        return Ok(None);
    };
    let inner = builder.resolve(&inner.cast_into()?)?;
    if inner.text("type")?.as_deref() != Some("enum") || !is_pydantics(function)? {
        return Ok(None);
    }
    inner.member("cls")
}

/// The wire types of a serializer's result, by its return type.
fn tags_of_returned(returned: &Bound<'_, PyDict>, serializer: &Bound<'_, PyDict>) -> PyResult<Tags> {
    let tags = match returned.text("type")?.as_deref() {
        Some("str") => Tags::of(Tag::S),
        Some("int" | "float" | "decimal") => Tags::of(Tag::N),
        Some("bytes") => Tags::of(Tag::B),
        Some("bool") => Tags::of(Tag::Bool),
        Some("list" | "tuple") => Tags::of(Tag::L),
        Some("dict" | "typed-dict") => Tags::of(Tag::M),
        _ => return Ok(Tags::ALL),
    };
    let unless_none = serializer.text("when_used")?.is_some_and(|used| used == "unless-none");
    Ok(if unless_none { tags.and(Tag::Null) } else { tags })
}
