//! What a query asks for, as bytes: equal for requests that find the same items in the same order, whatever they number
//! their placeholders, in which order they list the members of sets and of IN, how they spell numbers, and how much they
//! read at once.

use std::collections::BTreeMap;
use std::ops::Range;

use super::reply;
use crate::expr::split::OpenEnd;
use crate::wire::reader::{self, Reader};
use crate::wire::{Tag, number};

/// The identity of a Query or Scan by its body without the closing bracket, which is our own writing, and of what is
/// left out on the client.
pub(super) fn of_query(operation: &str, head: &[u8], drop: &[OpenEnd]) -> Vec<u8> {
    let body = [head, b"}"].concat();
    let asked = Asked::read(&mut Reader::new(&body)).expect("the body was written here");
    let mut identity = Vec::with_capacity(body.len());
    push_part(&mut identity, operation.as_bytes());
    for member in ["TableName", "IndexName"] {
        push_part(
            &mut identity,
            asked.texts.get(member).map_or(b"", |text| text.as_bytes()),
        );
    }
    identity.push(u8::from(asked.is_reverse));
    for member in ["KeyConditionExpression", "FilterExpression"] {
        let text = asked.texts.get(member).map_or("", String::as_str);
        let expression = asked.expression(text);
        push_part(&mut identity, &expression);
    }
    for end in drop {
        push_part(&mut identity, end.attribute.as_bytes());
        push_part(&mut identity, &canonical(&end.value.wire));
    }
    identity
}

/// The members of a body that tell what is asked for.
#[derive(Default)]
struct Asked {
    texts: BTreeMap<String, String>,
    is_reverse: bool,
    /// By their placeholders.
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Vec<u8>>,
}

impl Asked {
    fn read(reader: &mut Reader<'_>) -> reader::Result<Self> {
        let mut asked = Self::default();
        reply::members(reader, |name, reader| {
            match name {
                "TableName" | "IndexName" | "KeyConditionExpression" | "FilterExpression" => {
                    let text = reader.text()?.into_cow().into_owned();
                    asked.texts.insert(name.to_owned(), text);
                }
                "ScanIndexForward" => asked.is_reverse = !reader.boolean()?,
                "ExpressionAttributeNames" => reply::members(reader, |placeholder, reader| {
                    let name = reader.text()?.into_cow().into_owned();
                    asked.names.insert(placeholder.to_owned(), name);
                    Ok(())
                })?,
                "ExpressionAttributeValues" => reply::members(reader, |placeholder, reader| {
                    let value = reader.raw_value()?;
                    asked
                        .values
                        .insert(placeholder.to_owned(), canonical(&reader.bytes()[value]));
                    Ok(())
                })?,
                _ => reader.skip_value()?,
            }
            Ok(())
        })?;
        Ok(asked)
    }

    /// The expression with names and values in place of their placeholders. No other text of the caller's is in it.
    fn expression(&self, text: &str) -> Vec<u8> {
        const OPERANDS: &str = " IN (";
        let mut written = Vec::with_capacity(2 * text.len());
        let mut rest = text;
        while let Some(start) = rest.find(OPERANDS) {
            let (before, operands) = rest.split_at(start + OPERANDS.len());
            let end = operands.find(')').unwrap_or(operands.len());
            self.substitute(before, &mut written);
            let mut values: Vec<Vec<u8>> = operands[..end]
                .split(", ")
                .map(|operand| {
                    let mut value = Vec::new();
                    self.substitute(operand, &mut value);
                    value
                })
                .collect();
            values.sort_unstable();
            values.dedup();
            for value in values {
                push_part(&mut written, &value);
            }
            rest = &operands[end..];
        }
        self.substitute(rest, &mut written);
        written
    }

    fn substitute(&self, text: &str, written: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(placeholder) = next_placeholder(rest) {
            written.extend_from_slice(&rest.as_bytes()[..placeholder.start]);
            let found = &rest[placeholder.clone()];
            let meaning = self.names.get(found).map(String::as_bytes);
            push_part(
                written,
                meaning.or(self.values.get(found).map(Vec::as_slice)).unwrap_or(b""),
            );
            rest = &rest[placeholder.end..];
        }
        written.extend_from_slice(rest.as_bytes());
    }
}

/// Where `#n0` or `:v0` stands next.
fn next_placeholder(text: &str) -> Option<Range<usize>> {
    let start = text.find(['#', ':'])?;
    let behind = text[start + 1..].find(|character: char| !character.is_ascii_alphanumeric());
    Some(start..behind.map_or(text.len(), |behind| start + 1 + behind))
}

fn push_part(identity: &mut Vec<u8>, part: &[u8]) {
    identity.extend_from_slice(&(part.len() as u64).to_le_bytes());
    identity.extend_from_slice(part);
}

/// An attribute value that was written here, the same for all forms of it.
fn canonical(wire: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(wire.len());
    push_value(&mut Reader::new(wire), &mut written).expect("the value was written here");
    written
}

fn push_value(reader: &mut Reader<'_>, written: &mut Vec<u8>) -> reader::Result<()> {
    let tag = reader.tag()?;
    written.extend_from_slice(tag.name().as_bytes());
    match tag {
        Tag::S | Tag::B => push_part(written, reader.text()?.as_bytes()),
        Tag::N => push_part(written, &plain_number(&reader.text()?)),
        Tag::Bool | Tag::Null => written.push(u8::from(reader.boolean()?)),
        Tag::SS | Tag::NS | Tag::BS => {
            let mut members = Vec::new();
            reply::elements(reader, |reader| {
                let member = reader.text()?;
                members.push(if tag == Tag::NS {
                    plain_number(&member)
                } else {
                    member.as_bytes().to_vec()
                });
                Ok(())
            })?;
            members.sort_unstable();
            push_parts(written, &members);
        }
        Tag::L => {
            let mut elements = Vec::new();
            reply::elements(reader, |reader| {
                let mut element = Vec::new();
                push_value(reader, &mut element)?;
                elements.push(element);
                Ok(())
            })?;
            push_parts(written, &elements);
        }
        Tag::M => {
            let mut entries = Vec::new();
            reply::members(reader, |name, reader| {
                let mut entry = Vec::new();
                push_part(&mut entry, name.as_bytes());
                push_value(reader, &mut entry)?;
                entries.push(entry);
                Ok(())
            })?;
            entries.sort_unstable();
            push_parts(written, &entries);
        }
    }
    reader.end()
}

fn push_parts(written: &mut Vec<u8>, parts: &[Vec<u8>]) {
    written.extend_from_slice(&(parts.len() as u64).to_le_bytes());
    for part in parts {
        push_part(written, part);
    }
}

fn plain_number(text: &str) -> Vec<u8> {
    let mut written = Vec::new();
    match number::push_canonical(&mut written, text) {
        Ok(()) => written,
        // None of DynamoDB's: it will say so itself.
        Err(_) => text.as_bytes().to_vec(),
    }
}
