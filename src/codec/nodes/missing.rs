//! Pydantic's `MISSING`: a field that holds it is absent from the item.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyDict;

use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct MissingNode(Box<Missing>);

struct Missing {
    own: Box<Own>,
    /// What the field holds else. None where `MISSING` is a union's member by itself, as in Pydantic 2.12.
    inner: Option<Node>,
}

/// The default of a field that may hold `MISSING`: it is what absent comes back as, so it can be no other.
pub fn default_of<'py>(
    default: Option<Bound<'py, PyAny>>,
    has_factory: bool,
    builder: &Builder<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let missing = python::missing(builder.py)?;
    if has_factory || default.is_some_and(|default| !default.is(missing)) {
        return Err(builder.refused(
            "a field that is MISSING is absent from the item, and absent comes back as the default: make MISSING the \
             default, or give the field none",
        ));
    }
    Ok(missing.clone())
}

impl MissingNode {
    pub fn inner(&self) -> Option<&Node> {
        self.0.inner.as_ref()
    }
}

impl Codec for MissingNode {
    const KINDS: &'static [&'static str] = &["missing-sentinel"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        if !builder.marks.is_field {
            return Err(builder.refused(
                "MISSING says that a field is absent, and an element of a collection cannot be: only a field may hold it",
            ));
        }
        let inner = schema.member("schema")?.map(Bound::cast_into).transpose()?;
        let inner = inner.map(|inner| builder.build(&inner)).transpose()?;
        let own = builder.own(schema);
        Ok(Self(Box::new(Missing { own, inner })).into())
    }

    fn tags(&self) -> Tags {
        self.0.inner.as_ref().map_or(Tags::NONE, Node::tags)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        self.0.inner.as_ref().map_or(Ok(()), |inner| inner.traverse(visit))
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        if value.is(python::missing(value.py())?) {
            return Err(Box::new(Refusal::Absent));
        }
        match &self.0.inner {
            Some(inner) => inner.encode(value, state),
            None => Err(Refusal::unexpected("missing_sentinel_error", "MISSING", value)),
        }
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match &self.0.inner {
            Some(inner) => inner.decode(tag, reader, state),
            None => self.0.own.convert(tag, reader, state),
        }
    }
}
