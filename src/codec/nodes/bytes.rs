//! bytes → B.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyByteArray, PyBytes, PyDict};

use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::wire::reader::Reader;
use crate::wire::{Tag, base64, writer};

/// `bytes` → B.
pub struct BytesNode {
    own: Box<Own>,
    constrained: bool,
}

impl BytesNode {
    pub fn is_plain(&self) -> bool {
        !self.constrained
    }
}

impl Codec for BytesNode {
    const KINDS: &'static [&'static str] = &["bytes"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let constrained = schema.has_any(&["min_length", "max_length"])?;
        Ok(Self {
            own: builder.own_scalar(schema),
            constrained,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::B)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        encode_bytes(value, state)
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::B {
            return self.own.convert(tag, reader, state);
        }
        let bytes = bytes_object(reader, state)?;
        if self.constrained {
            self.own.validate(&bytes, false)
        } else {
            Ok(bytes)
        }
    }
}

pub fn encode_bytes(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        writer::push_b(state.out, bytes.as_bytes());
    } else if let Ok(bytes) = value.cast::<PyByteArray>() {
        writer::push_b(state.out, &bytes.to_vec());
    } else {
        return Err(Refusal::unexpected("bytes_type", "bytes", value));
    }
    Ok(())
}

/// Read base64 text as bytes.
pub fn bytes_object<'py>(reader: &mut Reader<'_>, state: &Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
    let text = reader.text()?;
    let Some(bytes) = base64::decode(text.as_bytes()) else {
        return Err(Refusal::new(
            "base64",
            "expected base64 text with padding, found other text in B",
        ));
    };
    Ok(PyBytes::new(state.py, &bytes).into_any())
}
