//! Schemas that lie round another and store what that one stores: `Json[T]`, custom errors, chains, `SkipValidation`,
//! `InstanceOf`, and one schema for each of lax and strict, or of JSON and Python.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{
    PyBool, PyBytes, PyComplex, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet,
    PyString, PyTime, PyTuple,
};

use super::known;
use super::opaque::{OpaqueNode, instance_class, steps};
use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::codec::{infer, python};
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct LayerNode(Box<Layer>);

struct Layer {
    /// The whole, which takes what the inner node does not know: `Json[T]` JSON text.
    own: Box<Own>,
    inner: Node,
    kind: Kind,
    /// A validator further out takes what is read.
    is_validated_outside: bool,
}

enum Kind {
    /// It changes nothing of what is stored and read.
    Plain,
    /// What is read becomes JSON text again: the validator further out takes nothing else.
    JsonText,
    /// The whole validates what was read.
    Checked,
    /// A refusal becomes the layer's own error: what makes it, and what that takes.
    OwnError(Py<PyAny>, Py<PyTuple>),
    /// The value may be of any type, so what the inner node refuses goes by its own.
    Unvalidated,
    /// A refusal shows nothing of the value.
    Hidden,
    /// The value lies in a secret, which this makes of it.
    Secret(Py<PyAny>),
}

impl LayerNode {
    fn round<'py>(schema: &Bound<'py, PyDict>, inner: Node, kind: Kind, builder: &Builder<'_, 'py>) -> Node {
        Self(Box::new(Layer {
            own: builder.own(schema),
            inner,
            kind,
            is_validated_outside: builder.validated_by != ValidatedBy::Node,
        }))
        .into()
    }

    /// Round a field's node whose values are secrets.
    pub fn hiding<'py>(schema: &Bound<'py, PyDict>, inner: Node, builder: &Builder<'_, 'py>) -> Node {
        Self::round(schema, inner, Kind::Hidden, builder)
    }

    /// A secret's value, by the node of its type.
    pub fn secret<'py>(
        schema: &Bound<'py, PyDict>,
        inner: Node,
        make: Bound<'py, PyAny>,
        builder: &Builder<'_, 'py>,
    ) -> Node {
        Self::round(schema, inner, Kind::Secret(make.unbind()), builder)
    }

    pub fn inner(&self) -> &Node {
        &self.0.inner
    }

    pub fn hides(&self) -> bool {
        matches!(self.0.kind, Kind::Hidden)
    }

    pub fn is_secret(&self) -> bool {
        matches!(self.0.kind, Kind::Secret(_))
    }

    /// Whether what the inner node reads is what is read.
    pub fn is_transparent(&self) -> bool {
        matches!(self.0.kind, Kind::Plain | Kind::Hidden | Kind::OwnError(..))
    }
}

// ---- build ----

/// `SkipValidation[T]` is anything, with a serializer that knows T.
pub fn claim_unvalidated<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let Some(serializer) = schema.member("serialization")? else {
        return Ok(None);
    };
    let serializer = serializer.cast_into::<PyDict>()?;
    if !known::is_function(
        &serializer,
        "SkipValidation.__get_pydantic_core_schema__.<locals>.<lambda>",
    )? {
        return Ok(None);
    }
    let inner = builder.build(&serializer.schema("schema")?)?;
    // In a key other types would be other forms, so there the type holds.
    if builder.ordered {
        return Ok(Some(inner));
    }
    Ok(Some(LayerNode::round(schema, inner, Kind::Unvalidated, builder)))
}

/// `InstanceOf[T]` of a type that has a schema.
pub fn claim_instance_of<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let Some(python) = schema.member("python_schema")? else {
        return Ok(None);
    };
    let Some(serializer) = python.cast_into::<PyDict>()?.member("serialization")? else {
        return Ok(None);
    };
    let serializer = serializer.cast_into::<PyDict>()?;
    if !known::is_function(&serializer, "InstanceOf.__get_pydantic_core_schema__.<locals>.<lambda>")? {
        return Ok(None);
    }
    // It takes instances and nothing else, whoever validates it.
    let json = schema.schema("json_schema")?;
    let inner = builder.with_validation(ValidatedBy::Node, |builder| builder.build(&json))?;
    if matches!(inner, Node::Model(_) | Node::Reference(_)) {
        return Ok(Some(inner));
    }
    Ok(Some(LayerNode::round(schema, inner, Kind::Plain, builder)))
}

