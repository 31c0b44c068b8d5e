//! The pull reader of DynamoDB JSON. It is made for the rigid `{"X":v}` form as the service prints it, without blanks,
//! and is right for any JSON: whitespace is tolerated everywhere, no bytes make it panic, nothing is recursive. Hot.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};

use super::scan::plain_run;
use super::{Tag, float, number};

/// Brackets that may be open at once in a value that is skipped: 32 levels of attributes are 64 of JSON, and a reply
/// wraps them in a few more.
const MAX_OPEN_BRACKETS: u32 = 128;

pub type Result<T> = std::result::Result<T, ReadError>;

/// Bytes that are not the JSON that was expected. The message shows no content, only what kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadError {
    /// Where in the bytes.
    pub position: usize,
    pub expected: &'static str,
    /// The byte found there; `None` at the end.
    pub found: Option<u8>,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}, found ", self.expected, self.position)?;
        match self.found {
            None => f.write_str("the end"),
            Some(b'"') => f.write_str("a string or its end"),
            Some(b'{') => f.write_str("an object"),
            Some(b'[') => f.write_str("an array"),
            Some(b'-' | b'0'..=b'9') => f.write_str("a number"),
            Some(byte @ (b'}' | b']' | b',' | b':' | b'\\')) => write!(f, "`{}`", char::from(byte)),
            Some(byte) if byte < 0x20 => f.write_str("a control character"),
            Some(_) => f.write_str("other text"),
        }
    }
}

impl std::error::Error for ReadError {}

/// The text of a JSON string: borrowed from the bytes unless it has escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a> {
    text: Cow<'a, str>,
    ascii: bool,
}

impl<'a> Text<'a> {
    /// Whether every character is ASCII, learned while the string's end was looked for.
    #[inline]
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text as it stands between its quotes, where that is the text itself.
    #[inline]
    #[must_use]
    pub fn as_written(&self) -> Option<&'a str> {
        match self.text {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    #[must_use]
    pub fn into_cow(self) -> Cow<'a, str> {
        self.text
    }
}

impl Deref for Text<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.text
    }
}

/// A position in bytes that hold JSON.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The position of the next byte.
    #[inline]
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Go on from `position`; one beyond the end is the end.
    #[inline]
    pub fn seek(&mut self, position: usize) {
        self.at = position.min(self.bytes.len());
    }

    /// All the bytes, read or not.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next byte that is not whitespace, which stays unread.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte > b' ' => Some(byte),
            _ => self.peek_past_whitespace(),
        }
    }

    #[cold]
    fn peek_past_whitespace(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// The error that `expected` should stand at the next byte.
    #[cold]
    #[must_use]
    pub fn error(&mut self, expected: &'static str) -> ReadError {
        let found = self.peek();
        ReadError {
            position: self.at,
            expected,
            found,
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.error(expected))
        }
    }

    /// Read these very bytes if they are next: a predicted head such as `,"name":{"S":"`.
    #[inline]
    pub fn try_bytes(&mut self, expected: &[u8]) -> bool {
        let end = self.at + expected.len();
        let found = self.bytes.get(self.at..end).is_some_and(|next| same(next, expected));
        if found {
            self.at = end;
        }
        found
    }

    /// Nothing but whitespace is left.
    pub fn finish(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("nothing more")),
        }
    }
}

/// Objects and arrays: `let mut more = reader.begin_object()?; while more { let key = reader.key()?; …value…; more =
/// reader.next_member()?; }`
impl<'a> Reader<'a> {
    /// Read `{`, and `}` if the object is empty. True: a key is next.
    #[inline]
    pub fn begin_object(&mut self) -> Result<bool> {
        self.expect(b'{', "an object")?;
        Ok(!self.closes(b'}'))
    }

    /// Read what stands after a member's value. True: a key is next; false: the object is closed.
    #[inline]
    pub fn next_member(&mut self) -> Result<bool> {
        self.goes_on(b'}', "`,` or `}`")
    }

    /// Read `[`, and `]` if the array is empty. True: a value is next.
    #[inline]
    pub fn begin_array(&mut self) -> Result<bool> {
        self.expect(b'[', "an array")?;
        Ok(!self.closes(b']'))
    }

    /// Read what stands after an element. True: a value is next; false: the array is closed.
    #[inline]
    pub fn next_element(&mut self) -> Result<bool> {
        self.goes_on(b']', "`,` or `]`")
    }

