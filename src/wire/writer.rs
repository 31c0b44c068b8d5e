//! The append-only writer of DynamoDB JSON: functions over `Vec<u8>`. What is known beforehand is written once into a
//! head, such as `,"name":{"S":"`, and copied; what is between head and tail comes from here. Hot.

use std::mem::MaybeUninit;

use super::scan::{plain_blocks, plain_run};
use super::{Tag, base64};

impl Tag {
    /// What stands before the content of a value of this tag: of text the opening quote, of a list or map its bracket.
    #[must_use]
    pub const fn opening(self) -> &'static str {
        match self {
            Self::S => r#"{"S":""#,
            Self::N => r#"{"N":""#,
            Self::B => r#"{"B":""#,
            Self::Bool => r#"{"BOOL":"#,
            Self::Null => r#"{"NULL":"#,
            Self::M => r#"{"M":{"#,
            Self::L => r#"{"L":["#,
            Self::SS => r#"{"SS":["#,
            Self::NS => r#"{"NS":["#,
            Self::BS => r#"{"BS":["#,
        }
    }

    /// What stands after the content of a value of this tag.
    #[must_use]
    pub const fn closing(self) -> &'static str {
        match self {
            Self::S | Self::N | Self::B => r#""}"#,
            Self::Bool | Self::Null => "}",
            Self::M => "}}",
            Self::L | Self::SS | Self::NS | Self::BS => "]}",
        }
    }
}

/// NULL's only form.
pub const NULL: &str = r#"{"NULL":true}"#;
/// The empty list, which is also how a set that may not be left out is stored when it is empty.
pub const EMPTY_LIST: &str = r#"{"L":[]}"#;

/// Append bytes that are usually few: up to 32 of them take two stores, where a copy of any length is a call.
#[inline]
#[allow(unsafe_code)]
pub fn push_small(out: &mut Vec<u8>, bytes: &[u8]) {
    const LARGEST: usize = 32;
    let length = bytes.len();
    if length > LARGEST {
        out.extend_from_slice(bytes);
        return;
    }
    out.reserve(LARGEST);
    // SAFETY: there is room for 32 bytes behind the vector's, and each copy writes `length` of them at most, from within
    // `bytes`: the two halves of a pair overlap where they are longer than the whole. Then `length` bytes are written.
    unsafe {
        let from = bytes.as_ptr();
        let to = out.as_mut_ptr().add(out.len());
        if length >= 16 {
            copy::<16>(from, to);
            copy::<16>(from.add(length - 16), to.add(length - 16));
        } else if length >= 8 {
            copy::<8>(from, to);
            copy::<8>(from.add(length - 8), to.add(length - 8));
        } else if length >= 4 {
            copy::<4>(from, to);
            copy::<4>(from.add(length - 4), to.add(length - 4));
        } else {
            for at in 0..length {
                *to.add(at) = *from.add(at);
            }
        }
        out.set_len(out.len() + length);
    }
}

/// # Safety
/// `N` bytes can be read at `from` and written at `to`, and the two do not overlap.
#[inline]
#[allow(unsafe_code)]
unsafe fn copy<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { std::ptr::copy_nonoverlapping(from, to, N) };
}

/// Append text as it stands between the quotes of a JSON string.
#[inline]
pub fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let run = plain_run(bytes);
    push_small(out, &bytes[..run.length]);
    if run.length < bytes.len() {
        push_with_escapes(out, &bytes[run.length..]);
    }
}

