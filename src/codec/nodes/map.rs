//! dict, OrderedDict, Counter, defaultdict and the like → M.

use std::collections::HashSet;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyString};

use super::list::lengths;
use super::map_key::Key;
use super::string::surrogates;
use crate::codec::builder::Builder;
use crate::codec::ffi::DictWalk;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Line, Outcome, Refusal, Step};
use crate::codec::tags::Tags;
use crate::limits::NAME_BYTES;
use crate::wire::reader::Reader;
use crate::wire::{Tag, writer};

pub struct MapNode(Box<Map>);

struct Map {
    own: Box<Own>,
    kind: MapKind,
    key: Key,
    value: Node,
    least: usize,
    most: usize,
    fail_fast: bool,
}

/// What comes of the keys and values.
pub enum MapKind {
    Dict,
    /// What this class makes of a dict: an OrderedDict, a Counter.
    Made(Py<PyAny>),
    /// A defaultdict with this factory.
    Defaulting(Py<PyAny>),
}

impl MapNode {
    pub fn value(&self) -> &Node {
        &self.0.value
    }

    /// Whether it is a dict whose keys are any text.
    pub fn has_plain_keys(&self) -> bool {
        matches!(self.0.kind, MapKind::Dict) && self.0.key.is_plain_str()
    }

    /// Whether dicts of this length need no further check.
    pub fn takes(&self, length: usize) -> bool {
        (self.0.least..=self.0.most).contains(&length)
    }

    /// A key as it is stored.
    pub fn key_text(&self, key: &Bound<'_, PyAny>) -> Outcome<String> {
        let mut text = Vec::new();
        self.0.key.push(key, &mut text)?;
        Ok(String::from_utf8(text).expect("key texts are UTF-8"))
    }

    /// Compile a collection that `part` has the keys and values of, and `schema` is Pydantic's for.
    pub fn build_of<'py>(
        kind: MapKind,
        part: &Bound<'py, PyDict>,
        (least, most): (usize, usize),
        schema: &Bound<'py, PyDict>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Node> {
        let key = builder.part_schema(part, "keys_schema")?;
        let key = builder.inside("[key]", |builder| Key::build(&key, builder))?;
        let value = builder.build_part("[]", &builder.part_schema(part, "values_schema")?)?;
        Ok(Self(Box::new(Map {
            own: builder.own(schema),
            kind,
            key,
            value,
            least,
            most,
            fail_fast: part.flag("fail_fast")?.unwrap_or(false),
        }))
        .into())
    }
}

impl MapKind {
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Dict => Ok(()),
            Self::Made(class) => visit.call(class),
            Self::Defaulting(factory) => visit.call(factory),
        }
    }

    #[inline]
    fn finish<'py>(&self, dict: Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let py = dict.py();
        match self {
            Self::Dict => Ok(dict.into_any()),
            Self::Made(class) => class.bind(py).call1((dict,)),
            Self::Defaulting(factory) => python::defaultdict(py)?.call1((factory, dict)),
        }
    }
}

impl Map {
    /// Keys that are plain strs, of which no two have one text. False: there are others, and nothing is done.
    fn encode_plain_keys(&self, dict: &Bound<'_, PyDict>, state: &mut Encoding<'_>) -> Outcome<bool> {
        if !self.key.is_str() {
            return Ok(false);
        }
        let mut first = true;
        for (key, value) in DictWalk::new(dict) {
            let Ok(key) = key.cast_exact::<PyString>() else {
                return Ok(false);
            };
            let step = || Step::name(key);
            let text = key.to_str().map_err(|_| surrogates(key).under(step))?;
            check_key(text.len()).map_err(|refusal| refusal.under(step))?;
            if !first {
                state.push(b",");
            }
            first = false;
            writer::push_key(state.out, text);
            self.value
                .encode(&value, state)
                .map_err(|refusal| refusal.under(step))?;
        }
        Ok(true)
    }

