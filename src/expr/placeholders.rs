//! `#n0` and `:v0`: what stands for names and values in expression text. A name never appears in the text itself, so
//! reserved words and odd characters (a dot!) never matter.

use std::sync::Arc;

use super::ast::{Path, Segment, Value};
use crate::wire::{size, writer};

/// The names and values of one request; its expressions share them, and equal ones are sent once.
#[derive(Debug, Clone, Default)]
pub struct Placeholders {
    // Searched from the start: a request has a handful, and text over 4 KB is refused while it grows.
    names: Vec<Arc<str>>,
    values: Vec<Arc<[u8]>>,
    /// Of the names and of the values' wire form.
    bytes: usize,
}

impl Placeholders {
    /// Append the path, `#n0.#n1[2]`.
    pub fn path(&mut self, text: &mut String, path: &Path) {
        for (position, segment) in path.0.iter().enumerate() {
            match segment {
                Segment::Attribute(name) => {
                    if position > 0 {
                        text.push('.');
                    }
                    self.name(text, name);
                }
                Segment::Index(index) => {
                    text.push('[');
                    push_number(text, *index as usize);
                    text.push(']');
                }
            }
        }
    }

    /// Append the placeholder of one attribute name.
    pub fn name(&mut self, text: &mut String, name: &Arc<str>) {
        let number = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.bytes += name.len();
            self.names.push(Arc::clone(name));
            self.names.len() - 1
        });
        text.push_str("#n");
        push_number(text, number);
    }

    /// Append the placeholder of one value.
    pub fn value(&mut self, text: &mut String, value: &Value) {
        let number = self
            .values
            .iter()
            .position(|known| *known == value.wire)
            .unwrap_or_else(|| {
                self.bytes += value.wire.len();
                self.values.push(Arc::clone(&value.wire));
                self.values.len() - 1
            });
        text.push_str(":v");
        push_number(text, number);
    }

    /// Whether the names and values are larger than `limit` as DynamoDB counts them.
    #[must_use]
    pub fn exceed(&self, limit: usize) -> bool {
        // The wire form is never smaller than what DynamoDB counts, so most need no counting.
        if self.bytes <= limit {
            return false;
        }
        let names: usize = self.names.iter().map(|name| name.len()).sum();
        let values: usize = self.values.iter().map(|value| size::value_size(value)).sum();
        names + values > limit
    }

    /// The text for people: names in place of their placeholders, `…` in place of values.
    #[must_use]
    pub fn spelled(&self, text: &str) -> String {
        let mut spelled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(['#', ':']) {
            let (before, placeholder) = rest.split_at(start);
            let digits = placeholder[2..].bytes().take_while(u8::is_ascii_digit).count();
            let (placeholder, after) = placeholder.split_at(2 + digits);
            spelled.push_str(before);
            match placeholder.strip_prefix("#n").map(str::parse::<usize>) {
                Some(Ok(number)) => spelled.push_str(&self.names[number]),
                _ => spelled.push('…'),
            }
            rest = after;
        }
        spelled + rest
    }

    /// Append the members of a request body that say what the placeholders stand for; DynamoDB refuses empty ones.
    pub fn write_members(&self, body: &mut Vec<u8>) {
        if !self.names.is_empty() {
            body.extend_from_slice(br#","ExpressionAttributeNames":{"#);
            for (number, name) in self.names.iter().enumerate() {
                push_key(body, "#n", number);
                writer::push_text(body, name);
            }
            body.push(b'}');
        }
        if !self.values.is_empty() {
            body.extend_from_slice(br#","ExpressionAttributeValues":{"#);
            for (number, value) in self.values.iter().enumerate() {
                push_key(body, ":v", number);
                body.extend_from_slice(value);
            }
            body.push(b'}');
        }
    }
}

fn push_number(text: &mut String, number: usize) {
    match u8::try_from(number) {
        // Most requests have fewer, and the machinery of formatting costs more than all the rest of a placeholder.
        Ok(digit @ 0..=9) => text.push(char::from(b'0' + digit)),
        _ => text.push_str(&number.to_string()),
    }
}

/// Append a placeholder as a member's key.
fn push_key(body: &mut Vec<u8>, kind: &str, number: usize) {
    writer::push_separator(body);
    body.push(b'"');
    body.extend_from_slice(kind.as_bytes());
    let number = i64::try_from(number).expect("4 KB of text have room for fewer");
    writer::push_integer(body, number);
    body.extend_from_slice(b"\":");
}
