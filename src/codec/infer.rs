//! Values without a schema: encoded by their type, decoded by their wire tag. Enum values and literals are stored this
//! way; what no node takes natively is read this way and left to Pydantic.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString};

use super::nodes::bytes::{bytes_object, encode_bytes};
use super::nodes::number::{encode_decimal, encode_float, encode_int, int_object, parse_i64};
use super::nodes::string::{encode_str, str_object};
use super::python;
use super::state::{Decoding, Encoding, Outcome, Refusal};
use crate::wire::reader::Reader;
use crate::wire::{Tag, float, number, writer};

/// Append a scalar by its type.
pub fn encode_scalar(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    if value.is_none() {
        writer::push_null(state.out);
        Ok(())
    } else if let Ok(value) = value.cast_exact::<PyBool>() {
        writer::push_bool(state.out, value.is_true());
        Ok(())
    } else if let Ok(text) = value.cast::<PyString>() {
        encode_str(text, state)
    } else if value.is_instance_of::<PyInt>() {
        encode_int(value, state, "int_type", "an int")
    } else if let Ok(value) = value.cast::<PyFloat>() {
        encode_float(value.value(), state)
    } else if value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>() {
        encode_bytes(value, state)
    } else if value.is_instance(python::decimal(value.py())?)? {
        encode_decimal(value, state)
    } else {
        Err(Refusal::unexpected(
            "value_type",
            "None, a bool, str, int, float, Decimal or bytes",
            value,
        ))
    }
}

/// N without a schema: int where it is integral, float where the float's shortest text is the same number, else Decimal.
pub fn number<'py>(py: Python<'py>, text: &str) -> Outcome<Bound<'py, PyAny>> {
    if let Some(value) = parse_i64(text.as_bytes()) {
        return Ok(int_object(py, value));
    }
    let mut canonical = Vec::with_capacity(text.len());
    number::push_canonical(&mut canonical, text).map_err(Refusal::number)?;
    if !canonical.contains(&b'.') {
        let text = std::str::from_utf8(&canonical).expect("digits are ASCII");
        return Ok(py.get_type::<PyInt>().call1((text,))?);
    }
    if let Some(value) = float::decode(text.as_bytes()) {
        let mut shortest = Vec::new();
        let same = float::encode(&mut shortest, value).is_ok()
            && std::str::from_utf8(&shortest)
                .is_ok_and(|shortest| number::compare(shortest, text).is_ok_and(|o| o.is_eq()));
        if same {
            return Ok(PyFloat::new(py, value).into_any());
        }
    }
    Ok(python::decimal(py)?.call1((text,))?)
}

/// The content of any value by its tag.
pub fn decode<'py>(tag: Tag, reader: &mut Reader<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
    let py = state.py;
    match tag {
        Tag::S => Ok(str_object(py, &reader.text()?)?),
        Tag::N => number(py, &reader.text()?),
        Tag::B => bytes_object(reader, state),
        Tag::Bool => Ok(PyBool::new(py, reader.boolean()?).to_owned().into_any()),
        Tag::Null => {
            reader.boolean()?;
            Ok(py.None().into_bound(py))
        }
        Tag::L => {
            state.enter()?;
            let list = PyList::empty(py);
            let mut more = reader.begin_array()?;
            while more {
                list.append(decode_value(reader, state)?)?;
                more = reader.next_element()?;
            }
            state.leave();
            Ok(list.into_any())
        }
        Tag::M => {
            state.enter()?;
            let dict = PyDict::new(py);
            let mut more = reader.begin_object()?;
            while more {
                let key = str_object(py, &reader.key()?)?;
                dict.set_item(key, decode_value(reader, state)?)?;
                more = reader.next_member()?;
            }
            state.leave();
            Ok(dict.into_any())
        }
        Tag::SS | Tag::NS | Tag::BS => {
            let member = match tag {
                Tag::SS => Tag::S,
                Tag::NS => Tag::N,
                _ => Tag::B,
            };
            let set = PySet::empty(py)?;
            let mut more = reader.begin_array()?;
            while more {
                set.add(decode(member, reader, state)?)?;
                more = reader.next_element()?;
            }
            Ok(set.into_any())
        }
    }
}

pub fn decode_value<'py>(reader: &mut Reader<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
    let tag = reader.tag()?;
    let value = decode(tag, reader, state)?;
    reader.end()?;
    Ok(value)
}

/// Whether it is a set of any kind, and empty.
pub fn is_empty_set(value: &Bound<'_, PyAny>) -> bool {
    match value.cast::<PySet>() {
        Ok(set) => set.is_empty(),
        Err(_) => value.cast::<PyFrozenSet>().is_ok_and(|set| set.is_empty()),
    }
}