    fn encode_keys(&self, dict: &Bound<'_, PyDict>, state: &mut Encoding<'_>) -> Outcome<()> {
        let mut texts = HashSet::with_capacity(dict.len());
        for (key, value) in DictWalk::new(dict) {
            let step = || Step::Name(key.clone().unbind());
            let mut text = Vec::new();
            self.key.push(&key, &mut text).map_err(|refusal| refusal.under(step))?;
            check_key(text.len()).map_err(|refusal| refusal.under(step))?;
            if !texts.is_empty() {
                state.push(b",");
            }
            writer::push_key(state.out, std::str::from_utf8(&text).expect("key texts are UTF-8"));
            if !texts.insert(text) {
                return Err(Refusal::new("key", "found two keys that are stored as one text").under(step));
            }
            self.value
                .encode(&value, state)
                .map_err(|refusal| refusal.under(step))?;
        }
        Ok(())
    }
}

/// DynamoDB takes a key of a map where it has 1 to 65,535 bytes.
#[inline]
pub fn check_key(bytes: usize) -> Outcome<()> {
    if bytes.wrapping_sub(1) < NAME_BYTES {
        Ok(())
    } else {
        Err(refused_key(bytes))
    }
}

#[cold]
fn refused_key(bytes: usize) -> Box<Refusal> {
    if bytes == 0 {
        return Refusal::new("key", "expected a key, found an empty one, which DynamoDB refuses");
    }
    let message = format!("expected a key of at most {NAME_BYTES} bytes, found {bytes}: DynamoDB refuses more");
    Refusal::new("key", message)
}

/// The items of a mapping that is no dict, such as an unvalidated default may be.
#[cold]
fn dict_of<'py>(value: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyDict>> {
    let py = value.py();
    if !value.is_instance(python::mapping(py)?)? {
        return Err(Refusal::unexpected("dict_type", "a dict", value));
    }
    let dict = py.get_type::<PyDict>().call1((value,))?;
    Ok(dict.cast_into::<PyDict>().map_err(PyErr::from)?)
}

impl Codec for MapNode {
    const KINDS: &'static [&'static str] = &["dict", "ordered-dict", "counter", "frozendict"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let py = builder.py;
        let made = |class: &Bound<'py, PyAny>| MapKind::Made(class.clone().unbind());
        let kind = match schema.text("type")?.as_deref() {
            Some("ordered-dict") => made(python::ordered_dict(py)?),
            Some("counter") => made(python::counter(py)?),
            Some("frozendict") => made(python::frozendict(py)?),
            _ => MapKind::Dict,
        };
        Self::build_of(kind, schema, lengths(schema)?, schema, builder)
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::M)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        self.0.kind.traverse(visit)?;
        self.0.key.traverse(visit)?;
        self.0.value.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let dict = match value.cast::<PyDict>() {
            Ok(dict) => dict,
            Err(_) => &dict_of(value)?,
        };
        state.push(b"{\"M\":{");
        if !dict.is_empty() {
            state.enter()?;
            let start = state.out.len();
            if !self.0.encode_plain_keys(dict, state)? {
                state.out.truncate(start);
                self.0.encode_keys(dict, state)?;
            }
            state.leave();
        }
        state.push(b"}}");
        Ok(())
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::M {
            return self.0.own.convert(tag, reader, state);
        }
        state.enter()?;
        let dict = PyDict::new(state.py);
        let mut refused: Vec<Line> = Vec::new();
        let mut more = reader.begin_object()?;
        while more {
            let text = reader.key()?;
            let position = reader.position();
            let depth = state.depth;
            let read = self.0.key.read(&text, state).and_then(|key| {
                let value = self.0.value.decode_value(reader, state)?;
                Ok(dict.set_item(key, value)?)
            });
            if let Err(refusal) = read {
                let refusal = refusal.under(|| Step::text(state.py, &text));
                if self.0.fail_fast {
                    return Err(refusal);
                }
                refusal.gather(&mut refused)?;
                state.depth = depth;
                reader.seek(position);
                reader.skip_value()?;
            }
            more = reader.next_member()?;
        }
        state.leave();
        if !refused.is_empty() {
            return Err(Box::new(Refusal::Lines(refused)));
        }
        let length = dict.len();
        let made = self.0.kind.finish(dict)?;
        if length < self.0.least || length > self.0.most {
            return self.0.own.validate(&made, false);
        }
        Ok(made)
    }
}
