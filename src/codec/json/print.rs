//! Values of each family → JSON. Hot.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};

use super::{BytesForm, Printed, Printer, Printing, UNUSUAL, Unusual};
use crate::codec::ffi::utf8;
use crate::codec::marks::Epoch;
use crate::codec::node::{Codec, Node};
use crate::codec::nodes::list::TupleNode;
use crate::codec::nodes::number::FloatNode;
use crate::codec::nodes::set::SetNode;
use crate::codec::nodes::temporal::{DateTimeNode, TimedeltaNode};
use crate::wire::reader::Reader;
use crate::wire::temporal::{Date, DateTime, Time, Zone};
use crate::wire::{Tag, base64, json, uuid, writer};

/// `{"` and `":` around a value's wire type.
pub(super) const HEAD_AROUND_TAG: usize = 4;

impl Printer {
    /// Append the JSON of the content of a value whose head `{"X":` is read; the caller reads the closing brace.
    #[inline]
    pub(super) fn push(
        &self,
        node: &Node,
        tag: Tag,
        reader: &mut Reader<'_>,
        printing: &mut Printing<'_, '_, '_>,
    ) -> Printed {
        let is_there = match (self, node, tag) {
            (Self::Nullable(_), Node::Nullable(_), Tag::Null) | (Self::Null, Node::None(_), Tag::Null) => {
                reader.boolean()?;
                printing.push(b"null");
                true
            }
            (Self::Nullable(inner), Node::Nullable(node), _) => {
                return inner.push(node.inner(), tag, reader, printing);
            }
            (Self::Bool, Node::Bool(_), Tag::Bool) => {
                let text: &[u8] = if reader.boolean()? { b"true" } else { b"false" };
                printing.push(text);
                true
            }
            (Self::Int, Node::Int(node), Tag::N) => {
                let text = number(reader)?;
                node.takes(text) && json::push_int(printing.out, text)
            }
            (Self::Float, Node::Float(node), Tag::N) => push_float(node, reader, printing)?,
            (Self::Decimal, Node::Decimal(_), Tag::N) => json::push_decimal(printing.out, number(reader)?),
            (Self::Str, Node::Str(node), Tag::S) => {
                let text = reader.text()?;
                json::push_text(printing.out, &text);
                node.takes(&text)
            }
            (Self::Bytes(form), Node::Bytes(_), Tag::B) => form.push(reader.text()?.as_bytes(), printing.out),
            (Self::Uuid, Node::Uuid(_), Tag::S) => push_uuid(reader, printing.out)?,
            (Self::Date, Node::Date(_), Tag::S) => push_date(&reader.text()?, printing.out),
            (Self::DateTime, Node::DateTime(node), _) => push_datetime(node, tag, reader, printing)?,
            (Self::Time, Node::Time(_), Tag::S) => match Time::parse(reader.text()?.as_bytes()) {
                Some((time, zone)) => {
                    json::push_time(printing.out, time, zone);
                    true
                }
                None => false,
            },
            (Self::Timedelta, Node::Timedelta(_), Tag::N) => match TimedeltaNode::micros(&reader.text()?) {
                Some(micros) => {
                    json::push_duration(printing.out, micros);
                    true
                }
                None => false,
            },
            (Self::Choice(printed), Node::Enum(_) | Node::Literal(_), _) => {
                let place = match node {
                    Node::Enum(node) => node.place(tag, reader)?,
                    Node::Literal(node) => node.place(tag, reader)?,
                    _ => None,
                };
                match place {
                    Some(place) => {
                        writer::push_small(printing.out, &printed[place]);
                        true
                    }
                    None => false,
                }
            }
            (Self::List(printer), Node::List(node), Tag::L) => {
                let element = node.element();
                let count = push_elements(reader, printing, |_| Some((&**printer, element)))?;
                node.takes(count)
            }
            (Self::Tuple(printers), Node::Tuple(node), Tag::L) => push_tuple(printers, node, reader, printing)?,
            (Self::Set, Node::Set(node), _) => push_set(node, tag, reader, printing)?,
            (Self::Map(printer), Node::Map(node), Tag::M) => {
                let count = push_members(printer, node.value(), reader, printing)?;
                node.takes(count)
            }
            (Self::Model(printer), Node::Model(node), Tag::M) => {
                printing.enter()?;
                printer.push(node.model(), reader, printing)?;
                printing.leave();
                true
            }
            (Self::RootModel(printer), Node::RootModel(node), _) => {
                return printer.push(node.root(), tag, reader, printing);
            }
            (Self::Reference(number), Node::Reference(_), _) => {
                let node = printing.decoding.definitions.get(*number);
                let printer = printing.plan.definitions[*number as usize].get().ok_or(UNUSUAL)?;
                return printer.push(node, tag, reader, printing);
            }
            _ => false,
        };
        if is_there { Ok(()) } else { Err(UNUSUAL) }
    }

