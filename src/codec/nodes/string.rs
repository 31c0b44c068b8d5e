//! str → S.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyString};

use crate::codec::builder::Builder;
use crate::codec::ffi::{ascii_str, str_length, utf8, wide_str};
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::{Reader, Text};
use crate::wire::writer;

/// `str` → S.
pub struct StrNode {
    own: Box<Own>,
    /// Lengths in characters that need no further check.
    least: u32,
    most: u32,
    /// Stripping and the like, patterns: Pydantic's to do.
    shaped: bool,
}

impl StrNode {
    #[inline]
    pub fn is_plain(&self) -> bool {
        !self.shaped && self.least == 0 && self.most == u32::MAX
    }

    #[inline(never)]
    fn check<'py>(&self, text: Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        let length = str_length(text.cast::<PyString>().map_err(PyErr::from)?);
        if self.shaped || length < self.least as usize || length > self.most as usize {
            return self.own.validate(&text, false);
        }
        Ok(text)
    }

    /// Read text that is likely to come again.
    #[inline]
    pub fn decode_shared<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let text = state.names.object(state.py, &reader.text()?)?;
        if self.is_plain() { Ok(text) } else { self.check(text) }
    }

    /// Whether what is read is what was stored, character by character.
    pub fn keeps_text(&self) -> bool {
        !self.shaped
    }

    /// Whether text needs no further check.
    #[inline]
    pub fn takes(&self, text: &Text<'_>) -> bool {
        if self.is_plain() {
            return true;
        }
        let length = if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
        !self.shaped && (self.least as usize..=self.most as usize).contains(&length)
    }

    pub fn holds(&self, value: &Bound<'_, PyAny>) -> bool {
        self.is_plain() && value.is_exact_instance_of::<PyString>()
    }
}

impl Codec for StrNode {
    const KINDS: &'static [&'static str] = &["str"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let length = |name: &str, in_config: &str, default: u32| -> PyResult<u32> {
            Ok(builder
                .setting(schema, name, in_config)?
                .map_or(default, |length| length.extract().unwrap_or(u32::MAX)))
        };
        let mut shaped = schema.has_any(&["pattern", "regex_engine"])?;
        for (name, in_config) in [
            ("strip_whitespace", "str_strip_whitespace"),
            ("to_lower", "str_to_lower"),
            ("to_upper", "str_to_upper"),
        ] {
            let on = builder.setting(schema, name, in_config)?;
            shaped |= on.map_or(Ok(false), |on| on.is_truthy())?;
        }
        let least = length("min_length", "str_min_length", 0)?;
        let most = length("max_length", "str_max_length", u32::MAX)?;
        // Pydantic's newer constraint: only ASCII text.
        shaped |= schema.flag("ascii_only")?.unwrap_or(false);
        Ok(Self {
            own: builder.own_scalar(schema),
            least,
            most,
            shaped,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::S)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let Ok(text) = value.cast::<PyString>() else {
            return Err(Refusal::unexpected("string_type", "a str", value));
        };
        encode_str(text, state)
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::S {
            return self.own.convert(tag, reader, state);
        }
        let text = str_object(state.py, &reader.text()?)?;
        if self.is_plain() { Ok(text) } else { self.check(text) }
    }
}

#[inline]
pub fn encode_str(text: &Bound<'_, PyString>, state: &mut Encoding<'_>) -> Outcome<()> {
    let Some(text) = utf8(text) else {
        return Err(surrogates(text));
    };
    writer::push_s(state.out, text);
    Ok(())
}

#[cold]
pub fn surrogates(text: &Bound<'_, PyString>) -> Box<Refusal> {
    Refusal::new(
        "string_unicode",
        "expected text of whole characters, found a lone surrogate",
    )
    .with_input(text)
}

#[inline]
pub fn str_object<'py>(py: Python<'py>, text: &Text<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(if text.is_ascii() {
        ascii_str(py, text)?
    } else {
        wide_str(py, text)?
    }
    .into_any())
}
