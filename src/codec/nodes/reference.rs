//! A reference to a definition: what makes recursive models possible.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyDict;

use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::state::{Decoding, Encoding, Outcome};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct ReferenceNode {
    number: u32,
    tags: Tags,
}

impl ReferenceNode {
    pub fn new(number: u32, tags: Tags) -> Self {
        Self { number, tags }
    }

    pub fn number(&self) -> u32 {
        self.number
    }
}

impl Codec for ReferenceNode {
    /// The builder makes it: only it knows which references must stay references.
    const KINDS: &'static [&'static str] = &[];

    fn build(_schema: &Bound<'_, PyDict>, builder: &mut Builder<'_, '_>) -> PyResult<Node> {
        Err(builder.unsupported("a reference without a definition"))
    }

    fn tags(&self) -> Tags {
        self.tags
    }

    fn traverse(&self, _visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        state.definitions.get(self.number).encode(value, state)
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        state.definitions.get(self.number).decode(tag, reader, state)
    }
}
