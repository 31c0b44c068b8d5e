//! Values without a schema: encoded by their type, decoded by their wire tag. Enum values and literals are stored this
//! way; what no node takes natively is read this way and left to Pydantic.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTime, PyTuple, PyType,
};

use super::ffi::{DictWalk, float_object, utf8};
use super::instance;
use super::nodes::bytes::{bytes_object, encode_bytes};
use super::nodes::list::encode_elements;
use super::nodes::map::check_key;
use super::nodes::number::{encode_decimal, encode_float, encode_int, int_object, parse_i64};
use super::nodes::set::alike;
use super::nodes::string::{encode_str, str_object, surrogates};
use super::nodes::temporal::encode_untyped;
use super::nodes::uuid::encode_uuid;
use super::options::AnyNumbers;
use super::python;
use super::state::{Decoding, Encoding, Outcome, Refusal, Step};
use crate::wire::reader::Reader;
use crate::wire::{Tag, float, number, writer};

/// Append any value by its type. Hot: the types of JSON first, each told by its address alone.
#[inline]
pub fn encode(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        encode_str(text, state)
    } else if value.is_exact_instance_of::<PyInt>() {
        encode_int(value, state, "int_type", "an int")
    } else if let Ok(dict) = value.cast_exact::<PyDict>() {
        encode_dict(dict, state)
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        encode_elements(list.iter(), |_, element, state| encode(element, state), state)
    } else if let Ok(float) = value.cast_exact::<PyFloat>() {
        encode_float(float.value(), state)
    } else if let Ok(value) = value.cast_exact::<PyBool>() {
        writer::push_bool(state.out, value.is_true());
        Ok(())
    } else if value.is_none() {
        writer::push_null(state.out);
        Ok(())
    } else {
        encode_other(value, state)
    }
}

#[inline(never)]
fn encode_other(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    let py = value.py();
    if let Ok(dict) = value.cast::<PyDict>() {
        encode_dict(dict, state)
    } else if let Ok(list) = value.cast::<PyList>() {
        encode_elements(list.iter(), |_, element, state| encode(element, state), state)
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        encode_elements(tuple.iter(), |_, element, state| encode(element, state), state)
    } else if value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>() {
        encode_set(value, state)
    } else if value.is_instance(python::enum_base(py)?)? {
        encode(&value.getattr(pyo3::intern!(py, "value"))?, state)
    } else if push_scalar(value, state)? || encode_untyped(value, state)? {
        Ok(())
    } else if value.is_instance(python::uuid(py)?)? {
        encode_uuid(value, state)
    } else if instance::encode_instance(value, state)? {
        Ok(())
    } else if value.is_instance(python::deque(py)?)? {
        let elements = value.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        encode_elements(elements.into_iter(), |_, element, state| encode(element, state), state)
    } else if value.is_instance(python::pattern(py)?)? {
        encode(&value.getattr(pyo3::intern!(py, "pattern"))?, state)
    } else if value.is_instance(python::text_classes(py)?)? {
        encode_str(&value.str()?, state)
    } else {
        Err(Refusal::unexpected(
            "value_type",
            "a value that can be stored without a type of its own (None, a bool, number, str, bytes, UUID, date, \
             datetime, time, timedelta, enum member, URL, IP address, path, pattern, list, tuple, deque, set or dict, or \
             an instance of a model or dataclass)",
            value,
        ))
    }
}

fn encode_dict(dict: &Bound<'_, PyDict>, state: &mut Encoding<'_>) -> Outcome<()> {
    writer::push_small(state.out, b"{\"M\":");
    if dict.is_empty() {
        state.push(b"{}}");
        return Ok(());
    }
    state.enter()?;
    encode_members(dict, state)?;
    state.leave();
    state.push(b"}");
    Ok(())
}

/// Append the members as an object: `{"name":{"S":"x"}}`.
pub fn encode_members(dict: &Bound<'_, PyDict>, state: &mut Encoding<'_>) -> Outcome<()> {
    state.push(b"{");
    let mut first = true;
    for (key, value) in DictWalk::new(dict) {
        let step = || Step::Name(key.clone().unbind());
        let Ok(name) = key.cast_exact::<PyString>() else {
            return Err(Refusal::unexpected("string_type", "a str as a key", &key).under(step));
        };
        let Some(text) = utf8(name) else {
            return Err(surrogates(name).under(step));
        };
        check_key(text.len()).map_err(|refusal| refusal.under(step))?;
        if !first {
            state.push(b",");
        }
        first = false;
        writer::push_key(state.out, text);
        encode(&value, state).map_err(|refusal| refusal.under(step))?;
    }
    state.push(b"}");
    Ok(())
}

