//! UUID → S: 36 characters, hyphenated, lower case, or the form that a marker asks for.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::codec::builder::Builder;
use crate::codec::ffi::{new_instance, untrack};
use crate::codec::marks::Format;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::wire::reader::Reader;
use crate::wire::{Tag, uuid};

pub struct UuidNode {
    own: Box<Own>,
    form: Form,
    constrained: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Hyphenated, lower case.
    Canonical,
    /// Without hyphens, lower case.
    Hex,
    /// Hyphenated, upper case.
    Upper,
}

impl Form {
    /// `{"S":"…"}`
    const fn stored_length(self) -> usize {
        match self {
            Self::Canonical | Self::Upper => 8 + 36,
            Self::Hex => 8 + 32,
        }
    }
}

impl UuidNode {
    pub fn is_plain(&self) -> bool {
        !self.constrained
    }

    pub fn holds(&self, value: &Bound<'_, PyAny>) -> bool {
        !self.constrained && python::uuid(value.py()).is_ok_and(|class| value.is_exact_instance(class))
    }

    /// The form of the text, in words.
    pub fn text_form(&self) -> &'static str {
        match self.form {
            Form::Canonical => "UUIDs",
            Form::Hex => "UUIDs without hyphens",
            Form::Upper => "UUIDs in upper case",
        }
    }

    /// Whether what was read as a UUID is stored in the node's own form.
    pub fn writes_again(&self, stored: &[u8]) -> bool {
        const FIRST_HYPHEN: usize = 6 + 8;
        if stored.len() != self.form.stored_length() {
            return false;
        }
        // Of the forms that are read, no other has this length, unless there are blanks: they show at the hyphen.
        match self.form {
            Form::Canonical => stored[FIRST_HYPHEN] == b'-' && !stored[6..].iter().any(u8::is_ascii_uppercase),
            Form::Hex => !stored[6..].iter().any(u8::is_ascii_uppercase),
            Form::Upper => stored[FIRST_HYPHEN] == b'-' && !stored[6..].iter().any(u8::is_ascii_lowercase),
        }
    }

    fn object<'py>(&self, number: u128, state: &Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
        let uuid = uuid_object(state.py, number)?;
        if self.constrained {
            self.own.validate(&uuid, false)
        } else {
            Ok(uuid)
        }
    }
}

impl Codec for UuidNode {
    const KINDS: &'static [&'static str] = &["uuid"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let constrained = schema.has_any(&["version"])?;
        Ok(Self {
            own: builder.own_scalar(schema),
            form: match builder.marks.format {
                Some(Format::Hex) => Form::Hex,
                Some(Format::Upper) => Form::Upper,
                _ => Form::Canonical,
            },
            constrained,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::S)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        match self.form {
            Form::Canonical => encode_uuid(value, state),
            Form::Hex => push_uuid(value, uuid::encode_hex, state),
            Form::Upper => push_uuid(value, uuid::encode_upper, state),
        }
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::S {
            return self.own.convert(tag, reader, state);
        }
        let start = reader.position();
        if let Some(number) = reader
            .try_text_of::<{ uuid::LENGTH }>()
            .and_then(|text| uuid::decode(text))
        {
            return self.object(number, state);
        }
        reader.seek(start);
        let text = reader.text()?;
        match uuid::decode(text.as_bytes()).or_else(|| uuid::decode_hex(text.as_bytes())) {
            Some(number) => self.object(number, state),
            // Braces, `urn:uuid:`: in strict mode too, since a UUID is stored as text.
            None => self.own.validate(PyString::new(state.py, &text).as_any(), true),
        }
    }
}

#[inline]
pub fn encode_uuid(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    push_uuid(value, uuid::encode, state)
}

#[inline]
fn push_uuid(
    value: &Bound<'_, PyAny>,
    push_text: impl FnOnce(&mut Vec<u8>, u128),
    state: &mut Encoding<'_>,
) -> Outcome<()> {
    let number = uuid_number(value)?;
    state.push(b"{\"S\":\"");
    push_text(state.out, number);
    state.push(b"\"}");
    Ok(())
}

/// The UUID's 128 bits.
pub fn uuid_number(value: &Bound<'_, PyAny>) -> Outcome<u128> {
    let py = value.py();
    let class = python::uuid(py)?;
    if !value.is_exact_instance(class) && !value.is_instance(class)? {
        return Err(Refusal::unexpected("uuid_type", "a UUID", value));
    }
    Ok(python::uuid_int(py)?.get(value)?.extract()?)
}

/// A UUID made without its `__init__`, which takes most of a microsecond.
pub fn uuid_object(py: Python<'_>, number: u128) -> PyResult<Bound<'_, PyAny>> {
    let class = python::uuid(py)?.cast::<PyType>()?;
    let uuid = new_instance(class, PyTuple::empty(py).as_any())?;
    python::uuid_int(py)?.set(&uuid, number.into_pyobject(py)?.into_any())?;
    python::uuid_is_safe(py)?.set(&uuid, python::uuid_safety_unknown(py)?.clone())?;
    untrack(&uuid);
    Ok(uuid)
}