    #[inline]
    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        closes
    }

    #[inline]
    fn goes_on(&mut self, bracket: u8, expected: &'static str) -> Result<bool> {
        let found = self.peek();
        if found == Some(b',') || found == Some(bracket) {
            self.at += 1;
            Ok(found == Some(b','))
        } else {
            Err(self.error(expected))
        }
    }

    /// Read a member's name and colon.
    #[inline]
    pub fn key(&mut self) -> Result<Text<'a>> {
        self.expect(b'"', "a member's name")?;
        let key = self.text_body()?;
        self.expect(b':', "`:`")?;
        Ok(key)
    }

    /// Read the predicted name and colon, given as they are written (`"name":`). False: nothing was read, and the name
    /// may still be the same in another writing; `key` tells.
    #[inline]
    pub fn try_key(&mut self, written: &[u8]) -> bool {
        self.try_bytes(written)
    }
}

/// Attribute values: `let tag = reader.tag()?; …content…; reader.end()?;`
impl Reader<'_> {
    /// Read `{"X":`: what kind of value is next.
    #[inline]
    pub fn tag(&mut self) -> Result<Tag> {
        if let Some(word) = self.word() {
            if word & ONE_LETTER_MASK == ONE_LETTER {
                let tag = match word.to_le_bytes()[2] {
                    b'S' => Tag::S,
                    b'N' => Tag::N,
                    b'M' => Tag::M,
                    b'L' => Tag::L,
                    b'B' => Tag::B,
                    _ => return self.tag_with_whitespace(),
                };
                self.at += 5;
                return Ok(tag);
            }
            if word == BOOL || word == NULL {
                self.at += 8;
                return Ok(if word == BOOL { Tag::Bool } else { Tag::Null });
            }
            if word & TWO_LETTERS_MASK == TWO_LETTERS {
                let tag = match word.to_le_bytes()[2] {
                    b'S' => Tag::SS,
                    b'N' => Tag::NS,
                    b'B' => Tag::BS,
                    _ => return self.tag_with_whitespace(),
                };
                self.at += 6;
                return Ok(tag);
            }
        }
        self.tag_with_whitespace()
    }

    /// Read `{"X":` if it is this tag's, written without blanks. False: nothing was read; `tag` tells what it is.
    #[inline]
    pub fn try_tag(&mut self, tag: Tag) -> bool {
        let length = tag.name().len() + 4;
        let found = self
            .word()
            .is_some_and(|word| word & (u64::MAX >> (64 - 8 * length)) == HEADS[tag as usize]);
        if found {
            self.at += length;
        }
        found
    }

    /// Read the `}` that closes an attribute value.
    #[inline]
    pub fn end(&mut self) -> Result<()> {
        self.expect(b'}', "`}` after an attribute value")
    }

    #[inline]
    fn word(&self) -> Option<u64> {
        let bytes = self.bytes.get(self.at..self.at + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
    }

    #[cold]
    fn tag_with_whitespace(&mut self) -> Result<Tag> {
        const EXPECTED: &str = "an attribute value's type: S, N, B, BOOL, NULL, M, L, SS, NS or BS";
        self.expect(b'{', "an attribute value")?;
        if self.peek() != Some(b'"') {
            return Err(self.error(EXPECTED));
        }
        let start = self.at;
        let key = self.key()?;
        Tag::ALL.into_iter().find(|tag| tag.name() == &*key).ok_or_else(|| {
            self.at = start;
            self.error(EXPECTED)
        })
    }
}