/// A set of DynamoDB's where all members are text, all numbers or all bytes, else a list.
fn encode_set(set: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    let members = set.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    let start = state.out.len();
    let depth = state.depth;
    // A set of DynamoDB's is a value, not one more level; a list is told when all is written.
    state.depth = depth.saturating_sub(1);
    encode_elements(members.iter().cloned(), |_, member, state| encode(member, state), state)?;
    state.depth = depth;
    if let Some(native) = native_set(&state.out[start..])? {
        state.out.truncate(start);
        state.push(&native);
    } else if depth > 0 {
        state.out.truncate(start);
        encode_elements(members.into_iter(), |_, member, state| encode(member, state), state)?;
    }
    Ok(())
}

/// The set that stands for a list just written, where DynamoDB has such a set.
fn native_set(list: &[u8]) -> Outcome<Option<Vec<u8>>> {
    let mut reader = Reader::new(list);
    reader.tag()?;
    let mut texts = HashSet::new();
    let mut native: Option<(Tag, Tag, Vec<u8>)> = None;
    let mut index = 0;
    let mut more = reader.begin_array()?;
    while more {
        let tag = reader.tag()?;
        let set = match tag {
            Tag::S => Tag::SS,
            Tag::N => Tag::NS,
            Tag::B => Tag::BS,
            _ => return Ok(None),
        };
        let (member, _, out) = native.get_or_insert_with(|| (tag, set, set.opening().into()));
        if *member != tag {
            return Ok(None);
        }
        let start = reader.position();
        let text = reader.text()?;
        let mut canonical = Vec::new();
        if tag == Tag::N {
            number::push_canonical(&mut canonical, &text).map_err(Refusal::number)?;
        } else {
            canonical.extend_from_slice(text.as_bytes());
        }
        if !texts.insert(canonical) {
            return Err(alike().under(|| Step::Index(index)));
        }
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&list[start..reader.position()]);
        reader.end()?;
        index += 1;
        more = reader.next_element()?;
    }
    Ok(native.map(|(_, set, mut out)| {
        out.extend_from_slice(set.closing().as_bytes());
        out
    }))
}

/// Append a scalar by its type.
pub fn encode_scalar(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    if push_scalar(value, state)? {
        return Ok(());
    }
    Err(Refusal::unexpected(
        "value_type",
        "None, a bool, str, int, float, Decimal or bytes",
        value,
    ))
}

/// Append a scalar by its type. False: it is none.
fn push_scalar(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<bool> {
    if value.is_none() {
        writer::push_null(state.out);
    } else if let Ok(value) = value.cast_exact::<PyBool>() {
        writer::push_bool(state.out, value.is_true());
    } else if let Ok(text) = value.cast::<PyString>() {
        encode_str(text, state)?;
    } else if value.is_instance_of::<PyInt>() {
        encode_int(value, state, "int_type", "an int")?;
    } else if let Ok(value) = value.cast::<PyFloat>() {
        encode_float(value.value(), state)?;
    } else if value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>() {
        encode_bytes(value, state)?;
    } else if value.is_instance(python::decimal(value.py())?)? {
        encode_decimal(value, state)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// N without a schema: int where it is integral, float where the float's shortest text is the same number, else Decimal.
pub fn number<'py>(py: Python<'py>, text: &str) -> Outcome<Bound<'py, PyAny>> {
    if let Some(value) = parse_i64(text.as_bytes()) {
        return Ok(int_object(py, value));
    }
    if is_short_fraction(text)
        && let Some(value) = float::decode(text.as_bytes())
    {
        return Ok(float_object(py, value)?);
    }
    let mut canonical = Vec::with_capacity(text.len());
    number::push_canonical(&mut canonical, text).map_err(Refusal::number)?;
    if !canonical.contains(&b'.') {
        let text = std::str::from_utf8(&canonical).expect("digits are ASCII");
        return Ok(py.get_type::<PyInt>().call1((text,))?);
    }
    match exact_float(text) {
        Some(value) => Ok(PyFloat::new(py, value).into_any()),
        None => Ok(python::decimal(py)?.call1((text,))?),
    }
}

/// Whether it is a number with a fraction that is a float's shortest text in value: a float keeps 15 digits.
#[inline]
fn is_short_fraction(text: &str) -> bool {
    const DIGITS_AND_POINT: usize = 16;
    let number = text.strip_prefix('-').unwrap_or(text);
    let is_short = number.len() <= DIGITS_AND_POINT && matches!(number.as_bytes(), [b'0'..=b'9', .., b'1'..=b'9']);
    is_short
        && number
            .split_once('.')
            .is_some_and(|(whole, fraction)| whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()))
}