    /// Append the JSON of a value with its head and its end.
    #[inline]
    fn push_value(&self, node: &Node, reader: &mut Reader<'_>, printing: &mut Printing<'_, '_, '_>) -> Printed {
        let tag = reader.tag()?;
        self.push(node, tag, reader, printing)?;
        Ok(reader.end()?)
    }
}

#[inline]
fn number<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Unusual> {
    reader.peek();
    reader.try_short_text().ok_or(UNUSUAL)
}

#[inline]
fn push_float(node: &FloatNode, reader: &mut Reader<'_>, printing: &mut Printing<'_, '_, '_>) -> Result<bool, Unusual> {
    reader.peek();
    let start = reader.position();
    let exponents = printing.plan.exponents;
    if node.is_plain()
        && let Some(value) = reader.try_float()
    {
        let text = &reader.bytes()[start + 1..reader.position() - 1];
        json::push_read_float(printing.out, text, value, exponents);
        return Ok(true);
    }
    let text = number(reader)?;
    Ok(node.takes(text) && json::push_float(printing.out, text, exponents))
}

/// Whether text is read as it would be written again in a key.
pub(super) fn is_canonical(node: &Node, stored: &[u8]) -> bool {
    let mut reader = Reader::new(stored);
    let Ok(tag) = reader.tag() else { return false };
    match node {
        // Other texts of these are unusual already.
        Node::Date(_) | Node::Enum(_) | Node::Literal(_) => true,
        Node::DateTime(node) if tag == Tag::S => reader.text().is_ok_and(|text| {
            datetime_of(text.as_bytes()).is_some_and(|(_, zone, has_fraction)| node.writes_again(zone, has_fraction))
        }),
        Node::DateTime(_) => tag == Tag::N,
        node => node.writes_again(stored),
    }
}

impl BytesForm {
    fn push(self, text: &[u8], out: &mut Vec<u8>) -> bool {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let Some(bytes) = base64::decode(text) else {
            return false;
        };
        match self {
            Self::Utf8 => match std::str::from_utf8(&bytes) {
                Ok(text) => writer::push_text(out, text),
                Err(_) => return false,
            },
            Self::Base64 => {
                out.push(b'"');
                base64::encode_with_padding_for_url(out, &bytes);
                out.push(b'"');
            }
            Self::Hex => {
                out.push(b'"');
                let digits = |byte: u8| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                out.extend(bytes.into_iter().flat_map(digits));
                out.push(b'"');
            }
        }
        true
    }
}

