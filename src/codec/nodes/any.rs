//! Values without a type (`Any`, `object`, the elements of a bare `list` or `dict`): written by their own type, read by
//! their wire type.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyDict;

use crate::codec::builder::Builder;
use crate::codec::infer;
use crate::codec::node::{Codec, Node};
use crate::codec::state::{Decoding, Encoding, Outcome};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct AnyNode;

impl Codec for AnyNode {
    const KINDS: &'static [&'static str] = &["any"];

    fn build<'py>(_schema: &Bound<'py, PyDict>, _builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        Ok(Self.into())
    }

    fn tags(&self) -> Tags {
        Tags::ALL
    }

    fn traverse(&self, _visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        infer::encode(value, state)
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        infer::decode(tag, reader, state)
    }
}
