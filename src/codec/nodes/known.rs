//! Pydantic's own types, told by the functions and classes in their core schemas: how each is stored. What has a `type`
//! of its own in the schema needs no telling and is a node's own to build.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple, PyType};

use super::layer;
use super::opaque::{ADDRESSES, FRACTIONS, OpaqueNode, Writing, instance_class};
use super::secret;
use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::options::Load;
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::codec::tags::Tags;
use crate::wire::Tag;

/// A validator's function, by its name.
struct Function<'py> {
    object: Bound<'py, PyAny>,
    module: String,
    name: String,
}

impl<'py> Function<'py> {
    /// The function of a `function-*` schema; `None` where it has no name.
    fn of(schema: &Bound<'py, PyDict>) -> PyResult<Option<Self>> {
        let Some(function) = schema.member("function")? else {
            return Ok(None);
        };
        let object = match function.cast::<PyDict>() {
            Ok(described) => described.required("function")?,
            Err(_) => function,
        };
        let text = |name: &str| -> PyResult<Option<String>> {
            Ok(object.getattr_opt(name)?.and_then(|text| text.extract().ok()))
        };
        let (Some(module), Some(name)) = (text("__module__")?, text("__qualname__")?) else {
            return Ok(None);
        };
        Ok(Some(Self { object, module, name }))
    }

    fn is_pydantic(&self) -> bool {
        self.module.starts_with("pydantic.")
    }

    /// What a bound method is bound to.
    fn owner(&self) -> PyResult<Bound<'py, PyAny>> {
        self.object.getattr("__self__")
    }

    /// A variable of the function around it.
    fn captured(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let names: Vec<String> = self.object.getattr("__code__")?.getattr("co_freevars")?.extract()?;
        let Some(place) = names.iter().position(|free| free == name) else {
            return Ok(None);
        };
        let cell = self.object.getattr("__closure__")?.get_item(place)?;
        cell.getattr("cell_contents").map(Some)
    }
}

/// Whether a function is Pydantic's own, of this qualified name.
pub fn is_function(schema: &Bound<'_, PyDict>, name: &str) -> PyResult<bool> {
    Ok(Function::of(schema)?.is_some_and(|function| function.is_pydantic() && function.name == name))
}

/// Whether a function of Pydantic's makes the type that it stands in, whose values are not those of the schema inside.
pub fn makes_type(schema: &Bound<'_, PyDict>) -> PyResult<bool> {
    let Some(function) = Function::of(schema)?.filter(Function::is_pydantic) else {
        return Ok(false);
    };
    let checks = matches!(
        function.name.as_str(),
        "EmailStr._validate" | "PaymentCardNumber.validate"
    ) || function.name.starts_with(PATHS);
    Ok(!checks)
}

/// The node of a type that is told by functions and classes; `None` where it is none of Pydantic's own, nor a class of
/// the user's with a schema that makes it.
pub fn claim<'py>(kind: &str, schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    match kind {
        "function-plain" => claim_plain(schema, builder),
        "function-before" if is_function(schema, "import_string")? => import_string(schema, builder).map(Some),
        "function-after" => claim_after(schema, builder),
        "function-wrap" => claim_wrap(schema, builder),
        "lax-or-strict" | "json-or-python" => claim_branches(schema, builder),
        "is-instance" => layer::claim_instance(schema, builder),
        "any" => layer::claim_unvalidated(schema, builder),
        _ => Ok(None),
    }
}

fn claim_plain<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let py = builder.py;
    let Some(function) = Function::of(schema)?.filter(Function::is_pydantic) else {
        return Ok(None);
    };
    let classes = |first: &Bound<'py, PyAny>, second: &Bound<'py, PyAny>| -> PyResult<Bound<'py, PyAny>> {
        Ok(PyTuple::new(py, [first, second])?.into_any())
    };
    let node = match function.name.as_str() {
        "IPvAnyAddress._validate" => OpaqueNode::text(
            schema,
            classes(python::ipv4_address(py)?, python::ipv6_address(py)?)?,
            builder,
        )?,
        "IPvAnyInterface._validate" => OpaqueNode::text(
            schema,
            classes(python::ipv4_interface(py)?, python::ipv6_interface(py)?)?,
            builder,
        )?,
        "IPvAnyNetwork._validate" => OpaqueNode::text(
            schema,
            classes(python::ipv4_network(py)?, python::ipv6_network(py)?)?,
            builder,
        )?,
        "pattern_either_validator" | "pattern_str_validator" | "pattern_bytes_validator" => {
            let tags = match function.name.as_str() {
                "pattern_str_validator" => Tags::of(Tag::S),
                "pattern_bytes_validator" => Tags::of(Tag::B),
                _ => Tags::of(Tag::S).and(Tag::B),
            };
            let writing = Writing::Attribute(python::pattern(py)?.clone().unbind(), "pattern");
            return Ok(Some(
                OpaqueNode::known(schema, writing, tags, builder)?.doubtful().into(),
            ));
        }
        "validate_str_is_valid_iana_tz" => {
            return Ok(Some(
                OpaqueNode::text(schema, python::zone_info(py)?.clone(), builder)?.into(),
            ));
        }
        "import_string" => return import_string(schema, builder).map(Some),
        _ => return unknown(schema, builder).map(Some),
    };
    Ok(Some(node.disordered(ADDRESSES).into()))
}

fn import_string<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    let writing = Writing::Called(python::import_string_text(builder.py)?.clone().unbind());
    Ok(OpaqueNode::known(schema, writing, Tags::ALL, builder)?
        .doubtful()
        .into())
}

/// The validators of `FilePath` and its kin.
const PATHS: &str = "PathType.validate_";

