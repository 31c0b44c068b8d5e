//! Enums and literals, stored by value: tables both ways, made once.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBool, PyDict, PyList, PyType};

use crate::codec::definitions::Definitions;
use crate::codec::node::{Codec, Node};
use crate::codec::schema::{Builder, Own, SchemaDict, Tags};
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::{infer, python};
use crate::wire::reader::Reader;
use crate::wire::{Tag, number};

/// What a field may hold, and how each is stored.
struct Choices(Box<[Choice]>);

struct Choice {
    /// What an instance holds: the enum's member, or the literal itself.
    object: Py<PyAny>,
    /// What is stored: the member's value.
    value: Py<PyAny>,
    tag: Tag,
    /// The value as a whole: `{"S":"red"}`.
    wire: Box<[u8]>,
    /// Its content as text: `red`.
    text: Box<str>,
}

impl Choices {
    fn new(objects: &Bound<'_, PyList>, builder: &Builder<'_, '_>) -> PyResult<Self> {
        let py = builder.py;
        let definitions = Definitions::default();
        let mut choices = Vec::with_capacity(objects.len());
        for object in objects {
            let is_member = object.is_instance(python::enum_base(py)?)?;
            let value = if is_member {
                object.getattr("value")?
            } else {
                object.clone()
            };
            let mut wire = Vec::new();
            let mut state = Encoding {
                out: &mut wire,
                definitions: &definitions,
                depth: 0,
            };
            if infer::encode_scalar(&value, &mut state).is_err() {
                let kind = value.get_type().name()?;
                return Err(builder.unsupported(&format!(
                    "an enum or literal with a value of type {kind} (None, bool, str, int, float, Decimal and bytes are)"
                )));
            }
            let mut reader = Reader::new(&wire);
            let tag = reader.tag().expect("written just above");
            let text = match tag {
                Tag::Bool | Tag::Null => if reader.boolean().expect("written just above") {
                    "true"
                } else {
                    "false"
                }
                .into(),
                _ => reader
                    .text()
                    .expect("written just above")
                    .into_cow()
                    .into_owned()
                    .into_boxed_str(),
            };
            choices.push(Choice {
                object: object.unbind(),
                value: value.unbind(),
                tag,
                wire: wire.into_boxed_slice(),
                text,
            });
        }
        let choices = Self(choices.into_boxed_slice());
        choices.check_told_apart(builder)?;
        Ok(choices)
    }

    /// Two choices that are stored alike would come back as the first of them.
    fn check_told_apart(&self, builder: &Builder<'_, '_>) -> PyResult<()> {
        let alike = |left: &Choice, right: &Choice| {
            // An alias is the very member.
            !left.object.is(&right.object)
                && left.tag == right.tag
                && (left.text == right.text
                    || left.tag == Tag::N && number::compare(&left.text, &right.text).is_ok_and(|order| order.is_eq()))
        };
        for (at, choice) in self.0.iter().enumerate() {
            if let Some(other) = self.0[..at].iter().find(|other| alike(other, choice)) {
                let (left, right) = (
                    other.object.bind(builder.py).repr()?,
                    choice.object.bind(builder.py).repr()?,
                );
                return Err(builder.unsupported(&format!("{left} and {right}, which are stored alike,")));
            }
        }
        Ok(())
    }

    fn tags(&self) -> Tags {
        self.0.iter().fold(Tags::NONE, |tags, choice| tags.and(choice.tag))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.iter().try_for_each(|choice| {
            visit.call(&choice.object)?;
            visit.call(&choice.value)
        })
    }

    #[inline]
    fn find(&self, object: &Bound<'_, PyAny>) -> PyResult<Option<&Choice>> {
        match self.0.iter().find(|choice| choice.object.is(object)) {
            Some(choice) => Ok(Some(choice)),
            None => self.find_equal(object),
        }
    }

    /// Equal text or a number made elsewhere is another object; so is a member's value where a default is not validated.
    #[cold]
    fn find_equal(&self, object: &Bound<'_, PyAny>) -> PyResult<Option<&Choice>> {
        for choice in &self.0 {
            let value = choice.value.bind(object.py());
            // True equals 1, which is another literal.
            if value.is_instance_of::<PyBool>() == object.is_instance_of::<PyBool>() && value.eq(object)? {
                return Ok(Some(choice));
            }
        }
        Ok(None)
    }

    /// What stands for a stored content; `None` where nothing does, with the reader at the content again.
    #[inline]
    fn read<'py>(&self, tag: Tag, reader: &mut Reader<'_>, py: Python<'py>) -> Outcome<Option<Bound<'py, PyAny>>> {
        let start = reader.position();
        let found = match tag {
            Tag::S | Tag::B => {
                let text = reader.text()?;
                self.of_tag(tag).find(|choice| *choice.text == *text)
            }
            Tag::N => {
                let text = reader.text()?;
                self.of_tag(tag).find(|choice| *choice.text == *text).or_else(|| {
                    self.of_tag(tag)
                        .find(|choice| number::compare(&choice.text, &text).is_ok_and(|order| order.is_eq()))
                })
            }
            Tag::Bool => {
                let text = if reader.boolean()? { "true" } else { "false" };
                self.of_tag(tag).find(|choice| *choice.text == *text)
            }
            Tag::Null => {
                reader.boolean()?;
                self.of_tag(tag).next()
            }
            _ => None,
        };
        if found.is_none() {
            reader.seek(start);
        }
        Ok(found.map(|choice| choice.object.bind(py).clone()))
    }

