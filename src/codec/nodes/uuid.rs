//! UUID → S: 36 characters, hyphenated, lower case.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::codec::ffi::{get_slot, new_instance, set_slot};
use crate::codec::node::{Codec, Node};
use crate::codec::python;
use crate::codec::schema::{Builder, Own, SchemaDict, Tags};
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::wire::reader::Reader;
use crate::wire::{Tag, uuid};

pub struct UuidNode {
    own: Box<Own>,
    constrained: bool,
}

impl UuidNode {
    pub fn holds(&self, value: &Bound<'_, PyAny>) -> bool {
        !self.constrained && python::uuid(value.py()).is_ok_and(|class| value.is_exact_instance(class))
    }
}

impl Codec for UuidNode {
    const KINDS: &'static [&'static str] = &["uuid"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let constrained = schema.has_any(&["version"])?;
        Ok(Self {
            own: builder.own_scalar(schema),
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
        encode_uuid(value, state)
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
        if let Some(number) = reader.try_short_text().and_then(uuid::decode) {
            let uuid = uuid_object(state.py, number)?;
            return if self.constrained {
                self.own.validate(&uuid, false)
            } else {
                Ok(uuid)
            };
        }
        reader.seek(start);
        let text = reader.text()?;
        match uuid::decode(text.as_bytes()) {
            Some(number) => {
                let uuid = uuid_object(state.py, number)?;
                if self.constrained {
                    self.own.validate(&uuid, false)
                } else {
                    Ok(uuid)
                }
            }
            // Braces, `urn:uuid:`, no hyphens: in strict mode too, since a UUID is stored as text.
            None => self.own.validate(PyString::new(state.py, &text).as_any(), true),
        }
    }
}

pub fn encode_uuid(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    let number = uuid_number(value)?;
    state.push(b"{\"S\":\"");
    uuid::encode(state.out, number);
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
    Ok(get_slot(python::uuid_int(py)?, value)?.extract()?)
}

/// A UUID made without its `__init__`, which takes most of a microsecond.
pub fn uuid_object(py: Python<'_>, number: u128) -> PyResult<Bound<'_, PyAny>> {
    let class = python::uuid(py)?.cast::<PyType>()?;
    let uuid = new_instance(class, PyTuple::empty(py).as_any())?;
    set_slot(python::uuid_int(py)?, &uuid, number.into_pyobject(py)?.as_any())?;
    set_slot(python::uuid_is_safe(py)?, &uuid, python::uuid_safety_unknown(py)?)?;
    Ok(uuid)
}
