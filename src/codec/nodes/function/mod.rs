//! Validators and serializers of the user's: what only Python can do.
//!
//! Everything around them stays native. A function that runs *after* is called with the decoded value. A before, wrap or
//! plain validator expects what `model_validate` gets, so what lies below it is decoded to that (models to dicts) and
//! handed to Pydantic's own validator of the field, once. A validator that looks at the other fields leaves its whole
//! model to the model's own validator (`nodes/model/values.rs`).
//!
//! A serializer decides the stored form only where something can undo it; otherwise it is presentation.
//!
//! | file | what it holds |
//! |---|---|
//! | `build` | a function's schema → its node |
//! | `chain` | what stands around a type, and whether a serializer decides what is stored |
//! | `search` | whether there are functions, or models, anywhere in a schema |

mod build;
mod chain;
mod search;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyDict;

pub use build::{build, build_by_serializer};
pub use chain::{has_serializer, is_transparent};
pub use search::{Wanted, holds, may_be_lenient};

use super::model::Model;
use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::own::Terms;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
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
    pub fn replaced<'py>(inner: Node, schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let lenient = may_be_lenient(schema, builder)?;
        let finish = if builder.validated_by == ValidatedBy::Node {
            Finish::Validate(builder.own_of_functions(schema)?, Terms::default())
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

impl Function {
    /// A value that no node can read: decoded by its wire type, and left to Pydantic.
    fn unread<'py>(
        inner: Node,
        stored: Stored,
        schema: &Bound<'py, PyDict>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Node> {
        let finish = if builder.validated_by == ValidatedBy::Node {
            Finish::Validate(builder.own_of_functions(schema)?, Terms::default())
        } else {
            Finish::Outside
        };
        let function = Self {
            inner,
            stored,
            read: Read::Untyped,
            lenient: false,
            finish,
        };
        Ok(function.into_node())
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