/// The schema of a class's instances, where a class alone says how they are stored.
pub fn schema_of_class<'py>(
    class: &Bound<'py, PyAny>,
    builder: &Builder<'_, 'py>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let py = builder.py;
    let classes = [
        (py.get_type::<PyString>().into_any(), "str"),
        (py.get_type::<PyInt>().into_any(), "int"),
        (py.get_type::<PyFloat>().into_any(), "float"),
        (py.get_type::<PyBool>().into_any(), "bool"),
        (py.get_type::<PyBytes>().into_any(), "bytes"),
        (py.get_type::<PyDict>().into_any(), "dict"),
        (py.get_type::<PyList>().into_any(), "list"),
        (py.get_type::<PySet>().into_any(), "set"),
        (py.get_type::<PyFrozenSet>().into_any(), "frozenset"),
        (py.get_type::<PyTuple>().into_any(), "tuple"),
        (py.get_type::<PyDateTime>().into_any(), "datetime"),
        (py.get_type::<PyDate>().into_any(), "date"),
        (py.get_type::<PyTime>().into_any(), "time"),
        (py.get_type::<PyDelta>().into_any(), "timedelta"),
        (py.get_type::<PyComplex>().into_any(), "complex"),
        (python::decimal(py)?.clone(), "decimal"),
        (python::uuid(py)?.clone(), "uuid"),
        (python::object(py)?.clone(), "any"),
        // What is stored is told by type all the same; the whole says whether what comes back is hashable.
        (python::hashable(py)?.clone(), "any"),
    ];
    let Some((_, kind)) = classes.iter().find(|(known, _)| known.is(class)) else {
        return Ok(None);
    };
    let schema = PyDict::new(py);
    schema.set_item("type", kind)?;
    if *kind == "tuple" {
        let any = PyDict::new(py);
        any.set_item("type", "any")?;
        schema.set_item("items_schema", [any])?;
        schema.set_item("variadic_item_index", 0)?;
    }
    Ok(Some(schema))
}

/// Instances of a class, whatever shows them: of a model, its own schema says how they are stored.
pub fn claim_instance<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Option<Node>> {
    let class = schema.required("cls")?;
    if class.hasattr("__pydantic_core_schema__")? {
        return Ok(None);
    }
    if let Some(of_class) = schema_of_class(&class, builder)? {
        let inner = builder.build(&of_class)?;
        return Ok(Some(LayerNode::round(schema, inner, Kind::Checked, builder)));
    }
    let name = class
        .getattr_opt("__name__")?
        .map_or_else(|| class.str(), |name| name.str())?;
    Err(builder.refused(&format!(
        "an instance of {name} cannot be made of what is stored: give the field a PlainValidator that makes one (or a \
         BeforeValidator) and a PlainSerializer, or give the class a `__get_pydantic_core_schema__`"
    )))
}

/// The first of the branches that is stored natively; if none is, what the schema says as a whole.
fn build_branches<'py>(
    schema: &Bound<'py, PyDict>,
    branches: [&str; 2],
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Node> {
    let first = schema.schema(branches[0])?;
    let inner = match builder.attempt(&first)? {
        Some(node) => node,
        None => {
            let second = schema.schema(branches[1])?;
            match builder.attempt(&second)? {
                Some(node) => node,
                None => return OpaqueNode::build(schema, builder),
            }
        }
    };
    Ok(LayerNode::round(schema, inner, Kind::Plain, builder))
}

/// A chain holds what its last step gives.
fn build_chain<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    let steps = steps(schema)?;
    let mut nodes = Vec::with_capacity(steps.len());
    for step in &steps {
        let makes = step.text("type")?.is_some_and(|kind| kind.starts_with("function-"));
        let class = instance_class(step, builder, 0)?;
        let is_foreign = class.map_or(Ok(None), |class| Ok(Some(schema_of_class(&class, builder)?.is_none())));
        if makes || is_foreign.map_err(|error: PyErr| error)? == Some(true) {
            return OpaqueNode::build(schema, builder).map(|node| match node {
                Node::Opaque(node) => node.doubtful().into(),
                node => node,
            });
        }
        nodes.push(builder.build(step)?);
    }
    let Some(inner) = nodes.pop() else {
        return Err(builder.refused("a chain without steps holds nothing"));
    };
    // Steps of other types are what makes the value of an input, which is not what is stored.
    let is_of_one_type = nodes.iter().all(|node| node.tags().with(inner.tags()) == node.tags());
    let kind = if is_of_one_type { Kind::Checked } else { Kind::Plain };
    Ok(LayerNode::round(schema, inner, kind, builder))
}

