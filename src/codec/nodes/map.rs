//! dict → M, with keys as Pydantic's JSON mode writes them.

use std::collections::HashSet;
use std::sync::OnceLock;

use pyo3::PyTraverseError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBool, PyDict, PyInt, PyString};

use super::choice::{EnumNode, LiteralNode};
use super::list::lengths;
use super::number::{int_object, parse_i64};
use super::string::{str_object, surrogates};
use super::uuid::{uuid_number, uuid_object};
use crate::codec::ffi::DictWalk;
use crate::codec::node::{Codec, Node};
use crate::codec::python;
use crate::codec::schema::{Builder, Own, SchemaDict, Tags};
use crate::codec::state::{Decoding, Encoding, Line, Outcome, Refusal, Step};
use crate::limits::NAME_BYTES;
use crate::wire::reader::{Reader, Text};
use crate::wire::{Tag, uuid, writer};

pub struct MapNode(Box<Map>);

struct Map {
    own: Box<Own>,
    key: Key,
    value: Node,
    least: usize,
    most: usize,
}

/// The keys' type.
struct Key {
    own: Box<Own>,
    kind: KeyKind,
    /// Its own schema asks for more than the type.
    constrained: bool,
}

enum KeyKind {
    Str,
    Int,
    Uuid,
    Enum(EnumNode),
    Literal(LiteralNode),
    /// Dates, numbers with points and the like: Pydantic writes and reads them.
    Other(Box<Other>),
}

struct Other {
    /// What the keys are, in messages.
    kind: Box<str>,
    schema: Py<PyDict>,
    serialize: OnceLock<Py<PyAny>>,
}

impl MapNode {
    pub fn value(&self) -> &Node {
        &self.0.value
    }

    /// A key as it is stored.
    pub fn key_text(&self, key: &Bound<'_, PyAny>) -> Outcome<String> {
        let mut text = Vec::new();
        self.0.key.push(key, &mut text)?;
        Ok(String::from_utf8(text).expect("key texts are UTF-8"))
    }
}

impl Key {
    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let schema = builder.resolve(schema)?;
        builder.refuse_serializer(&schema)?;
        builder.refuse_marks(&schema)?;
        let kind = schema.text("type")?.unwrap_or_default();
        let kind = match kind.as_str() {
            // A key without a type is text: nothing else could be told apart when it is read.
            "str" | "any" => KeyKind::Str,
            "int" => KeyKind::Int,
            "uuid" => KeyKind::Uuid,
            "enum" => KeyKind::Enum(EnumNode::new_key(&schema, builder)?),
            "literal" => KeyKind::Literal(LiteralNode::new_key(&schema, builder)?),
            "bool" | "float" | "decimal" | "bytes" | "date" | "datetime" | "time" | "timedelta" => {
                let dict = PyDict::new(builder.py);
                dict.set_item("type", "dict")?;
                dict.set_item("keys_schema", &schema)?;
                KeyKind::Other(Box::new(Other {
                    kind: kind.as_str().into(),
                    schema: dict.unbind(),
                    serialize: OnceLock::new(),
                }))
            }
            other => return Err(builder.unsupported(&format!("a dict with keys of a `{other}` type"))),
        };
        let plain = ["type", "metadata", "strict", "ref"];
        let mut constrained = matches!(kind, KeyKind::Str | KeyKind::Int | KeyKind::Uuid)
            && schema
                .keys()
                .iter()
                .any(|name| !name.extract::<String>().is_ok_and(|name| plain.contains(&&*name)));
        if let (KeyKind::Str, Some(config)) = (&kind, &builder.config) {
            constrained |= config.has_any(&[
                "str_strip_whitespace",
                "str_to_lower",
                "str_to_upper",
                "str_min_length",
                "str_max_length",
            ])?;
        }
        Ok(Self {
            own: builder.own_scalar(&schema),
            kind,
            constrained,
        })
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)?;
        match &self.kind {
            KeyKind::Str | KeyKind::Int | KeyKind::Uuid => Ok(()),
            KeyKind::Enum(node) => node.traverse(visit),
            KeyKind::Literal(node) => node.traverse(visit),
            KeyKind::Other(other) => {
                visit.call(&other.schema)?;
                visit.call(other.serialize.get())
            }
        }
    }

    /// Append a key's text as it is.
    fn push(&self, key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
        match &self.kind {
            KeyKind::Str => {
                let Ok(text) = key.cast::<PyString>() else {
                    return Err(Refusal::unexpected("string_type", "a str as a key", key));
                };
                out.extend_from_slice(text.to_str().map_err(|_| surrogates(text))?.as_bytes());
            }
            KeyKind::Int => {
                if !key.is_instance_of::<PyInt>() || key.is_exact_instance_of::<PyBool>() {
                    return Err(Refusal::unexpected("int_type", "an int as a key", key));
                }
                let text = key.py().get_type::<PyInt>().call_method1("__repr__", (key,))?;
                out.extend_from_slice(text.cast::<PyString>().map_err(PyErr::from)?.to_str()?.as_bytes());
            }
            KeyKind::Uuid => uuid::encode(out, uuid_number(key)?),
            KeyKind::Enum(node) => out.extend_from_slice(node.key_text(key)?.as_bytes()),
            KeyKind::Literal(node) => out.extend_from_slice(node.key_text(key)?.as_bytes()),
            KeyKind::Other(other) => other.push(key, out)?,
        }
        Ok(())
    }

    #[inline]
    fn read<'py>(&self, text: &Text<'_>, py: Python<'py>) -> Outcome<Bound<'py, PyAny>> {
        let known = match &self.kind {
            KeyKind::Str => Some(str_object(py, text)?),
            KeyKind::Int => parse_i64(text.as_bytes()).map(|value| int_object(py, value)),
            KeyKind::Uuid => uuid::decode(text.as_bytes())
                .map(|number| uuid_object(py, number))
                .transpose()?,
            KeyKind::Enum(node) => node.key_object(py, text),
            KeyKind::Literal(node) => node.key_object(py, text),
            KeyKind::Other(_) => None,
        };
        match known {
            Some(key) if !self.constrained => Ok(key),
            Some(key) => self.own.validate(&key, false),
            // In strict mode too, since a key is stored as text.
            None => self.own.validate(&str_object(py, text)?, true),
        }
    }
}