fn push_uuid(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<bool, Unusual> {
    let text = reader.text()?;
    let Some(value) = uuid::decode(text.as_bytes()).or_else(|| uuid::decode_hex(text.as_bytes())) else {
        return Ok(false);
    };
    out.push(b'"');
    uuid::encode(out, value);
    out.push(b'"');
    Ok(true)
}

fn push_date(text: &str, out: &mut Vec<u8>) -> bool {
    let Some(date) = Date::parse(text.as_bytes()) else {
        return false;
    };
    out.push(b'"');
    date.push(out);
    out.push(b'"');
    true
}

/// A datetime that is written with a fraction or without one.
#[inline]
fn datetime_of(text: &[u8]) -> Option<(DateTime, Zone, bool)> {
    let with_fraction = DateTime::parse(text).map(|(value, zone)| (value, zone, true));
    with_fraction.or_else(|| DateTime::parse_seconds(text).map(|(value, zone)| (value, zone, false)))
}

#[inline]
fn push_datetime(
    node: &DateTimeNode,
    tag: Tag,
    reader: &mut Reader<'_>,
    printing: &mut Printing<'_, '_, '_>,
) -> Result<bool, Unusual> {
    let (value, zone) = match (tag, node.epoch()) {
        (Tag::S, _) => {
            let (value, zone, _) = datetime_of(reader.text()?.as_bytes()).ok_or(UNUSUAL)?;
            (value, zone)
        }
        (Tag::N, Some(epoch)) => (instant(&reader.text()?, epoch)?, Zone::Utc),
        _ => return Ok(false),
    };
    json::push_datetime(printing.out, value, zone);
    Ok(node.takes(zone))
}

fn instant(text: &str, epoch: Epoch) -> Result<DateTime, Unusual> {
    DateTimeNode::instant(text, epoch).ok_or(UNUSUAL)
}

/// Append the elements of a list, and say how many there are.
#[inline]
fn push_elements<'n>(
    reader: &mut Reader<'_>,
    printing: &mut Printing<'_, '_, '_>,
    element: impl Fn(usize) -> Option<(&'n Printer, &'n Node)>,
) -> Result<usize, Unusual> {
    printing.enter()?;
    printing.push(b"[");
    let mut count = 0;
    let mut more = reader.begin_array()?;
    while more {
        let (printer, node) = element(count).ok_or(UNUSUAL)?;
        if count > 0 {
            printing.push(b",");
        }
        printer.push_value(node, reader, printing)?;
        count += 1;
        more = reader.next_element()?;
    }
    printing.push(b"]");
    printing.leave();
    Ok(count)
}

fn push_tuple(
    printers: &[Printer],
    node: &TupleNode,
    reader: &mut Reader<'_>,
    printing: &mut Printing<'_, '_, '_>,
) -> Result<bool, Unusual> {
    let count = match (node.repeated(), node.places(), printers) {
        (Some(element), _, [printer]) => push_elements(reader, printing, |_| Some((printer, element)))?,
        (None, Some(nodes), printers) => {
            push_elements(reader, printing, |index| printers.get(index).zip(nodes.get(index)))?
        }
        _ => return Ok(false),
    };
    Ok(node.takes(count))
}

fn push_set(
    node: &SetNode,
    tag: Tag,
    reader: &mut Reader<'_>,
    printing: &mut Printing<'_, '_, '_>,
) -> Result<bool, Unusual> {
    let py = printing.decoding.py;
    let set = node
        .decode(tag, reader, &mut printing.decoding)
        .map_err(|refusal| Unusual::refused(py, &refusal))?;
    let members = set.try_iter().map_err(|error| Unusual::raised(py, &error))?;
    printing.push(b"[");
    for (index, member) in members.enumerate() {
        let member = member.map_err(|error| Unusual::raised(py, &error))?;
        if index > 0 {
            printing.push(b",");
        }
        if let Ok(text) = member.cast_exact::<PyString>() {
            writer::push_text(printing.out, utf8(text).ok_or(UNUSUAL)?);
        } else if let Ok(number) = member.cast_exact::<PyInt>()
            && let Ok(number) = number.extract()
        {
            writer::push_integer(printing.out, number);
        } else {
            return Ok(false);
        }
    }
    printing.push(b"]");
    Ok(true)
}

/// Append the members of a dict, and say how many there are. One that is there twice is the model's: the later value comes
/// at the earlier place.
fn push_members(
    printer: &Printer,
    node: &Node,
    reader: &mut Reader<'_>,
    printing: &mut Printing<'_, '_, '_>,
) -> Result<usize, Unusual> {
    printing.enter()?;
    printing.push(b"{");
    let mut names = HashSet::new();
    let mut more = reader.begin_object()?;
    while more {
        let name = reader.key()?;
        if !names.is_empty() {
            printing.push(b",");
        }
        json::push_text(printing.out, &name);
        printing.push(b":");
        if !names.insert(name.into_cow()) {
            return Err(UNUSUAL);
        }
        printer.push_value(node, reader, printing)?;
        more = reader.next_member()?;
    }
    printing.push(b"}");
    printing.leave();
    Ok(names.len())
}
