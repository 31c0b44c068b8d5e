//! The cursor of a page: where the next one begins, as a token. It holds how many items were given out so far and, of the
//! start key, what the query does not say itself.

use std::sync::Arc;

use bytes::Bytes;

use super::pages::Pages;
use super::reply;
use super::token::{CursorKey, Kind, Tokens, refused};
use crate::error::{Error, Result};
use crate::wire::reader::Reader;
use crate::wire::{Tag, base64, number, writer};

/// What the start key of a query consists of: the key attributes of the table and of the index, each once, as they are
/// stored.
pub type StartKey = [(Arc<str>, Tag)];

/// A place in the items of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// An object that has the key attributes of the last item before it: the service's LastEvaluatedKey, or that item.
    pub after: Bytes,
    /// Items given out so far, on all pages.
    pub given: u64,
}

/// The cursors of one query, written and read.
#[derive(Debug, Clone, Copy)]
pub struct Cursors<'a> {
    pub pages: &'a Pages,
    pub start_key: &'a StartKey,
    pub key: Option<&'a CursorKey>,
}

impl Cursors<'_> {
    pub fn write(&self, place: &Place) -> Result<String> {
        let mut content = Vec::with_capacity(64);
        push_count(&mut content, place.given);
        self.keys().push(&mut content, &place.after)?;
        let identity = self.pages.identity();
        Ok(self.tokens(Kind::Page, &identity).write(&content))
    }

    /// The place of a cursor that this query wrote, its key as ExclusiveStartKey.
    pub fn read(&self, cursor: &str) -> Result<Place> {
        let identity = self.pages.identity();
        let content = self.tokens(Kind::Page, &identity).read(cursor)?;
        self.place(&content)
            .ok_or_else(|| refused("its key is none of this table and index"))
    }

    fn place(&self, mut content: &[u8]) -> Option<Place> {
        let given = take_count(&mut content)?;
        let after = self.keys().take(&mut content)?;
        content.is_empty().then_some(Place { after, given })
    }

    pub(super) fn keys(&self) -> Keys<'_> {
        Keys {
            pages: self.pages,
            start_key: self.start_key,
        }
    }

    pub(super) fn tokens<'b>(&'b self, kind: Kind, identity: &'b [u8]) -> Tokens<'b> {
        Tokens {
            kind,
            identity,
            key: self.key,
        }
    }
}

/// The start keys of a query as they stand in tokens: of each, what the query does not say itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys<'a> {
    pub pages: &'a Pages,
    pub start_key: &'a StartKey,
}

impl Keys<'_> {
    /// Append the key of an object that has the key attributes.
    pub fn push(&self, content: &mut Vec<u8>, object: &[u8]) -> Result<()> {
        let read = read_values(object, self.start_key);
        let values = read.map_err(|error| reply::unreadable(self.pages.operation, &error))?;
        for ((name, _), value) in self.start_key.iter().zip(values) {
            if self.pinned(name).is_some() {
                continue;
            }
            let value = value.ok_or_else(|| lacking(name))?;
            push_count(content, value.len() as u64);
            content.extend_from_slice(&value);
        }
        Ok(())
    }

    /// Take a key off the front, as ExclusiveStartKey; `None` where none stands there.
    pub fn take(&self, content: &mut &[u8]) -> Option<Bytes> {
        let mut key = vec![b'{'];
        for (name, tag) in self.start_key {
            writer::push_separator(&mut key);
            writer::push_key(&mut key, name);
            if let Some(value) = self.pinned(name) {
                key.extend_from_slice(value);
                continue;
            }
            let length = usize::try_from(take_count(content)?).ok()?;
            let (value, rest) = content.split_at_checked(length)?;
            *content = rest;
            push_value(&mut key, *tag, value)?;
        }
        key.push(b'}');
        Some(key.into())
    }

    /// The value that the query itself gives to the attribute.
    fn pinned(&self, name: &str) -> Option<&Arc<[u8]>> {
        let mut pinned = self.pages.pinned().iter();
        pinned.find(|(known, _)| **known == *name).map(|(_, value)| value)
    }
}

fn lacking(name: &str) -> Error {
    Error::Expression(format!(
        "no cursor can be made, since an item came without its key attribute {name}: it needs the keys of the table and \
         the index to be declared as DynamoDB has them"
    ))
}

/// The contents of the key attributes of an item or a key: text, a number's text, bytes.
fn read_values(object: &[u8], start_key: &StartKey) -> crate::wire::reader::Result<Vec<Option<Vec<u8>>>> {
    let mut values = vec![None; start_key.len()];
    reply::members(&mut Reader::new(object), |name, reader| {
        let place = start_key.iter().position(|(known, _)| **known == *name);
        let Some(place) = place else {
            return reader.skip_value();
        };
        let start = reader.position();
        if reader.tag()? != start_key[place].1 {
            reader.seek(start);
            return reader.skip_value();
        }
        let text = reader.text()?;
        values[place] = match start_key[place].1 {
            Tag::B => base64::decode(text.as_bytes()),
            _ => Some(text.as_bytes().to_vec()),
        };
        reader.end()
    })?;
    Ok(values)
}

/// `None` where the bytes are no value of this type.
fn push_value(out: &mut Vec<u8>, tag: Tag, value: &[u8]) -> Option<()> {
    match tag {
        Tag::B => writer::push_b(out, value),
        Tag::N => {
            let text = std::str::from_utf8(value).ok()?;
            number::check(text).ok()?;
            writer::push_n(out, text);
        }
        _ => writer::push_s(out, std::str::from_utf8(value).ok()?),
    }
    Some(())
}

/// Append a number, seven bits in a byte, the lowest first.
pub(super) fn push_count(out: &mut Vec<u8>, mut count: u64) {
    while count >= 0x80 {
        out.push((count & 0x7f) as u8 | 0x80);
        count >>= 7;
    }
    out.push((count & 0x7f) as u8);
}

pub(super) fn take_count(content: &mut &[u8]) -> Option<u64> {
    let mut count = 0u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = content.split_first()?;
        *content = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        count |= bits << shift;
        if byte < 0x80 {
            return Some(count);
        }
    }
    None
}
