//! Validators and serializers of the user's: what only Python can do.
//!
//! Everything around them stays native. A function that runs *after* is called with the decoded value. A before, wrap or
//! plain validator expects what `model_validate` gets, so what lies below it is decoded to that (models to dicts) and
//! handed to Pydantic's own validator of the field, once. A validator that looks at the other fields leaves its whole
//! model to the model's own validator (`nodes/model/values.rs`).
//!
//! A serializer decides the stored form only where something can undo it; otherwise it is presentation.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};

use super::any::AnyNode;
use super::known;
use super::model::{Model, holder_of_fields};
use super::opaque::OpaqueNode;
use crate::codec::node::{Codec, Node};
use crate::codec::options::Load;
use crate::codec::own::Terms;
use crate::codec::schema::{
    Builder, Own, SchemaDict, Tags, ValidatedBy, oxidyn_metadata, remove, serializes_as_any, without_constraints,
};
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::{infer, python};
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct FunctionNode(Box<Function>);

struct Function {
    inner: Node,
    stored: Stored,
    read: Read,
    /// What `inner` refuses is read without a type: the function may know what to do with it.
    lenient: bool,
    finish: Finish,
}

/// What is written.
enum Stored {
    /// The value, by the inner type.
    Value,
    /// The value of an enum's member, which instances hold in place of the member (`use_enum_values`).
    EnumValue(Py<PyAny>),
    /// What the serializer makes of the value, of these wire types.
    Serialized(Box<Own>, Tags),
    /// What a field's serializer made of the instance that holds it.
    SerializedByField(Tags),
}

/// How it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Typed,
    /// By the wire type alone.
    Untyped,
}

/// What makes the decoded value the field's.
enum Finish {
    /// A validator further out.
    Outside,
    /// The function itself; where it asks Pydantic for the field's default, the field's own schema.
    Call(Py<PyAny>, Box<Own>),
    /// Pydantic's own validator, in which the function runs.
    Validate(Box<Own>, Terms),
}

/// What stands around a type, from the outermost default, `| None` or function to the type itself.
struct Chain<'py> {
    /// The first serializer that counts for stored values.
    serializer: Option<Bound<'py, PyDict>>,
    /// `Attribute(serializer=...)`.
    says: Option<bool>,
    /// A before, wrap or plain validator of the user's, or a class that is called: it can undo a serializer.
    undoes: bool,
    /// An after validator of the user's on a type that is no model.
    after: bool,
    /// There is a serializer that is not of Pydantic's own types, for Python or for JSON.
    is_serialized: bool,
    innermost: Bound<'py, PyDict>,
}

impl FunctionNode {
    /// A type whose functions a validator further out runs, and which is told its members by them.
    pub fn left_outside(inner: Node, builder: &mut Builder<'_, '_>) -> Node {
        builder.terms.lax = true;
        Function {
            inner,
            stored: Stored::Value,
            read: Read::Untyped,
            lenient: false,
            finish: Finish::Outside,
        }
        .into_node()
    }

    /// A type whose refused values Pydantic replaces by the default.
    pub fn replaced<'py>(inner: Node, schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<Node> {
        let lenient = may_be_lenient(schema, builder)?;
        let finish = if builder.validated_by == ValidatedBy::Node {
            Finish::Validate(builder.own(schema), Terms::default())
        } else {
            Finish::Outside
        };
        let function = Function {
            inner,
            stored: Stored::Value,
            read: Read::Typed,
            lenient,
            finish,
        };
        Ok(function.into_node())
    }

    /// The type below the functions, where values of it are stored.
    pub fn inner(&self) -> Option<&Node> {
        match self.0.stored {
            Stored::Value | Stored::EnumValue(_) => Some(&self.0.inner),
            Stored::Serialized(..) | Stored::SerializedByField(_) => None,
        }
    }

    /// The model below the functions, however it is stored.
    pub fn model(&self) -> Option<&Model> {
        self.0.inner.model()
    }

    /// The serializer is a method of the model's, and needs the instance.
    pub fn needs_instance(&self) -> bool {
        matches!(self.0.stored, Stored::SerializedByField(_))
    }

    /// Append an item's attributes.
    pub fn encode_attributes(&self, item: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let Stored::Serialized(own, _) = &self.0.stored else {
            return self.0.inner.encode_attributes(item, state);
        };
        if let Some(model) = self.model() {
            model.check_instance(item)?;
        }
        let attributes = own.to_python(item)?;
        let Ok(attributes) = attributes.cast::<PyDict>() else {
            return Err(Refusal::unexpected(
                "dict_type",
                "a dict from the model's serializer",
                &attributes,
            ));
        };
        infer::encode_members(attributes, state)
    }
}

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
    let own = builder.own(whole);
    let inner = OpaqueNode::build(schema, builder)?;
    Ok(Function::unread(inner, Stored::Value, own, builder))
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
        Finish::Validate(builder.own(schema), Terms::default())
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
        Finish::Validate(builder.own(whole), terms)
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
    let node = Function::unread(AnyNode.into(), stored, builder.own(whole), builder);
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

