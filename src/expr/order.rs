//! The order of S, N and B as DynamoDB has it: text by its UTF-8 bytes, numbers by value, bytes as they are. Equality
//! of keys follows from it: `1` and `1.0` are one key.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::ast::Value;
use crate::wire::reader::{self, Reader};
use crate::wire::{Tag, base64, number};

/// The content of a value that can be a key, in a form that compares.
#[derive(Debug, Clone)]
pub enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(Cow<'a, str>),
    Bytes(Vec<u8>),
}

impl<'a> Scalar<'a> {
    /// Read one attribute value; `None` where it is neither S nor N nor B, or is not well formed inside.
    pub fn read(reader: &mut Reader<'a>) -> reader::Result<Option<Self>> {
        let start = reader.position();
        let scalar = match reader.tag()? {
            Tag::S => Some(Self::Text(reader.text()?.into_cow())),
            Tag::N => {
                let text = reader.text()?.into_cow();
                number::check(&text).is_ok().then_some(Self::Number(text))
            }
            Tag::B => base64::decode(reader.text()?.as_bytes()).map(Self::Bytes),
            _ => {
                reader.seek(start);
                reader.skip_value()?;
                return Ok(None);
            }
        };
        reader.end()?;
        Ok(scalar)
    }

    #[must_use]
    pub fn of(value: &'a Value) -> Option<Self> {
        Self::read(&mut Reader::new(&value.wire)).ok().flatten()
    }

    /// `None` for two values of different types.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Number(a), Self::Number(b)) => number::compare(a, b).ok(),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_equal(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }

    /// Append bytes that are the same for equal values and for no others, also when several values follow each other.
    pub fn push_identity(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 9]);
        out[start] = match self {
            Self::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                b'S'
            }
            Self::Number(text) => {
                number::push_canonical(out, text).expect("the number was checked when it was read");
                b'N'
            }
            Self::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                b'B'
            }
        };
        let length = (out.len() - start) as u64;
        out[start + 1..start + 9].copy_from_slice(&length.to_le_bytes());
    }
}

/// How two values stand to each other; `None` where they have no order.
#[must_use]
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    Scalar::of(a)?.compare(&Scalar::of(b)?)
}