/// Scalars of JSON.
impl<'a> Reader<'a> {
    /// Read a string.
    #[inline]
    pub fn text(&mut self) -> Result<Text<'a>> {
        self.expect(b'"', "a string")?;
        self.text_body()
    }

    /// Read a string of at most 39 bytes without looking at what it holds, up to the next quote: a number's, whose reader
    /// takes nothing but digits. `None` where there is no such string; nothing is read then.
    #[inline]
    pub fn try_short_text(&mut self) -> Option<&'a [u8]> {
        const LONGEST: usize = 40;
        let rest = self.bytes.get(self.at..)?;
        let (b'"', content) = rest.split_first()? else {
            return None;
        };
        let window = &content[..content.len().min(LONGEST)];
        let length = window.iter().position(|&byte| byte == b'"')?;
        self.at += length + 2;
        Some(&content[..length])
    }

    /// Read a string of `N` bytes without looking at what it holds. `None` where there is no such string; nothing is read
    /// then.
    #[inline]
    pub fn try_text_of<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (b'"', content) = self.bytes.get(self.at..)?.split_first()? else {
            return None;
        };
        let (content, rest) = content.split_first_chunk()?;
        if rest.first() != Some(&b'"') {
            return None;
        }
        self.at += N + 2;
        Some(content)
    }

    /// Read a whole number of at most seven digits in quotes, as most are. `None`: nothing was read.
    #[inline]
    pub fn try_small_integer(&mut self) -> Option<i64> {
        let (value, length) = number::decode_small_quoted(self.bytes.get(self.at..)?)?;
        self.at += length;
        Some(value)
    }

    /// Read a number in quotes as a float, where it is written in the usual way. `None`: nothing was read.
    #[inline]
    pub fn try_float(&mut self) -> Option<f64> {
        let (value, length) = float::decode_quoted(self.bytes.get(self.at..)?)?;
        self.at += length;
        Some(value)
    }

    /// Read `{"N":"…"}` as a float, where it is written in the usual way. `None`: nothing was read.
    #[inline]
    pub fn try_n_as_float(&mut self) -> Option<f64> {
        let rest = self.bytes.get(self.at..)?;
        let (value, length) = float::decode_quoted(rest.strip_prefix(br#"{"N":"#)?)?;
        if rest.get(5 + length) != Some(&b'}') {
            return None;
        }
        self.at += 5 + length + 1;
        Some(value)
    }

    /// Read the rest of a string whose opening quote is already read.
    #[inline]
    pub fn text_body(&mut self) -> Result<Text<'a>> {
        let start = self.at;
        let run = plain_run(&self.bytes[start..]);
        let end = start + run.length;
        if self.bytes.get(end) != Some(&b'"') {
            return self.text_with_escapes(start, end);
        }
        let text = &self.bytes[start..end];
        #[allow(unsafe_code)]
        let text = if run.ascii {
            // SAFETY: the scan found no byte of 0x80 or above, so this is ASCII and with it UTF-8.
            unsafe { std::str::from_utf8_unchecked(text) }
        } else {
            utf8(text, start)?
        };
        self.at = end + 1;
        Ok(Text {
            text: Cow::Borrowed(text),
            ascii: run.ascii,
        })
    }

    #[cold]
    fn text_with_escapes(&mut self, start: usize, first: usize) -> Result<Text<'a>> {
        let mut text = String::from(utf8(&self.bytes[start..first], start)?);
        self.at = first;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    let ascii = text.is_ascii();
                    return Ok(Text {
                        text: Cow::Owned(text),
                        ascii,
                    });
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escaped()?);
                }
                found => {
                    let expected = "the rest of a string";
                    return Err(ReadError {
                        position: self.at,
                        expected,
                        found: found.copied(),
                    });
                }
            }
            let from = self.at;
            self.at += plain_run(&self.bytes[from..]).length;
            text.push_str(utf8(&self.bytes[from..self.at], from)?);
        }
    }

    /// Read what stands after a backslash.
    fn escaped(&mut self) -> Result<char> {
        let position = self.at;
        let found = self.bytes.get(position).copied();
        self.at += usize::from(found.is_some());
        Ok(match found {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => self.escaped_code_point(position)?,
            _ => {
                return Err(ReadError {
                    position,
                    expected: "an escape of JSON",
                    found,
                });
            }
        })
    }

    fn escaped_code_point(&mut self, position: usize) -> Result<char> {
        let unpaired = ReadError {
            position,
            expected: "surrogates in pairs",
            found: Some(b'u'),
        };
        let first = self.four_hex_digits()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !self.try_bytes(br"\u") {
                    return Err(unpaired);
                }
                let second = self.four_hex_digits()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(unpaired);
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            _ => first,
        };
        char::from_u32(code).ok_or(unpaired)
    }

    fn four_hex_digits(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let found = self.bytes.get(self.at).copied();
            let digit = found.and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(ReadError {
                    position: self.at,
                    expected: "four hexadecimal digits",
                    found,
                });
            };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// Read `true` or `false`.
    #[inline]
    pub fn boolean(&mut self) -> Result<bool> {
        self.peek();
        if self.try_bytes(b"true") {
            Ok(true)
        } else if self.try_bytes(b"false") {
            Ok(false)
        } else {
            Err(self.error("`true` or `false`"))
        }
    }

    /// Read `null` if it is next.
    #[inline]
    pub fn try_null(&mut self) -> bool {
        self.peek() == Some(b'n') && self.try_bytes(b"null")
    }

    /// Read a JSON number (not N, whose digits are a string), as it is written.
    pub fn number(&mut self) -> Result<&'a str> {
        const EXPECTED: &str = "a number";
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.error(EXPECTED));
        }
        let start = self.at;
        self.at += usize::from(self.bytes[start] == b'-');
        let leading_zero = self.bytes.get(self.at) == Some(&b'0');
        let whole = self.digits(EXPECTED)?;
        if leading_zero && whole > 1 {
            self.at = start;
            return Err(self.error("a number without leading zeros"));
        }
        if self.try_bytes(b".") {
            self.digits("digits after the point")?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits("digits of the exponent")?;
        }
        utf8(&self.bytes[start..self.at], start)
    }

    fn digits(&mut self, expected: &'static str) -> Result<usize> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        if self.at == start {
            return Err(ReadError {
                position: start,
                expected,
                found: self.bytes.get(start).copied(),
            });
        }
        Ok(self.at - start)
    }
}