    #[inline]
    fn of_tag(&self, tag: Tag) -> impl Iterator<Item = &Choice> {
        self.0.iter().filter(move |choice| choice.tag == tag)
    }

    /// As keys of a map, texts must tell the choices apart.
    fn check_keys(&self, builder: &Builder<'_, '_>) -> PyResult<()> {
        for (at, choice) in self.0.iter().enumerate() {
            if choice.tag == Tag::Null {
                return Err(builder.unsupported("a dict whose key may be None"));
            }
            if self.0[..at].iter().any(|other| other.text == choice.text) {
                return Err(builder.unsupported("a dict with two keys of one text, which could not be told apart,"));
            }
        }
        Ok(())
    }
}

/// Enum → its member's value.
pub struct EnumNode(Box<Enum>);

struct Enum {
    own: Box<Own>,
    class: Py<PyType>,
    choices: Choices,
}

impl Codec for EnumNode {
    const KINDS: &'static [&'static str] = &["enum"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        Ok(Self::new(schema, builder)?.into())
    }

    fn tags(&self) -> Tags {
        self.0.choices.tags()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        visit.call(&self.0.class)?;
        self.0.choices.traverse(visit)
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        if let Some(choice) = self.0.choices.find(value)? {
            state.push(&choice.wire);
            return Ok(());
        }
        // A combination of flags is no member of the list, but has a value.
        if value.is_instance(self.0.class.bind(value.py()))? {
            return infer::encode_scalar(&value.getattr("value")?, state);
        }
        let name = self.0.class.bind(value.py()).name()?;
        Err(Refusal::unexpected("enum", &format!("a member of {name}"), value))
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match self.0.choices.read(tag, reader, state.py)? {
            Some(member) => Ok(member),
            // The enum's own `_missing_` may know it.
            None if self.0.choices.tags().has(tag) => {
                let value = infer::decode(tag, reader, state)?;
                self.0.own.validate(&value, true)
            }
            None => self.0.own.convert(tag, reader, state),
        }
    }
}

impl EnumNode {
    fn new(schema: &Bound<'_, PyDict>, builder: &Builder<'_, '_>) -> PyResult<Self> {
        let members = schema.required("members")?.cast_into::<PyList>()?;
        let class = schema.required("cls")?.cast_into::<PyType>()?.unbind();
        let choices = Choices::new(&members, builder)?;
        Ok(Self(Box::new(Enum {
            own: builder.own_scalar(schema),
            class,
            choices,
        })))
    }

    /// As the keys of a dict.
    pub fn new_key(schema: &Bound<'_, PyDict>, builder: &Builder<'_, '_>) -> PyResult<Self> {
        let node = Self::new(schema, builder)?;
        node.0.choices.check_keys(builder)?;
        Ok(node)
    }

    pub fn key_text(&self, key: &Bound<'_, PyAny>) -> Outcome<&str> {
        let name = || {
            self.0
                .class
                .bind(key.py())
                .name()
                .map_or_else(|_| "the enum".into(), |name| name.to_string())
        };
        match self.0.choices.find(key)? {
            Some(choice) => Ok(&choice.text),
            None => Err(Refusal::unexpected("enum", &format!("a member of {}", name()), key)),
        }
    }

    pub fn key_object<'py>(&self, py: Python<'py>, text: &str) -> Option<Bound<'py, PyAny>> {
        self.0
            .choices
            .0
            .iter()
            .find(|choice| *choice.text == *text)
            .map(|choice| choice.object.bind(py).clone())
    }
}

/// Literal → the value itself, an enum's member by its value.
pub struct LiteralNode(Box<Literal>);

struct Literal {
    own: Box<Own>,
    choices: Choices,
}

impl Codec for LiteralNode {
    const KINDS: &'static [&'static str] = &["literal"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        Ok(Self::new(schema, builder)?.into())
    }

    fn tags(&self) -> Tags {
        self.0.choices.tags()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        self.0.choices.traverse(visit)
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        match self.0.choices.find(value)? {
            Some(choice) => {
                state.push(&choice.wire);
                Ok(())
            }
            None => Err(Refusal::unexpected(
                "literal_error",
                "one of the literal's values",
                value,
            )),
        }
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match self.0.choices.read(tag, reader, state.py)? {
            Some(value) => Ok(value),
            None => self.0.own.convert(tag, reader, state),
        }
    }
}

impl LiteralNode {
    fn new(schema: &Bound<'_, PyDict>, builder: &Builder<'_, '_>) -> PyResult<Self> {
        let expected = schema.required("expected")?.cast_into::<PyList>()?;
        let choices = Choices::new(&expected, builder)?;
        Ok(Self(Box::new(Literal {
            own: builder.own_scalar(schema),
            choices,
        })))
    }

    /// As the keys of a dict.
    pub fn new_key(schema: &Bound<'_, PyDict>, builder: &Builder<'_, '_>) -> PyResult<Self> {
        let node = Self::new(schema, builder)?;
        node.0.choices.check_keys(builder)?;
        Ok(node)
    }

    pub fn key_text(&self, key: &Bound<'_, PyAny>) -> Outcome<&str> {
        match self.0.choices.find(key)? {
            Some(choice) => Ok(&choice.text),
            None => Err(Refusal::unexpected("literal_error", "one of the literal's values", key)),
        }
    }

    pub fn key_object<'py>(&self, py: Python<'py>, text: &str) -> Option<Bound<'py, PyAny>> {
        self.0
            .choices
            .0
            .iter()
            .find(|choice| *choice.text == *text)
            .map(|choice| choice.object.bind(py).clone())
    }
}