fn claim_after<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let py = builder.py;
    let Some(function) = Function::of(schema)? else {
        return Ok(None);
    };
    if function.module == "pydantic_extra_types.epoch" {
        // Its serializer gives the number that its validator takes, and nothing else.
        return OpaqueNode::of_function(schema, builder).map(Some);
    }
    if !function.is_pydantic() {
        return Ok(None);
    }
    let encoded =
        |method: &str| -> PyResult<Writing> { Ok(Writing::Called(function.owner()?.getattr(method)?.unbind())) };
    let node = match function.name.as_str() {
        "ByteSize._validate" => {
            let writing = Writing::Called(py.get_type::<PyInt>().into_any().unbind());
            OpaqueNode::known(schema, writing, Tags::of(Tag::N), builder)?
        }
        // The encoded form is what the type's validator takes, so that is what is stored.
        "EncodedBytes.decode" => {
            OpaqueNode::known(schema, encoded("encode")?, Tags::of(Tag::B), builder)?.encoded(builder)
        }
        "EncodedStr.decode_str" => {
            OpaqueNode::known(schema, encoded("encode_str")?, Tags::of(Tag::S), builder)?.encoded(builder)
        }
        // What was a file or an address when it was stored is not asked again where stored values are trusted.
        name if builder.options.load == Load::Trust && (name == "EmailStr._validate" || name.starts_with(PATHS)) => {
            return builder.build(&schema.schema("schema")?).map(Some);
        }
        "EmailStr._validate" => OpaqueNode::text(schema, py.get_type::<PyString>().into_any(), builder)?,
        "PaymentCardNumber.validate" => OpaqueNode::text(schema, function.owner()?, builder)?,
        "NameEmail._validate" => OpaqueNode::text(schema, function.owner()?, builder)?.doubtful(),
        name if name.starts_with(PATHS) => match instance_class(schema, builder, 0)? {
            Some(class) => OpaqueNode::text(schema, class, builder)?,
            None => return Ok(None),
        },
        // Of a type that this version does not know.
        _ => return unknown(schema, builder).map(Some),
    };
    Ok(Some(node.into()))
}

/// A type of Pydantic's of which nothing is known: whether its values come back is seen when they are stored.
fn unknown<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    Ok(match OpaqueNode::build(schema, builder)? {
        Node::Opaque(node) => node.doubtful().into(),
        node => node,
    })
}

fn claim_wrap<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let inner = schema.schema("schema")?.text("type")?;
    if !matches!(inner.as_deref(), Some("url" | "multi-host-url")) {
        return Ok(None);
    }
    let Some(function) = Function::of(schema)?.filter(Function::is_pydantic) else {
        return Ok(None);
    };
    match function.captured("source")? {
        Some(class) => Ok(Some(OpaqueNode::text(schema, class, builder)?.into())),
        None => Ok(None),
    }
}

/// What has one schema for lax and another for strict, or one for JSON and another for Python.
fn claim_branches<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    if let Some(node) = secret::claim(schema, builder)? {
        return Ok(Some(node));
    }
    if let Some(node) = layer::claim_instance_of(schema, builder)? {
        return Ok(Some(node));
    }
    let Some(class) = instance_class(schema, builder, 0)? else {
        return Ok(None);
    };
    if let Some(node) = of_class(&class, schema, builder)? {
        return Ok(Some(node.into()));
    }
    let module = class.getattr_opt("__module__")?;
    let module: Option<String> = module.and_then(|module| module.extract().ok());
    let is_collection = matches!(module.as_deref(), Some("collections" | "collections.abc" | "typing"));
    if is_collection || layer::schema_of_class(&class, builder)?.is_some() {
        return Ok(None);
    }
    OpaqueNode::build(schema, builder).map(Some)
}

/// The node of a class that is known to be stored as its text.
fn of_class<'py>(
    class: &Bound<'py, PyAny>,
    schema: &Bound<'py, PyDict>,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Option<OpaqueNode>> {
    let py = builder.py;
    let addresses = [
        python::ipv4_address(py)?,
        python::ipv6_address(py)?,
        python::ipv4_interface(py)?,
        python::ipv6_interface(py)?,
        python::ipv4_network(py)?,
        python::ipv6_network(py)?,
    ];
    let text = |builder: &mut Builder<'_, 'py>| OpaqueNode::text(schema, class.clone(), builder);
    if addresses.iter().any(|address| class.is(*address)) {
        return Ok(Some(text(builder)?.disordered(ADDRESSES)));
    }
    if class.is(python::fraction(py)?) {
        return Ok(Some(text(builder)?.disordered(FRACTIONS)));
    }
    let is_path = match class.cast::<PyType>() {
        Ok(class) => class.is(python::path_like(py)?) || class.is_subclass(python::pure_path(py)?)?,
        Err(_) => false,
    };
    is_path.then(|| text(builder)).transpose()
}

/// The error for a type that no node is made of.
#[cold]
pub fn refuse(kind: &str, builder: &Builder<'_, '_>) -> PyErr {
    let advice = "give the field a PlainValidator that makes it of what is stored, and a PlainSerializer for that";
    match kind {
        "callable" => builder.refused(&format!(
            "a callable is code, which is not stored: ImportString stores the name of one, or {advice}"
        )),
        "is-subclass" => builder.refused(&format!(
            "a class is code, which is not stored: ImportString stores the name of one, or {advice}"
        )),
        "is-instance" => builder.refused(&format!(
            "an instance of a class cannot be made of what is stored: {advice}"
        )),
        "ellipsis" | "invalid" => builder.refused(&format!(
            "its schema (`{kind}`) takes no value that could be stored: {advice}"
        )),
        _ if kind.starts_with("function-") => builder.unsupported(&format!("a field with a validator (`{kind}`)")),
        _ => builder.unsupported(&format!("a `{kind}` type")),
    }
}