/// Values as a whole.
impl Reader<'_> {
    /// Read any JSON value and say which bytes it takes. Its brackets are checked, the text of its strings is not: that
    /// is left to whoever reads them.
    pub fn raw_value(&mut self) -> Result<Range<usize>> {
        self.peek();
        let start = self.at;
        self.skip_value()?;
        Ok(start..self.at)
    }

    /// Read any JSON value and forget it, as `raw_value` does.
    pub fn skip_value(&mut self) -> Result<()> {
        // One bit for each open bracket: whether it is an object's.
        let mut objects = 0u128;
        let mut open = 0;
        loop {
            match self.peek() {
                Some(b'"') => self.skip_text()?,
                Some(bracket @ (b'{' | b'[')) => {
                    if open == MAX_OPEN_BRACKETS {
                        return Err(self.error("at most 128 levels of brackets"));
                    }
                    self.at += 1;
                    let object = bracket == b'{';
                    if !self.closes(if object { b'}' } else { b']' }) {
                        objects = objects << 1 | u128::from(object);
                        open += 1;
                        self.skip_key_of(object)?;
                        continue;
                    }
                }
                Some(b't' | b'f') => {
                    self.boolean()?;
                }
                Some(b'n') => {
                    if !self.try_null() {
                        return Err(self.error("`null`"));
                    }
                }
                Some(b'-' | b'0'..=b'9') => {
                    self.number()?;
                }
                _ => return Err(self.error("a value")),
            }
            loop {
                if open == 0 {
                    return Ok(());
                }
                let object = objects & 1 == 1;
                let more = if object {
                    self.next_member()?
                } else {
                    self.next_element()?
                };
                if more {
                    self.skip_key_of(object)?;
                    break;
                }
                objects >>= 1;
                open -= 1;
            }
        }
    }

    #[inline]
    fn skip_key_of(&mut self, object: bool) -> Result<()> {
        if object {
            if self.peek() != Some(b'"') {
                return Err(self.error("a member's name"));
            }
            self.skip_text()?;
            self.expect(b':', "`:`")?;
        }
        Ok(())
    }

    /// Skip a string whose opening quote is next.
    fn skip_text(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            self.at += plain_run(&self.bytes[self.at..]).length;
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') if self.at + 1 < self.bytes.len() => self.at += 2,
                found => {
                    let expected = "the rest of a string";
                    return Err(ReadError {
                        position: self.at,
                        expected,
                        found: found.copied(),
                    });
                }
            }
        }
    }
}

/// Whether two slices of one length are equal: up to 32 bytes by two comparisons, where one of any length is a call.
#[inline]
fn same(left: &[u8], right: &[u8]) -> bool {
    #[inline]
    fn by_ends<const N: usize>(left: &[u8], right: &[u8]) -> bool {
        left.first_chunk::<N>() == right.first_chunk::<N>() && left.last_chunk::<N>() == right.last_chunk::<N>()
    }
    match left.len() {
        16..=32 => by_ends::<16>(left, right),
        8..=15 => by_ends::<8>(left, right),
        4..=7 => by_ends::<4>(left, right),
        _ => left == right,
    }
}

fn utf8(bytes: &[u8], position: usize) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let position_in_bytes = error.valid_up_to();
        ReadError {
            position: position + position_in_bytes,
            expected: "UTF-8 text",
            found: bytes.get(position_in_bytes).copied(),
        }
    })
}

const ONE_LETTER: u64 = word_of(b"{\"\0\":");
const ONE_LETTER_MASK: u64 = 0x0000_00FF_FF00_FFFF;
const TWO_LETTERS: u64 = word_of(b"{\"\0S\":");
const TWO_LETTERS_MASK: u64 = 0x0000_FFFF_FF00_FFFF;
const BOOL: u64 = word_of(b"{\"BOOL\":");
const NULL: u64 = word_of(b"{\"NULL\":");

/// `{"X":` of each tag, as the low bytes of an 8-byte load.
const HEADS: [u64; Tag::ALL.len()] = {
    let mut heads = [0; Tag::ALL.len()];
    let mut at = 0;
    while at < heads.len() {
        let name = Tag::ALL[at].name().as_bytes();
        let mut head = [0; 8];
        head[0] = b'{';
        head[1] = b'"';
        let mut letter = 0;
        while letter < name.len() {
            head[2 + letter] = name[letter];
            letter += 1;
        }
        head[2 + name.len()] = b'"';
        head[3 + name.len()] = b':';
        heads[Tag::ALL[at] as usize] = u64::from_le_bytes(head);
        at += 1;
    }
    heads
};

const fn word_of(head: &[u8]) -> u64 {
    let mut word = [0; 8];
    let mut at = 0;
    while at < head.len() {
        word[at] = head[at];
        at += 1;
    }
    u64::from_le_bytes(word)
}