fn build_custom_error<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    let py = builder.py;
    let inner = builder.build(&schema.schema("schema")?)?;
    let kind = schema.required("custom_error_type")?;
    let context = schema.member("custom_error_context")?;
    let (class, arguments) = match schema.member("custom_error_message")? {
        Some(message) => (
            python::custom_error(py)?,
            PyTuple::new(py, [Some(kind), Some(message), context])?,
        ),
        None => (python::known_error(py)?, PyTuple::new(py, [Some(kind), context])?),
    };
    let kind = Kind::OwnError(class.clone().unbind(), arguments.unbind());
    Ok(LayerNode::round(schema, inner, kind, builder))
}

impl Codec for LayerNode {
    const KINDS: &'static [&'static str] = &["json", "chain", "custom-error", "lax-or-strict", "json-or-python"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        match schema.text("type")?.as_deref() {
            Some("lax-or-strict") => build_branches(schema, ["strict_schema", "lax_schema"], builder),
            Some("json-or-python") => build_branches(schema, ["python_schema", "json_schema"], builder),
            Some("chain") => build_chain(schema, builder),
            Some("custom-error") => build_custom_error(schema, builder),
            _ => {
                let part = builder.part_schema(schema, "schema")?;
                let inner = builder.with_validation(ValidatedBy::Node, |builder| builder.build(&part))?;
                let kind = match builder.validated_by {
                    ValidatedBy::Node => Kind::Plain,
                    ValidatedBy::Model | ValidatedBy::Function => Kind::JsonText,
                };
                Ok(Self::round(schema, inner, kind, builder))
            }
        }
    }

    fn tags(&self) -> Tags {
        match self.0.kind {
            Kind::Unvalidated => Tags::ALL,
            _ => self.0.inner.tags(),
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        self.0.inner.traverse(visit)?;
        match &self.0.kind {
            Kind::OwnError(class, arguments) => {
                visit.call(class)?;
                visit.call(arguments)
            }
            Kind::Secret(make) => visit.call(make),
            Kind::Plain | Kind::JsonText | Kind::Checked | Kind::Unvalidated | Kind::Hidden => Ok(()),
        }
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        if let Kind::Secret(_) = self.0.kind {
            let Some(reveal) = value.getattr_opt(pyo3::intern!(value.py(), "get_secret_value"))? else {
                return Err(Refusal::unexpected("secret_type", "a secret", value).without_parts());
            };
            let encoded = self.0.inner.encode(&reveal.call0()?, state);
            return encoded.map_err(Refusal::without_parts);
        }
        let start = state.out.len();
        let depth = state.depth;
        let Err(refusal) = self.0.inner.encode(value, state) else {
            return Ok(());
        };
        match self.0.kind {
            Kind::Unvalidated => {
                refusal.may_try_another()?;
                state.out.truncate(start);
                state.depth = depth;
                infer::encode(value, state)
            }
            Kind::Hidden => Err(refusal.without_values()),
            Kind::Plain | Kind::JsonText | Kind::Checked | Kind::OwnError(..) | Kind::Secret(_) => Err(refusal),
        }
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let Layer {
            own,
            inner,
            kind,
            is_validated_outside,
        } = &*self.0;
        let start = reader.position();
        let depth = state.depth;
        let elements = state.elements.len();
        let knows = inner.tags().has(tag);
        if !knows && !matches!(kind, Kind::Unvalidated | Kind::Hidden | Kind::Secret(_)) {
            return if *is_validated_outside {
                infer::decode(tag, reader, state)
            } else {
                own.convert(tag, reader, state)
            };
        }
        let read = inner.decode(tag, reader, state);
        match (kind, read) {
            (Kind::Checked, Ok(value)) if !is_validated_outside => own.validate(&value, false),
            (Kind::JsonText, Ok(value)) => own.to_json_text(&value),
            (Kind::Secret(make), Ok(value)) => Ok(make.bind(state.py).call1((value,))?),
            (_, Ok(value)) => Ok(value),
            (Kind::OwnError(class, arguments), Err(refusal)) => {
                refusal.may_try_another()?;
                let error = class.bind(state.py).call1(arguments.bind(state.py).clone())?;
                Err(Refusal::from_user_code(state.py, PyErr::from_value(error)))
            }
            (Kind::Unvalidated, Err(refusal)) => {
                refusal.may_try_another()?;
                state.depth = depth;
                state.elements.truncate(elements);
                reader.seek(start);
                infer::decode(tag, reader, state)
            }
            (Kind::Hidden, Err(refusal)) => Err(refusal.without_values()),
            // A path inside of it may show a part.
            (Kind::Secret(_), Err(refusal)) => Err(refusal.without_parts()),
            (Kind::Plain | Kind::JsonText | Kind::Checked, Err(refusal)) => Err(refusal),
        }
    }
}
