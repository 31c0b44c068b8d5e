//! The keys of maps: text as Pydantic's JSON mode writes and reads it.

use pyo3::PyTraverseError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBool, PyDict, PyInt, PyString};

use super::choice::{EnumNode, LiteralNode};
use super::number::{int_object, int_text, parse_i64};
use super::string::{str_object, surrogates};
use super::uuid::{uuid_number, uuid_object};
use crate::codec::builder::Builder;
use crate::codec::ffi::DictWalk;
use crate::codec::node::Codec;
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::wire::reader::Text;
use crate::wire::{Tag, uuid, writer};

/// The keys' type.
pub struct Key {
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
    /// Pydantic's own for a dict of such keys.
    dict: Box<Own>,
    /// Whether the text of a key may be that of another: of unions, and of types that are not known here.
    ambiguous: bool,
}

impl Key {
    pub fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let schema = builder.resolve(schema)?;
        builder.refuse_marks(&schema)?;
        let name = schema.text("type")?.unwrap_or_default();
        let kind = match name.as_str() {
            // A key without a type is text: nothing else could be told apart when it is read.
            "str" | "any" => KeyKind::Str,
            "int" => KeyKind::Int,
            "uuid" => KeyKind::Uuid,
            "enum" => KeyKind::Enum(EnumNode::new_key(&schema, builder)?),
            "literal" => KeyKind::Literal(LiteralNode::new_key(&schema, builder)?),
            "bool" | "float" | "decimal" | "bytes" | "date" | "datetime" | "time" | "timedelta" => {
                KeyKind::Other(Box::new(Other::new(&name, &schema, false, builder)?))
            }
            _ => KeyKind::Other(Box::new(Other::build(&name, &schema, builder)?)),
        };
        if !matches!(&kind, KeyKind::Other(other) if other.ambiguous) {
            builder.refuse_serializer(&schema)?;
        }
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

    /// Whether a key's text is the key itself.
    #[inline]
    pub fn is_str(&self) -> bool {
        matches!(self.kind, KeyKind::Str)
    }

    /// Whether any text is a key.
    pub fn is_plain_str(&self) -> bool {
        self.is_str() && !self.constrained
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)?;
        match &self.kind {
            KeyKind::Str | KeyKind::Int | KeyKind::Uuid => Ok(()),
            KeyKind::Enum(node) => node.traverse(visit),
            KeyKind::Literal(node) => node.traverse(visit),
            KeyKind::Other(other) => other.dict.traverse(visit),
        }
    }

    /// Append a key's text as it is.
    pub fn push(&self, key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
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
                let text = int_text(key).map_err(|_| {
                    Refusal::new(
                        "key",
                        "expected an int as a key, found one of more digits than Python prints",
                    )
                })?;
                out.extend_from_slice(text.to_str()?.as_bytes());
            }
            KeyKind::Uuid => uuid::encode(out, uuid_number(key)?),
            KeyKind::Enum(node) => out.extend_from_slice(node.key_text(key)?.as_bytes()),
            KeyKind::Literal(node) => out.extend_from_slice(node.key_text(key)?.as_bytes()),
            KeyKind::Other(other) => other.push(key, out)?,
        }
        Ok(())
    }

    #[inline]
    pub fn read<'py>(&self, text: &Text<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
        let py = state.py;
        let known = match &self.kind {
            KeyKind::Str => Some(state.names.object(py, text)?),
            KeyKind::Int => parse_i64(text.as_bytes()).map(|value| int_object(py, value)),
            KeyKind::Uuid => uuid::decode(text.as_bytes())
                .map(|number| uuid_object(py, number))
                .transpose()?,
            KeyKind::Enum(node) => node.key_object(py, text),
            KeyKind::Literal(node) => node.key_object(py, text),
            KeyKind::Other(other) if other.ambiguous => return other.read(py, text),
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
    fn new<'py>(
        kind: &str,
        schema: &Bound<'py, PyDict>,
        ambiguous: bool,
        builder: &Builder<'_, 'py>,
    ) -> PyResult<Self> {
        let dict = PyDict::new(builder.py);
        dict.set_item("type", "dict")?;
        dict.set_item("keys_schema", schema)?;
        Ok(Self {
            kind: kind.into(),
            dict: builder.own(&dict),
            ambiguous,
        })
    }

    /// Whatever else is stored as a scalar, also a union of such.
    fn build<'py>(kind: &str, schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let node = builder.build(schema)?;
        if node.is_secret() {
            return Err(builder.refused("a secret is no key of a dict: names of attributes are not secret"));
        }
        let tags = node.tags();
        if tags.has(Tag::Null) {
            return Err(builder.unsupported("a dict whose key may be None"));
        }
        let scalars = [Tag::S, Tag::N, Tag::B, Tag::Bool]
            .into_iter()
            .fold(Tags::NONE, Tags::and);
        if tags.with(scalars) != scalars {
            return Err(builder.unsupported(&format!(
                "a dict with keys of a `{kind}` type, whose text could not be read back,"
            )));
        }
        Self::new(kind, schema, true, builder)
    }

    fn push(&self, key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
        let py = key.py();
        let dict = PyDict::new(py);
        dict.set_item(key, py.None())?;
        let written = self.dict.serialize(dict.as_any(), "json").map_err(|error| {
            // Pydantic's own words hold the key; what user code raised passes.
            if error.is_instance_of::<PyValueError>(py) {
                Refusal::unexpected("key", &format!("a {} as a key", self.kind), key)
            } else {
                error.into()
            }
        })?;
        let written = written.cast_into::<PyDict>().map_err(PyErr::from)?;
        for (text, _) in DictWalk::new(&written) {
            let text = text.cast::<PyString>().map_err(PyErr::from)?.to_str()?;
            if self.ambiguous {
                self.check_read_back(key, text)?;
            }
            out.extend_from_slice(text.as_bytes());
        }
        Ok(())
    }

    /// Of text it is as it is of values: it comes back as the member that it reads as.
    fn check_read_back(&self, key: &Bound<'_, PyAny>, text: &str) -> Outcome<()> {
        if key.is_exact_instance_of::<PyString>() {
            return Ok(());
        }
        let back = self.read(key.py(), text).ok();
        match back.filter(|back| back.get_type().is(key.get_type())) {
            Some(back) if back.eq(key)? => Ok(()),
            _ => Err(Refusal::new(
                "key",
                "expected a key that its text stands for, found one that would be read as another",
            )
            .with_input(key)),
        }
    }

    /// The key of `{"text":null}`, as Pydantic reads it.
    fn read<'py>(&self, py: Python<'py>, text: &str) -> Outcome<Bound<'py, PyAny>> {
        /// The key itself and `[key]`.
        const STEPS: usize = 2;
        let mut json = vec![b'{'];
        writer::push_key(&mut json, text);
        json.extend_from_slice(b"null}");
        let read = self.dict.validate_json(py, &json);
        let dict = read.map_err(|refusal| refusal.without_outer_steps(STEPS))?;
        let dict = dict.cast_into::<PyDict>().map_err(PyErr::from)?;
        let (key, _) = DictWalk::new(&dict)
            .next()
            .ok_or_else(|| Refusal::new("key", "Pydantic made nothing of the key"))?;
        Ok(key)
    }
}