#[cold]
fn push_with_escapes(out: &mut Vec<u8>, mut rest: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    while let Some((&special, after)) = rest.split_first() {
        match special {
            b'"' => out.extend_from_slice(br#"\""#),
            b'\\' => out.extend_from_slice(br"\\"),
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            b'\t' => out.extend_from_slice(br"\t"),
            b'\x08' => out.extend_from_slice(br"\b"),
            b'\x0C' => out.extend_from_slice(br"\f"),
            control => {
                out.extend_from_slice(br"\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
        }
        let run = plain_run(after);
        out.extend_from_slice(&after[..run.length]);
        rest = &after[run.length..];
    }
}

/// Append a JSON string: `"text"`.
#[inline]
pub fn push_text(out: &mut Vec<u8>, text: &str) {
    push_between(out, b"\"", text, b"\"");
}

/// Append a member's name and colon: `"name":`.
#[inline]
pub fn push_key(out: &mut Vec<u8>, name: &str) {
    push_between(out, b"\"", name, b"\":");
}

/// Append `{"S":"text"}`.
#[inline]
pub fn push_s(out: &mut Vec<u8>, text: &str) {
    push_between(out, br#"{"S":""#, text, br#""}"#);
}

/// What is written in pieces that overlap lies here: an opening, 32 bytes, a closing.
type Room = [MaybeUninit<u8>; 48];

/// The room behind what is written. It becomes part of that when the length is set.
#[inline]
fn room(out: &mut Vec<u8>) -> &mut Room {
    if out.capacity() - out.len() < size_of::<Room>() {
        out.reserve(size_of::<Room>());
    }
    out.spare_capacity_mut().first_chunk_mut().expect("reserved just above")
}

/// Text is usually short and plain: then it is looked through and copied in one go.
#[inline]
#[allow(unsafe_code)]
fn push_between<const OPEN: usize, const CLOSE: usize>(
    out: &mut Vec<u8>,
    opening: &[u8; OPEN],
    text: &str,
    closing: &[u8; CLOSE],
) {
    let Some((first, last)) = plain_blocks(text.as_bytes()) else {
        out.extend_from_slice(opening);
        push_escaped(out, text);
        out.extend_from_slice(closing);
        return;
    };
    let room = room(out);
    let end = OPEN + text.len();
    room[..OPEN].write_copy_of_slice(opening);
    room[OPEN..OPEN + 16].write_copy_of_slice(&first);
    if let Some(last) = last {
        room[end - 16..end].write_copy_of_slice(&last);
    }
    room[end..end + CLOSE].write_copy_of_slice(closing);
    // SAFETY: the room is at the end of the vector and was filled up to the end of the closing: up to 16 bytes of text by
    // the first block, up to 32 by both.
    unsafe { out.set_len(out.len() + end + CLOSE) };
}

/// Append the comma before the next member or element: none after the bracket that opened the map or list.
#[inline]
pub fn push_separator(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[') | None) {
        out.push(b',');
    }
}

/// Append `{"N":"number"}`; the number's text is taken as it is.
#[inline]
pub fn push_n(out: &mut Vec<u8>, number: &str) {
    out.extend_from_slice(Tag::N.opening().as_bytes());
    out.extend_from_slice(number.as_bytes());
    out.extend_from_slice(Tag::N.closing().as_bytes());
}

/// Append `{"B":"base64"}`.
#[inline]
pub fn push_b(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(Tag::B.opening().as_bytes());
    base64::encode(out, bytes);
    out.extend_from_slice(Tag::B.closing().as_bytes());
}

/// Append `{"BOOL":true}` or `{"BOOL":false}`.
#[inline]
pub fn push_bool(out: &mut Vec<u8>, value: bool) {
    let wire = if value { r#"{"BOOL":true}"# } else { r#"{"BOOL":false}"# };
    push_small(out, wire.as_bytes());
}

/// Append `{"NULL":true}`.
#[inline]
pub fn push_null(out: &mut Vec<u8>) {
    push_small(out, NULL.as_bytes());
}

/// Append `{"N":"1"}` of a whole number.
#[inline]
#[allow(unsafe_code)]
pub fn push_n_integer(out: &mut Vec<u8>, value: i64) {
    const ZEROS: u64 = u64::from_le_bytes(*b"00000000");
    const OPENING: &[u8; 6] = br#"{"N":""#;
    const CLOSING: &[u8; 2] = br#""}"#;
    let Ok(magnitude @ 0..100_000_000) = u32::try_from(value.unsigned_abs()) else {
        out.extend_from_slice(OPENING);
        push_integer(out, value);
        out.extend_from_slice(CLOSING);
        return;
    };
    let room = room(out);
    room[..6].write_copy_of_slice(OPENING);
    room[6].write(b'-');
    let at = 6 + usize::from(value < 0);
    // The last of eight digits is written even where all are zero.
    let digits = eight_digits(magnitude);
    let leading = (digits.trailing_zeros() / 8).min(7);
    room[at..at + 8].write_copy_of_slice(&((digits | ZEROS) >> (8 * leading)).to_le_bytes());
    let end = at + 8 - leading as usize;
    room[end..end + 2].write_copy_of_slice(CLOSING);
    // SAFETY: the room is at the end of the vector and was filled up to the end of the closing.
    unsafe { out.set_len(out.len() + end + 2) };
}

/// The eight digits of a number below 10^8, a byte each, the first in the lowest: halves, then pairs, then digits, all of
/// a kind in one multiplication.
#[inline]
pub(super) fn eight_digits(number: u32) -> u64 {
    let (high, low) = (u64::from(number / 10_000), u64::from(number % 10_000));
    let halves = high | low << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let pairs = hundreds | (halves - 100 * hundreds) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | (pairs - 10 * tens) << 8
}

/// Append the digits of a whole number.
#[inline]
#[expect(clippy::missing_panics_doc, reason = "a remainder of ten is a digit")]
pub fn push_integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    push_small(out, &digits[at..]);
}

/// The bytes before a field's content, `"name":{"S":"`, made once and copied for each item.
#[must_use]
pub fn field_head(name: &str, tag: Tag) -> Vec<u8> {
    let mut head = Vec::with_capacity(name.len() + 12);
    push_key(&mut head, name);
    head.extend_from_slice(tag.opening().as_bytes());
    head
}