impl Other {
    fn push(&self, key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
        let py = key.py();
        let serialize = match self.serialize.get() {
            Some(serialize) => serialize.bind(py),
            None => {
                let serializer = python::schema_serializer(py)?.call1((&self.schema,))?;
                let serialize = serializer.getattr("to_python")?.unbind();
                self.serialize.get_or_init(|| serialize).bind(py)
            }
        };
        let dict = PyDict::new(py);
        dict.set_item(key, py.None())?;
        let options = PyDict::new(py);
        options.set_item("mode", "json")?;
        // An unexpected type is Pydantic's warning; for what is stored it is an error.
        options.set_item("warnings", "error")?;
        let written = serialize
            .call((dict,), Some(&options))
            .map_err(|error| {
                // Pydantic's own words hold the key; what user code raised passes.
                if error.is_instance_of::<PyValueError>(py) {
                    Refusal::unexpected("key", &format!("a {} as a key", self.kind), key)
                } else {
                    error.into()
                }
            })?
            .cast_into::<PyDict>()
            .map_err(PyErr::from)?;
        for (text, _) in DictWalk::new(&written) {
            out.extend_from_slice(text.cast::<PyString>().map_err(PyErr::from)?.to_str()?.as_bytes());
        }
        Ok(())
    }
}

impl Map {
    /// Keys that are plain strs, of which no two have one text. False: there are others, and nothing is done.
    fn encode_plain_keys(&self, dict: &Bound<'_, PyDict>, state: &mut Encoding<'_>) -> Outcome<bool> {
        if !matches!(self.key.kind, KeyKind::Str) {
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

impl Codec for MapNode {
    const KINDS: &'static [&'static str] = &["dict"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let key = builder.part_schema(schema, "keys_schema")?;
        let key = builder.inside("[key]", |builder| Key::build(&key, builder))?;
        let value = builder.build_part("[]", &builder.part_schema(schema, "values_schema")?)?;
        let (least, most) = lengths(schema)?;
        Ok(Self(Box::new(Map {
            own: builder.own(schema),
            key,
            value,
            least,
            most,
        }))
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::M)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        self.0.key.traverse(visit)?;
        self.0.value.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let Ok(dict) = value.cast::<PyDict>() else {
            return Err(Refusal::unexpected("dict_type", "a dict", value));
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
            let read = self.0.key.read(&text, state.py).and_then(|key| {
                let value = self.0.value.decode_value(reader, state)?;
                Ok(dict.set_item(key, value)?)
            });
            if let Err(refusal) = read {
                refusal.under(|| Step::text(state.py, &text)).gather(&mut refused)?;
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
        if dict.len() < self.0.least || dict.len() > self.0.most {
            return self.0.own.validate(dict.as_any(), false);
        }
        Ok(dict.into_any())
    }
}
