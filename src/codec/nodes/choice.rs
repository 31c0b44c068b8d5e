//! Enums and literals, stored by value: tables both ways, made once.

use std::collections::{HashMap, HashSet};

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyType};

use crate::codec::builder::Builder;
use crate::codec::definitions::Definitions;
use crate::codec::ffi::utf8;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::codec::{infer, python};
use crate::wire::reader::{self, Reader};
use crate::wire::{Tag, number};

/// What a field may hold, and how each is stored.
struct Choices {
    all: Box<[Choice]>,
    /// Where there are too many to look at each.
    index: Option<Box<Index>>,
}

/// The places of choices.
struct Index {
    /// By their objects' addresses, which are theirs as long as the choices are.
    by_object: HashMap<usize, usize>,
    by_text: HashMap<Tag, HashMap<Box<str>, usize>>,
}

struct Choice {
    /// What an instance holds: the enum's member, or the literal itself.
    object: Py<PyAny>,
    /// What is stored: the member's value.
    value: Py<PyAny>,
    tag: Tag,
    /// The value as a whole: `{"S":"red"}`.
    wire: Box<[u8]>,
    /// Its content as text: `red`. Nothing where it is a list, a map or a set.
    text: Box<str>,
    /// What is read of it, where it is a list, a map or a set: these may be written in several ways.
    whole: Option<Py<PyAny>>,
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
            if infer::encode(&value, &mut state).is_err() {
                let kind = value.get_type().name()?;
                return Err(builder.refused(&format!(
                    "an enum or literal with a value of type {kind} has no stored form: give it values that `Any` stores \
                     (None, bool, str, numbers, bytes, dates, UUIDs, and tuples, lists and dicts of them)"
                )));
            }
            let mut reader = Reader::new(&wire);
            let tag = reader.tag().expect("written just above");
            let mut whole = None;
            let text = match tag {
                Tag::L | Tag::M | Tag::SS | Tag::NS | Tag::BS => {
                    let read = infer::decode(tag, &mut reader, &mut Decoding::untyped(py, &definitions));
                    whole = Some(
                        read.map_err(|refusal| refusal.into_error(py, &builder.path()))?
                            .unbind(),
                    );
                    "".into()
                }
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
                whole,
            });
        }
        let index = (choices.len() > Self::FEW).then(|| Box::new(Index::of(&choices)));
        let choices = Self {
            all: choices.into_boxed_slice(),
            index,
        };
        choices.check_told_apart(builder)?;
        Ok(choices)
    }

    /// As many are looked at faster than an index is asked.
    const FEW: usize = 12;

    /// Two choices that are stored alike would come back as the first of them.
    fn check_told_apart(&self, builder: &Builder<'_, '_>) -> PyResult<()> {
        let mut known: HashMap<(Tag, Vec<u8>), &Choice> = HashMap::with_capacity(self.all.len());
        for choice in &self.all {
            let mut form = Vec::new();
            if let Some(whole) = &choice.whole {
                form = whole.bind(builder.py).repr()?.to_str()?.as_bytes().to_vec();
            } else if choice.tag != Tag::N || number::push_canonical(&mut form, &choice.text).is_err() {
                form = choice.text.as_bytes().to_vec();
            }
            let other = *known.entry((choice.tag, form)).or_insert(choice);
            // An alias is the very member.
            if !other.object.is(&choice.object) {
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
        self.all.iter().fold(Tags::NONE, |tags, choice| tags.and(choice.tag))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.all.iter().try_for_each(|choice| {
            visit.call(&choice.object)?;
            visit.call(&choice.value)?;
            visit.call(&choice.whole)
        })
    }

    #[inline]
    fn find(&self, object: &Bound<'_, PyAny>) -> PyResult<Option<&Choice>> {
        let known = match &self.index {
            None => self.all.iter().find(|choice| choice.object.is(object)),
            Some(index) => index
                .by_object
                .get(&(object.as_ptr() as usize))
                .map(|&place| &self.all[place]),
        };
        match known {
            Some(choice) => Ok(Some(choice)),
            None => self.find_equal(object),
        }
    }

    /// The choice of a stored text.
    #[inline]
    fn find_text(&self, tag: Tag, text: &str) -> Option<&Choice> {
        self.place_of_text(tag, text).map(|place| &self.all[place])
    }

    #[inline]
    fn place_of_text(&self, tag: Tag, text: &str) -> Option<usize> {
        match &self.index {
            None => (self.all.iter()).position(|choice| choice.tag == tag && *choice.text == *text),
            Some(index) => index.by_text.get(&tag)?.get(text).copied(),
        }
    }

    /// Equal text or a number made elsewhere is another object; so is a member's value where a default is not validated.
    #[cold]
    fn find_equal(&self, object: &Bound<'_, PyAny>) -> PyResult<Option<&Choice>> {
        // Text is equal to text only, and stored as it is.
        if let Ok(text) = object.cast_exact::<PyString>() {
            return Ok(utf8(text).and_then(|text| self.find_text(Tag::S, text)));
        }
        for choice in &self.all {
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
    fn read<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Option<Bound<'py, PyAny>>> {
        let py = state.py;
        let start = reader.position();
        let found = match tag {
            Tag::S | Tag::B => {
                let text = reader.text()?;
                self.find_text(tag, &text)
            }
            Tag::N => {
                let text = reader.text()?;
                self.find_text(tag, &text).or_else(|| {
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
            Tag::L | Tag::M | Tag::SS | Tag::NS | Tag::BS => self.find_whole(tag, reader, state)?,
        };
        if found.is_none() {
            reader.seek(start);
        }
        Ok(found.map(|choice| choice.object.bind(py).clone()))
    }

    /// The place of what is stored as this content, exactly as it would be written. `None` where nothing is, and where
    /// it is a list, a map or a set.
    fn place(&self, tag: Tag, reader: &mut Reader<'_>) -> reader::Result<Option<usize>> {
        Ok(match tag {
            Tag::S | Tag::B | Tag::N => self.place_of_text(tag, &reader.text()?),
            Tag::Bool | Tag::Null => {
                let text = if reader.boolean()? { "true" } else { "false" };
                self.place_of_text(tag, text)
            }
            Tag::L | Tag::M | Tag::SS | Tag::NS | Tag::BS => None,
        })
    }

    /// What an instance may hold.
    fn objects(&self) -> impl Iterator<Item = &Py<PyAny>> {
        self.all.iter().map(|choice| &choice.object)
    }

    #[cold]
    fn find_whole(&self, tag: Tag, reader: &mut Reader<'_>, state: &mut Decoding<'_, '_>) -> Outcome<Option<&Choice>> {
        if self.of_tag(tag).next().is_none() {
            return Ok(None);
        }
        let read = infer::decode_typed(tag, reader, state)?;
        for choice in self.of_tag(tag) {
            if let Some(whole) = &choice.whole
                && read.eq(whole)?
            {
                return Ok(Some(choice));
            }
        }
        Ok(None)
    }

    #[inline]
    fn of_tag(&self, tag: Tag) -> impl Iterator<Item = &Choice> {
        self.all.iter().filter(move |choice| choice.tag == tag)
    }

    /// What stands for a key's text: texts tell the choices apart, whatever their wire types.
    fn of_key(&self, text: &str) -> Option<&Choice> {
        match &self.index {
            None => self.all.iter().find(|choice| *choice.text == *text),
            Some(index) => {
                let place = index.by_text.values().find_map(|places| places.get(text))?;
                Some(&self.all[*place])
            }
        }
    }

    /// As keys of a map, texts must tell the choices apart.
    fn check_keys(&self, builder: &Builder<'_, '_>) -> PyResult<()> {
        let mut texts = HashSet::with_capacity(self.all.len());
        for choice in &self.all {
            if choice.tag == Tag::Null {
                return Err(builder.unsupported("a dict whose key may be None"));
            }
            if choice.whole.is_some() {
                return Err(builder.unsupported("a dict whose key is an enum with lists, maps or sets as values"));
            }
            if !texts.insert(&choice.text) {
                return Err(builder.unsupported("a dict with two keys of one text, which could not be told apart,"));
            }
        }
        Ok(())
    }
}

impl Index {
    fn of(choices: &[Choice]) -> Self {
        let mut index = Self {
            by_object: HashMap::with_capacity(choices.len()),
            by_text: HashMap::new(),
        };
        for (place, choice) in choices.iter().enumerate() {
            index.by_object.entry(choice.object.as_ptr() as usize).or_insert(place);
            let of_tag = index.by_text.entry(choice.tag).or_default();
            of_tag.entry(choice.text.clone()).or_insert(place);
        }
        index
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
        match self.0.choices.read(tag, reader, state)? {
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
    /// What an instance may hold.
    pub fn objects(&self) -> impl Iterator<Item = &Py<PyAny>> {
        self.0.choices.objects()
    }

    /// The place among these of what is stored as this content, exactly as it would be written.
    pub fn place(&self, tag: Tag, reader: &mut Reader<'_>) -> reader::Result<Option<usize>> {
        self.0.choices.place(tag, reader)
    }

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
        let choice = self.0.choices.of_key(text)?;
        Some(choice.object.bind(py).clone())
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
        match self.0.choices.read(tag, reader, state)? {
            Some(value) => Ok(value),
            None => self.0.own.convert(tag, reader, state),
        }
    }
}

impl LiteralNode {
    /// What an instance may hold.
    pub fn objects(&self) -> impl Iterator<Item = &Py<PyAny>> {
        self.0.choices.objects()
    }

    /// The place among these of what is stored as this content, exactly as it would be written.
    pub fn place(&self, tag: Tag, reader: &mut Reader<'_>) -> reader::Result<Option<usize>> {
        self.0.choices.place(tag, reader)
    }

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
        let choice = self.0.choices.of_key(text)?;
        Some(choice.object.bind(py).clone())
    }
}
