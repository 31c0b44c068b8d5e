//! Item sizes as DynamoDB bills them, from an item's wire bytes.
//!
//! Rules ("DynamoDB item sizes and formats" in the developer guide): text and names by their UTF-8 bytes, binary by its
//! raw bytes, BOOL and NULL one byte, a list or map three bytes and one for each element. Numbers were measured against
//! AWS by the embedded engine's authors: one byte, one for each two significant digits before the point and after it, one
//! for a minus.

use std::fmt::{self, Write as _};

use super::number::Decimal;
use super::reader::{ReadError, Reader, Result, Text};
use super::{Tag, base64};

const COLLECTION_BYTES: usize = 3;
const ELEMENT_BYTES: usize = 1;
/// Levels followed here; an item that is nested deeper is refused by DynamoDB anyway.
const MAX_LEVELS: usize = 128;
/// A part inside an attribute is worth telling where it is at least this share of the item.
const TOLD_SHARE: usize = 10;

/// An attribute of an item, or a part of one, and what it costs: its name, or its place in a list, included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartSize {
    /// By stored names: `meta.pages[3]`.
    pub path: String,
    pub bytes: usize,
}

/// The size of an item, `{"id":{"S":"a"},…}`.
pub fn item_size(item: &[u8]) -> Result<usize> {
    walk(item, |_, _| {})
}

/// The size of one value, `{"S":"a"}`, without a name; of what is no value, the length of its text.
#[must_use]
pub fn value_size(value: &[u8]) -> usize {
    let mut item = Vec::with_capacity(value.len() + 8);
    item.extend_from_slice(br#"{"":"#);
    item.extend_from_slice(value);
    item.push(b'}');
    item_size(&item).unwrap_or(value.len())
}

/// The size of an item, and what it is made of, the heaviest first: each attribute, and the parts inside them that are at
/// least a tenth of the item. The attributes' sum is the item's size.
pub fn breakdown(item: &[u8]) -> Result<(usize, Vec<PartSize>)> {
    let size = item_size(item)?;
    let mut parts = Vec::new();
    walk(item, |path, bytes| {
        if path.len() == 1 || bytes * TOLD_SHARE >= size {
            let path = Path(path).to_string();
            parts.push(PartSize { path, bytes });
        }
    })?;
    // A part is always lighter than what it lies in, so this puts it behind.
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    Ok((size, parts))
}

/// A step to a value: its name in the item or in a map, its index in a list.
enum Step<'a> {
    Name(Text<'a>),
    Index(usize),
}

struct Path<'a>(&'a [Step<'a>]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) => {
                    if level > 0 {
                        f.write_char('.')?;
                    }
                    f.write_str(name)?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A map or list that is being read; the outermost map is the item.
struct Open {
    is_map: bool,
    /// Of all that was read of it.
    bytes: usize,
    elements: usize,
}

/// Read an item and tell of each value, once it is read, how to get there and what it costs. Without recursion, so no
/// bytes exhaust the stack.
fn walk(item: &[u8], mut tell: impl FnMut(&[Step<'_>], usize)) -> Result<usize> {
    let mut reader = Reader::new(item);
    let mut more = reader.begin_object()?;
    let mut size = 0;
    let mut path: Vec<Step<'_>> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    loop {
        let bytes = if more {
            let is_map = open.last().is_none_or(|collection| collection.is_map);
            let mut bytes = if open.is_empty() { 0 } else { ELEMENT_BYTES };
            if is_map {
                let name = reader.key()?;
                bytes += name.len();
                path.push(Step::Name(name));
            } else {
                path.push(Step::Index(open.last().map_or(0, |list| list.elements)));
            }
            let tag = reader.tag()?;
            if matches!(tag, Tag::M | Tag::L) {
                if open.len() == MAX_LEVELS {
                    return Err(reader.error("at most 128 levels of nesting"));
                }
                let is_map = tag == Tag::M;
                more = if is_map {
                    reader.begin_object()?
                } else {
                    reader.begin_array()?
                };
                open.push(Open {
                    is_map,
                    bytes: bytes + COLLECTION_BYTES,
                    elements: 0,
                });
                continue;
            }
            bytes + scalar_size(&mut reader, tag)?
        } else {
            match open.pop() {
                Some(collection) => collection.bytes,
                None => return Ok(size),
            }
        };
        reader.end()?;
        tell(&path, bytes);
        path.pop();
        more = match open.last_mut() {
            Some(collection) => {
                collection.bytes += bytes;
                collection.elements += 1;
                if collection.is_map {
                    reader.next_member()?
                } else {
                    reader.next_element()?
                }
            }
            None => {
                size += bytes;
                reader.next_member()?
            }
        };
    }
}

/// The size of the content of a value that is no map and no list.
fn scalar_size(reader: &mut Reader<'_>, tag: Tag) -> Result<usize> {
    match tag {
        Tag::Bool | Tag::Null => {
            reader.boolean()?;
            Ok(1)
        }
        Tag::SS | Tag::NS | Tag::BS => {
            let mut size = 0;
            let mut more = reader.begin_array()?;
            while more {
                size += text_size(reader, tag)?;
                more = reader.next_element()?;
            }
            Ok(size)
        }
        _ => text_size(reader, tag),
    }
}

fn text_size(reader: &mut Reader<'_>, tag: Tag) -> Result<usize> {
    let position = reader.position();
    let text = reader.text()?;
    match tag {
        Tag::N | Tag::NS => number_size(&text).ok_or(ReadError {
            position,
            expected: "a number's digits",
            found: Some(b'"'),
        }),
        Tag::B | Tag::BS => Ok(base64::decoded_length(&text)),
        _ => Ok(text.len()),
    }
}

fn number_size(text: &str) -> Option<usize> {
    let number = Decimal::parse(text).ok()?;
    if number.is_zero() {
        return Some(1);
    }
    let digits = number.digit_count();
    let whole = usize::try_from(number.exponent + 1).unwrap_or(0).min(digits);
    Some(1 + whole.div_ceil(2) + (digits - whole).div_ceil(2) + usize::from(number.negative))
}
