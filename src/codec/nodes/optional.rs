//! `X | None`: None → NULL. Whether None is left out instead is the field's to say, in `model.rs`.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyDict;

use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;
use crate::wire::writer;

pub struct NullableNode(Box<Node>);

impl NullableNode {
    pub fn inner(&self) -> &Node {
        &self.0
    }
}

impl Codec for NullableNode {
    const KINDS: &'static [&'static str] = &["nullable"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        Ok(Self(Box::new(builder.build(&schema.schema("schema")?)?)).into())
    }

    fn tags(&self) -> Tags {
        self.0.tags().and(Tag::Null)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(visit)
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        if value.is_none() {
            writer::push_null(state.out);
            return Ok(());
        }
        self.0.encode(value, state)
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag == Tag::Null {
            reader.boolean()?;
            return Ok(state.py.None().into_bound(state.py));
        }
        self.0.decode(tag, reader, state)
    }
}
