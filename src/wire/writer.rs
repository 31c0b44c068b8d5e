//! The append-only writer of DynamoDB JSON: functions over `Vec<u8>`. What is known beforehand is written once into a
//! head, such as `,"name":{"S":"`, and copied; what is between head and tail comes from here. Hot.

use super::scan::plain_run;
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
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Append a member's name and colon: `"name":`.
#[inline]
pub fn push_key(out: &mut Vec<u8>, name: &str) {
    push_text(out, name);
    out.push(b':');
}

/// Append the comma before the next member or element: none after the bracket that opened the map or list.
#[inline]
pub fn push_separator(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[') | None) {
        out.push(b',');
    }
}

/// Append `{"S":"text"}`.
#[inline]
pub fn push_s(out: &mut Vec<u8>, text: &str) {
    push_small(out, Tag::S.opening().as_bytes());
    push_escaped(out, text);
    push_small(out, Tag::S.closing().as_bytes());
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
