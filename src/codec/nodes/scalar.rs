//! None and bool.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBool, PyDict};

use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;
use crate::wire::writer;

/// `None` → NULL.
pub struct NoneNode(Box<Own>);

impl Codec for NoneNode {
    const KINDS: &'static [&'static str] = &["none"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        Ok(Self(builder.own_scalar(schema)).into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::Null)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        if !value.is_none() {
            return Err(Refusal::unexpected("none_required", "None", value));
        }
        writer::push_null(state.out);
        Ok(())
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::Null {
            return self.0.convert(tag, reader, state);
        }
        reader.boolean()?;
        Ok(state.py.None().into_bound(state.py))
    }
}

/// `bool` → BOOL.
pub struct BoolNode(Box<Own>);

impl Codec for BoolNode {
    const KINDS: &'static [&'static str] = &["bool"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        Ok(Self(builder.own_scalar(schema)).into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::Bool)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(visit)
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let Ok(value) = value.cast_exact::<PyBool>() else {
            return Err(Refusal::unexpected("bool_type", "a bool", value));
        };
        writer::push_bool(state.out, value.is_true());
        Ok(())
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::Bool {
            return self.0.convert(tag, reader, state);
        }
        Ok(PyBool::new(state.py, reader.boolean()?).to_owned().into_any())
    }
}
