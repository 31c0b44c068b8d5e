//! boto3's low-level form, `{"id": {"S": "a"}}`, from and to wire bytes: the codec itself has one reader and one writer.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFrozenSet, PyList, PyMapping, PySet, PyString, PyTuple};

use super::nodes::string::{str_object, surrogates};
use super::state::{Outcome, Refusal, Step};
use crate::limits::NESTING_LEVELS;
use crate::wire::reader::Reader;
use crate::wire::{Tag, base64, writer};

/// How binary values stand in the dict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// As bytes, which boto3 encodes itself.
    Bytes,
    /// As base64 text, as in JSON.
    Text,
}

/// Read an item of our own writing as a dict.
pub fn to_dict<'py>(py: Python<'py>, reader: &mut Reader<'_>, binary: Binary) -> Outcome<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let mut more = reader.begin_object()?;
    while more {
        let name = str_object(py, &reader.key()?)?;
        dict.set_item(name, value_to_dict(py, reader, binary)?)?;
        more = reader.next_member()?;
    }
    Ok(dict)
}

fn value_to_dict<'py>(py: Python<'py>, reader: &mut Reader<'_>, binary: Binary) -> Outcome<Bound<'py, PyDict>> {
    let tag = reader.tag()?;
    let content = match tag {
        Tag::S | Tag::N | Tag::B => text_to_object(py, tag, reader, binary)?,
        Tag::Bool | Tag::Null => PyBool::new(py, reader.boolean()?).to_owned().into_any(),
        Tag::M => to_dict(py, reader, binary)?.into_any(),
        Tag::L | Tag::SS | Tag::NS | Tag::BS => {
            let list = PyList::empty(py);
            let mut more = reader.begin_array()?;
            while more {
                match tag {
                    Tag::L => list.append(value_to_dict(py, reader, binary)?)?,
                    Tag::BS => list.append(text_to_object(py, Tag::B, reader, binary)?)?,
                    _ => list.append(text_to_object(py, Tag::S, reader, binary)?)?,
                }
                more = reader.next_element()?;
            }
            list.into_any()
        }
    };
    reader.end()?;
    let value = PyDict::new(py);
    value.set_item(tag.name(), content)?;
    Ok(value)
}

fn text_to_object<'py>(
    py: Python<'py>,
    tag: Tag,
    reader: &mut Reader<'_>,
    binary: Binary,
) -> Outcome<Bound<'py, PyAny>> {
    let text = reader.text()?;
    if tag == Tag::B && binary == Binary::Bytes {
        let bytes = base64::decode(text.as_bytes()).ok_or_else(|| Refusal::new("base64", "expected base64 text"))?;
        return Ok(PyBytes::new(py, &bytes).into_any());
    }
    Ok(str_object(py, &text)?)
}

/// Append an item that is given as a dict: `bytes` are taken as they are, `str` in B as base64 text.
pub fn from_dict(item: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
    map_from_dict(item, out, 0)
}

fn map_from_dict(item: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> Outcome<()> {
    let Ok(map) = item.cast::<PyMapping>() else {
        return Err(Refusal::unexpected("dict_type", "a dict of attribute values", item));
    };
    out.push(b'{');
    for pair in map.items()?.iter() {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        let step = || Step::Name(name.clone().unbind());
        writer::push_separator(out);
        push_string(&name, "an attribute's name", out).map_err(|refusal| refusal.under(step))?;
        out.push(b':');
        value_from_dict(&value, out, depth).map_err(|refusal| refusal.under(step))?;
    }
    out.push(b'}');
    Ok(())
}

fn value_from_dict(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> Outcome<()> {
    const EXPECTED: &str = "an attribute value such as {\"S\": \"text\"}";
    // Looser than DynamoDB's limit, which decoding checks: this one only keeps a cycle from going on.
    if depth > 2 * NESTING_LEVELS {
        return Err(Refusal::too_deep());
    }
    let Ok(map) = value.cast::<PyMapping>() else {
        return Err(Refusal::unexpected("dict_type", EXPECTED, value));
    };
    // boto3's own form of a NULL in stream records and the like has exactly one member.
    let items = map.items()?;
    if items.len() != 1 {
        let message = format!("expected {EXPECTED}, found a dict of {} members", items.len());
        return Err(Refusal::new("wire", message));
    }
    let (name, content): (Bound<'_, PyAny>, Bound<'_, PyAny>) = items.get_item(0)?.extract()?;
    let tag = Tag::ALL.into_iter().find(|tag| name.eq(tag.name()).unwrap_or(false));
    let Some(tag) = tag else {
        return Err(Refusal::new(
            "wire",
            format!("expected {EXPECTED}, found a dict without S, N, B, BOOL, NULL, M, L, SS, NS or BS"),
        ));
    };
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(tag.name().as_bytes());
    out.extend_from_slice(b"\":");
    match tag {
        Tag::S | Tag::N => push_string(&content, "text", out)?,
        Tag::B => push_binary(&content, out)?,
        Tag::Bool | Tag::Null => {
            let Ok(content) = content.cast::<PyBool>() else {
                return Err(Refusal::unexpected("bool_type", "a bool", &content));
            };
            out.extend_from_slice(if content.is_true() { b"true" } else { b"false" });
        }
        Tag::M => map_from_dict(&content, out, depth + 1)?,
        Tag::L => list_from_dict(&content, out, |element, out| value_from_dict(element, out, depth + 1))?,
        Tag::SS | Tag::NS => list_from_dict(&content, out, |element, out| push_string(element, "text", out))?,
        Tag::BS => list_from_dict(&content, out, push_binary)?,
    }
    out.push(b'}');
    Ok(())
}

fn list_from_dict(
    list: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
    push: impl Fn(&Bound<'_, PyAny>, &mut Vec<u8>) -> Outcome<()>,
) -> Outcome<()> {
    // boto3's resource-level form has sets.
    let is_list = list.is_instance_of::<PyList>()
        || list.is_instance_of::<PyTuple>()
        || list.is_instance_of::<PySet>()
        || list.is_instance_of::<PyFrozenSet>();
    if !is_list {
        return Err(Refusal::unexpected("list_type", "a list", list));
    }
    out.push(b'[');
    for (index, element) in list.try_iter()?.enumerate() {
        writer::push_separator(out);
        push(&element?, out).map_err(|refusal| refusal.under(|| Step::Index(index)))?;
    }
    out.push(b']');
    Ok(())
}

fn push_string(text: &Bound<'_, PyAny>, expected: &str, out: &mut Vec<u8>) -> Outcome<()> {
    let Ok(string) = text.cast::<PyString>() else {
        return Err(Refusal::unexpected("string_type", expected, text));
    };
    writer::push_text(out, string.to_str().map_err(|_| surrogates(string))?);
    Ok(())
}

fn push_binary(content: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
    if let Ok(bytes) = content.cast::<PyBytes>() {
        out.push(b'"');
        base64::encode(out, bytes.as_bytes());
        out.push(b'"');
        Ok(())
    } else if let Ok(bytes) = content.cast::<PyByteArray>() {
        out.push(b'"');
        base64::encode(out, &bytes.to_vec());
        out.push(b'"');
        Ok(())
    } else {
        push_string(content, "bytes or base64 text", out)
    }
}