/// The same without floats.
#[cold]
fn int_or_decimal<'py>(py: Python<'py>, text: &str) -> Outcome<Bound<'py, PyAny>> {
    let value = number(py, text)?;
    if value.is_exact_instance_of::<PyFloat>() {
        return Ok(python::decimal(py)?.call1((text,))?);
    }
    Ok(value)
}

/// The float whose shortest text is the same number.
pub fn exact_float(text: &str) -> Option<f64> {
    let value = float::decode(text.as_bytes())?;
    let mut shortest = Vec::new();
    float::encode(&mut shortest, value).ok()?;
    let same = shortest == text.as_bytes()
        || std::str::from_utf8(&shortest)
            .is_ok_and(|shortest| number::compare(shortest, text).is_ok_and(|order| order.is_eq()));
    same.then_some(value)
}

/// The content of any value by its tag.
pub fn decode<'py>(tag: Tag, reader: &mut Reader<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
    let py = state.py;
    match tag {
        Tag::S => Ok(str_object(py, &reader.text()?)?),
        Tag::N => match state.any_numbers {
            AnyNumbers::Auto => number(py, &reader.text()?),
            AnyNumbers::Decimal => int_or_decimal(py, &reader.text()?),
        },
        Tag::B => bytes_object(reader, state),
        Tag::Bool => Ok(PyBool::new(py, reader.boolean()?).to_owned().into_any()),
        Tag::Null => {
            reader.boolean()?;
            Ok(py.None().into_bound(py))
        }
        Tag::L => {
            state.enter()?;
            let start = state.elements.len();
            let mut more = reader.begin_array()?;
            while more {
                match decode_value(reader, state) {
                    Ok(element) => state.elements.push(element),
                    Err(refusal) => {
                        let index = state.elements.len() - start;
                        state.elements.truncate(start);
                        return Err(refusal.under(|| Step::Index(index)));
                    }
                }
                more = reader.next_element()?;
            }
            state.leave();
            Ok(PyList::new(py, state.elements.drain(start..))?.into_any())
        }
        Tag::M => {
            state.enter()?;
            let dict = PyDict::new(py);
            let mut more = reader.begin_object()?;
            while more {
                let key = state.names.object(py, &reader.key()?)?;
                let value = decode_value(reader, state);
                let value = value.map_err(|refusal| refusal.under(|| Step::Name(key.clone().unbind())))?;
                dict.set_item(key, value)?;
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

/// The same where the numbers of `Any` are not meant: the value of a type that is no `Any` is read so.
pub fn decode_typed<'py>(
    tag: Tag,
    reader: &mut Reader<'_>,
    state: &mut Decoding<'_, 'py>,
) -> Outcome<Bound<'py, PyAny>> {
    let any_numbers = std::mem::take(&mut state.any_numbers);
    let value = decode(tag, reader, state);
    state.any_numbers = any_numbers;
    value
}

pub fn decode_value<'py>(reader: &mut Reader<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
    let tag = reader.tag()?;
    let value = decode(tag, reader, state)?;
    reader.end()?;
    Ok(value)
}

/// Whether a class's instances are, or may be, stored without a type of their own.
pub fn is_storable_class(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let storable = [
        py.get_type::<PyString>(),
        py.get_type::<PyInt>(),
        py.get_type::<PyFloat>(),
        py.get_type::<PyBytes>(),
        py.get_type::<PyByteArray>(),
        py.get_type::<PyDict>(),
        py.get_type::<PyList>(),
        py.get_type::<PyTuple>(),
        py.get_type::<PySet>(),
        py.get_type::<PyFrozenSet>(),
        py.get_type::<PyDate>(),
        py.get_type::<PyTime>(),
        py.get_type::<PyDelta>(),
    ];
    for base in storable {
        if class.is_subclass(&base)? {
            return Ok(true);
        }
    }
    for base in [python::decimal(py)?, python::uuid(py)?, python::enum_base(py)?] {
        if class.is_subclass(base)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether it is a set of any kind, and empty.
pub fn is_empty_set(value: &Bound<'_, PyAny>) -> bool {
    match value.cast::<PySet>() {
        Ok(set) => set.is_empty(),
        Err(_) => value.cast::<PyFrozenSet>().is_ok_and(|set| set.is_empty()),
    }
}