impl Function {
    /// A value that no node can read: decoded by its wire type, and left to Pydantic.
    fn unread(inner: Node, stored: Stored, own: Box<Own>, builder: &Builder<'_, '_>) -> Node {
        let finish = if builder.validated_by == ValidatedBy::Node {
            Finish::Validate(own, Terms::default())
        } else {
            Finish::Outside
        };
        Self {
            inner,
            stored,
            read: Read::Untyped,
            lenient: false,
            finish,
        }
        .into_node()
    }

    fn into_node(self) -> Node {
        FunctionNode(Box::new(self)).into()
    }

    fn finish<'py>(&self, value: Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        match &self.finish {
            Finish::Outside => Ok(value),
            Finish::Call(function, own) => call(function.bind(value.py()), value, own),
            Finish::Validate(own, terms) => own.validate_on(*terms, &value),
        }
    }
}

impl Codec for FunctionNode {
    /// [`build`] makes it, before others are asked: it depends on what stands around the schema.
    const KINDS: &'static [&'static str] = &[];

    fn build(_schema: &Bound<'_, PyDict>, builder: &mut Builder<'_, '_>) -> PyResult<Node> {
        Err(builder.unsupported("a function without a type"))
    }

    fn tags(&self) -> Tags {
        match &self.0.stored {
            Stored::Value | Stored::EnumValue(_) => self.0.inner.tags(),
            Stored::Serialized(_, tags) | Stored::SerializedByField(tags) => *tags,
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let function = &*self.0;
        function.inner.traverse(visit)?;
        match &function.stored {
            Stored::Value | Stored::SerializedByField(_) => {}
            Stored::EnumValue(class) => visit.call(class)?,
            Stored::Serialized(own, _) => own.traverse(visit)?,
        }
        match &function.finish {
            Finish::Outside => Ok(()),
            Finish::Call(function, own) => {
                visit.call(function)?;
                own.traverse(visit)
            }
            Finish::Validate(own, _) => own.traverse(visit),
        }
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        match &self.0.stored {
            Stored::Value => self.0.inner.encode(value, state),
            Stored::EnumValue(class) => {
                let class = class.bind(value.py());
                if value.is_instance(class)? {
                    return self.0.inner.encode(value, state);
                }
                let member = class
                    .call1((value,))
                    .map_err(|error| Refusal::from_user_code(value.py(), error))?;
                self.0.inner.encode(&member, state)
            }
            Stored::Serialized(own, tags) => encode_serialized(&own.to_python(value)?, *tags, state),
            Stored::SerializedByField(tags) => encode_serialized(value, *tags, state),
        }
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let function = &*self.0;
        let value = match function.read {
            Read::Untyped => infer::decode(tag, reader, state)?,
            Read::Typed if !function.lenient => function.inner.decode(tag, reader, state)?,
            Read::Typed => {
                let start = reader.position();
                let depth = state.depth;
                let elements = state.elements.len();
                function.inner.decode(tag, reader, state).or_else(|refusal| {
                    refusal.may_try_another()?;
                    reader.seek(start);
                    state.depth = depth;
                    state.elements.truncate(elements);
                    infer::decode(tag, reader, state)
                })?
            }
        };
        function.finish(value)
    }
}

fn encode_serialized(value: &Bound<'_, PyAny>, tags: Tags, state: &mut Encoding<'_>) -> Outcome<()> {
    let start = state.out.len();
    infer::encode(value, state)?;
    let tag = Reader::new(&state.out[start..]).tag()?;
    if tags.has(tag) {
        return Ok(());
    }
    let found = format!(
        "a result that is stored as {}, where its return type says otherwise",
        tag.name()
    );
    Err(Refusal::new("serialization", format!("the serializer gave {found}")))
}

fn call<'py>(function: &Bound<'py, PyAny>, value: Bound<'py, PyAny>, own: &Own) -> Outcome<Bound<'py, PyAny>> {
    let py = value.py();
    let error = match function.call1((&value,)) {
        Ok(result) => return Ok(result),
        Err(error) => error,
    };
    if error.is_instance(py, python::use_default(py)?) || error.is_instance(py, python::omit(py)?) {
        return own.validate(&value, false);
    }
    Err(Refusal::from_user_code(py, error).with_input(&value))
}

