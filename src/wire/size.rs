//! Item sizes as DynamoDB bills them, from an item's wire bytes.
//!
//! Rules: text and names by their UTF-8 bytes, binary by its raw bytes, BOOL and NULL one byte, a list or map three bytes
//! and one for each element. Numbers were measured against AWS by the embedded engine's authors: one byte, one for each
//! two significant digits before the point and after it, one for a minus.

use super::Tag;
use super::number::Decimal;
use super::reader::{ReadError, Reader, Result};

const COLLECTION_BYTES: usize = 3;
const ELEMENT_BYTES: usize = 1;
/// Levels followed here; an item that is nested deeper is refused by DynamoDB anyway.
const MAX_LEVELS: usize = 128;

/// An attribute of an item and what it costs, its name included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeSize {
    pub name: String,
    pub bytes: usize,
}

/// Each attribute's size, the heaviest first. Their sum is the item's.
pub fn attribute_sizes(item: &[u8]) -> Result<Vec<AttributeSize>> {
    let mut sizes = Vec::new();
    let mut reader = Reader::new(item);
    let mut more = reader.begin_object()?;
    while more {
        let name = reader.key()?;
        let bytes = name.len() + value_size(&mut reader)?;
        sizes.push(AttributeSize {
            name: name.into_cow().into_owned(),
            bytes,
        });
        more = reader.next_member()?;
    }
    sizes.sort_by_key(|size| std::cmp::Reverse(size.bytes));
    Ok(sizes)
}

/// The size of an item, `{"id":{"S":"a"},…}`.
pub fn item_size(item: &[u8]) -> Result<usize> {
    let mut size = 0;
    let mut reader = Reader::new(item);
    let mut more = reader.begin_object()?;
    while more {
        size += reader.key()?.len() + value_size(&mut reader)?;
        more = reader.next_member()?;
    }
    Ok(size)
}

/// The size of the attribute value at the reader's position, which is read.
fn value_size(reader: &mut Reader<'_>) -> Result<usize> {
    // The tags of the maps and lists that are open: no recursion, so no bytes exhaust the stack.
    let mut open: Vec<Tag> = Vec::new();
    let mut size = 0;
    loop {
        let tag = reader.tag()?;
        let enters = match tag {
            Tag::M | Tag::L => {
                size += COLLECTION_BYTES;
                if tag == Tag::M {
                    reader.begin_object()?
                } else {
                    reader.begin_array()?
                }
            }
            Tag::S | Tag::N | Tag::B => {
                size += text_size(reader, tag)?;
                false
            }
            Tag::SS | Tag::NS | Tag::BS => {
                size += set_size(reader, tag)?;
                false
            }
            Tag::Bool | Tag::Null => {
                reader.boolean()?;
                size += 1;
                false
            }
        };
        if enters {
            if open.len() == MAX_LEVELS {
                return Err(reader.error("at most 128 levels of nesting"));
            }
            open.push(tag);
        } else {
            reader.end()?;
            loop {
                let Some(&collection) = open.last() else {
                    return Ok(size);
                };
                let more = if collection == Tag::M {
                    reader.next_member()?
                } else {
                    reader.next_element()?
                };
                if more {
                    break;
                }
                reader.end()?;
                open.pop();
            }
        }
        size += ELEMENT_BYTES;
        if open.last() == Some(&Tag::M) {
            size += reader.key()?.len();
        }
    }
}

fn set_size(reader: &mut Reader<'_>, tag: Tag) -> Result<usize> {
    let mut size = 0;
    let mut more = reader.begin_array()?;
    while more {
        size += text_size(reader, tag)?;
        more = reader.next_element()?;
    }
    Ok(size)
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
        Tag::B | Tag::BS => {
            let padding = text.bytes().rev().take_while(|&byte| byte == b'=').count();
            Ok((text.len() / 4 * 3).saturating_sub(padding))
        }
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
