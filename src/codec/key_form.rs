//! What is asked of the stored form of a key attribute: it is neither empty nor too long, and it is the form that the
//! plan writes.

use std::fmt::{self, Write as _};

use pyo3::prelude::*;

use super::node::Node;
use super::options::PlanOptions;
use super::state::{Decoding, Encoding, Outcome, Refusal};
use crate::limits::{PARTITION_KEY_BYTES, SORT_KEY_BYTES};
use crate::wire::reader::{Reader, Text};
use crate::wire::{Tag, base64};

/// How much of a form a message shows: a datetime's and a UUID's whole.
const SHOWN_CHARACTERS: usize = 40;

/// What a field is to the table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    None,
    /// Part of the table's key.
    Key(Part),
    /// Part of an index's key.
    Index(Part),
}

/// Which part of a key a field is. A field of several keys is the part that may hold the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Partition,
    Sort,
}

impl Role {
    pub fn of(field: &str, options: &PlanOptions) -> Self {
        let is = |name: &Option<String>| name.as_deref() == Some(field);
        let among = |names: &[String]| names.iter().any(|name| name == field);
        let (partition, sort) = (is(&options.partition), is(&options.sort));
        let part = if sort || options.indexes.iter().any(|index| among(&index.sort)) {
            Part::Sort
        } else {
            Part::Partition
        };
        if partition || sort {
            Self::Key(part)
        } else if part == Part::Sort || options.indexes.iter().any(|index| among(&index.partition)) {
            Self::Index(part)
        } else {
            Self::None
        }
    }

    pub const fn is_table_key(self) -> bool {
        matches!(self, Self::Key(_))
    }
}

impl Part {
    const fn most_bytes(self) -> usize {
        match self {
            Self::Partition => PARTITION_KEY_BYTES,
            Self::Sort => SORT_KEY_BYTES,
        }
    }
}

/// DynamoDB refuses empty text and bytes in keys, and long ones.
pub fn check_written(wire: &[u8], role: Role) -> Outcome<()> {
    if wire == br#"{"S":""}"# || wire == br#"{"B":""}"# {
        return Err(Refusal::new(
            "empty_key",
            "expected text or bytes in a key attribute, found none: DynamoDB refuses it",
        ));
    }
    check_length(wire, role)
}

/// As `check_written`, for what a key is compared with.
#[inline]
pub fn check_length(wire: &[u8], role: Role) -> Outcome<()> {
    let (Role::Key(part) | Role::Index(part)) = role else {
        return Ok(());
    };
    // The wire form is never shorter than what it stands for, so most values need no counting.
    if wire.len() <= part.most_bytes() {
        Ok(())
    } else {
        check_long(wire, part)
    }
}

#[cold]
fn check_long(wire: &[u8], part: Part) -> Outcome<()> {
    let mut reader = Reader::new(wire);
    let bytes = match reader.tag()? {
        Tag::S => reader.text()?.len(),
        Tag::B => base64::decoded_length(&reader.text()?),
        _ => return Ok(()),
    };
    let most = part.most_bytes();
    if bytes <= most {
        return Ok(());
    }
    let part = match part {
        Part::Partition => "partition",
        Part::Sort => "sort",
    };
    Err(Refusal::new(
        "key_length",
        format!("expected at most {most} bytes in a {part} key, found {bytes}: DynamoDB refuses more"),
    ))
}

/// A key that is stored in another form than the plan's would be another item when it is written again. N has one
/// form only: DynamoDB's.
#[cold]
pub fn check_stored<'py>(
    stored: &[u8],
    node: &Node,
    value: &Bound<'py, PyAny>,
    state: &Decoding<'_, 'py>,
) -> Outcome<()> {
    let mut written = Vec::with_capacity(stored.len());
    node.encode(
        value,
        &mut Encoding {
            out: &mut written,
            definitions: state.definitions,
            depth: 0,
        },
    )?;
    if written == stored {
        return Ok(());
    }
    let (found, expected) = (Form::of(stored)?, Form::of(&written)?);
    if found.tag == expected.tag && (found.tag == Tag::N || found.text == expected.text) {
        return Ok(());
    }
    Err(Refusal::new(
        "key_form",
        format!(
            "a key attribute is stored as {found}, but written as {expected}: written again, it would be another item"
        ),
    ))
}

/// How a key attribute is stored: `S 9999-99-99A`.
struct Form<'a> {
    tag: Tag,
    /// Nothing where the tag is no key's.
    text: Option<Text<'a>>,
}

impl<'a> Form<'a> {
    fn of(wire: &'a [u8]) -> Outcome<Self> {
        let mut reader = Reader::new(wire);
        let tag = reader.tag()?;
        let text = matches!(tag, Tag::S | Tag::N | Tag::B)
            .then(|| reader.text())
            .transpose()?;
        Ok(Self { tag, text })
    }
}

impl fmt::Display for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag.name())?;
        let Some(text) = &self.text else { return Ok(()) };
        f.write_str(" ")?;
        // The form without the value, which no message shows: digits as 9, letters as A and a.
        for character in text.chars().take(SHOWN_CHARACTERS) {
            f.write_char(match character {
                digit if digit.is_numeric() => '9',
                letter if letter.is_uppercase() => 'A',
                letter if letter.is_alphabetic() => 'a',
                other => other,
            })?;
        }
        if text.chars().nth(SHOWN_CHARACTERS).is_some() {
            f.write_str("…")?;
        }
        Ok(())
    }
}