impl<'py> Chain<'py> {
    fn read(whole: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<Self> {
        let mut chain = Self {
            serializer: None,
            says: None,
            undoes: false,
            after: false,
            is_serialized: false,
            innermost: whole.clone(),
        };
        let mut afters = false;
        loop {
            let layer = builder.resolve(&chain.innermost)?;
            if chain.says.is_none()
                && let Some(marks) = oxidyn_metadata(&layer)?
            {
                chain.says = marks.flag("serializer")?;
            }
            if let Some(serializer) = layer.member("serialization")? {
                chain.is_serialized |= match serializer.cast::<PyDict>()?.member("function")? {
                    Some(function) => !is_pydantics(&function)?,
                    None => true,
                };
            }
            if chain.serializer.is_none() && counting_serializer(&layer)?.is_some() {
                chain.serializer = Some(layer.clone());
            }
            let kind = layer.text("type")?.unwrap_or_default();
            if kind.starts_with("function-") {
                let (function, _) = function_of(&layer)?;
                // What calls a class makes an instance of what is stored.
                let checks = kind == "function-after" && !is_class(&function);
                let is_users = !is_pydantics(&function)?;
                afters |= is_users && checks;
                chain.undoes |= is_users && !checks;
            }
            let Some(inner) = layer.member("schema")?.filter(|_| is_transparent(&kind)) else {
                let is_model = matches!(kind.as_str(), "model" | "dataclass");
                chain.undoes |= is_model && holder_of_fields(&layer)?.1;
                // An after validator of a model gets the finished instance: it is a check.
                chain.after = afters && !is_model;
                chain.innermost = layer;
                return Ok(chain);
            };
            chain.innermost = inner.cast_into()?;
        }
    }

    /// Whether this serializer's result is what is stored.
    fn decides(&self, layer: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<bool> {
        if let Some(says) = self.says {
            return Ok(says);
        }
        let serializer = layer.schema("serialization")?;
        if let Some(function) = serializer.member("function")?
            && (is_pydantics(&function)? || known::makes_type(layer)?)
        {
            return Ok(false);
        }
        if !self.undoes && self.after {
            return Err(builder.schema_error(
                "has a serializer and an after validator, and nothing tells whether the validator undoes the serializer: \
                 say Attribute(serializer=True) to store what the serializer gives and have the validators read it, or \
                 Attribute(serializer=False) to store the value itself",
            ));
        }
        Ok(self.undoes)
    }
}

/// Whether a schema stands around another of the same value.
pub fn is_transparent(kind: &str) -> bool {
    matches!(kind, "default" | "nullable") || kind.starts_with("function-") && kind != "function-plain"
}

/// The serializer of a schema, where it counts for python values: what is for JSON only is for an API.
fn counting_serializer<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(serializer) = schema.member("serialization")? else {
        return Ok(None);
    };
    let serializer = serializer.cast_into::<PyDict>()?;
    let kind = serializer.text("type")?.unwrap_or_default();
    let json_only = serializer
        .text("when_used")?
        .is_some_and(|used| used.starts_with("json"));
    let counts = kind.starts_with("function-") && !json_only && !serializes_as_any(schema)?;
    Ok(counts.then_some(serializer))
}

/// Whether a type has a serializer of the user's for python values.
pub fn has_serializer(schema: &Bound<'_, PyDict>) -> PyResult<bool> {
    Ok(counting_serializer(schema)?.is_some())
}

/// A function schema's function, and whether it takes the validation's info.
fn function_of<'py>(schema: &Bound<'py, PyDict>) -> PyResult<(Bound<'py, PyAny>, bool)> {
    let function = schema.schema("function")?;
    let with_info = function.text("type")?.is_some_and(|kind| kind == "with-info");
    Ok((function.required("function")?, with_info))
}

fn is_class(function: &Bound<'_, PyAny>) -> bool {
    function.is_instance_of::<PyType>()
}

/// Pydantic's own functions belong to its types; what they do is known.
pub fn is_pydantics(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    let module = function.getattr_opt(pyo3::intern!(function.py(), "__module__"))?;
    let module = module.and_then(|module| module.extract::<String>().ok());
    // Of the standard library Pydantic calls getters and, for addresses, their classes.
    Ok(module.is_some_and(|module| {
        matches!(&*module, "operator" | "ipaddress" | "pydantic") || module.starts_with("pydantic.")
    }))
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
