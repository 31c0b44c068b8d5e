//! What is asked of the stored form of a key attribute: it is not empty, and it is the form that the plan writes.

use std::fmt::{self, Write as _};

use pyo3::prelude::*;

use super::node::Node;
use super::options::PlanOptions;
use super::state::{Decoding, Encoding, Outcome, Refusal};
use crate::wire::Tag;
use crate::wire::reader::{Reader, Text};

/// How much of a form a message shows: a datetime's and a UUID's whole.
const SHOWN_CHARACTERS: usize = 40;

/// What a field is to the table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    None,
    /// Part of the table's key.
    Key,
    /// Part of an index's key.
    Index,
}

impl Role {
    pub fn of(field: &str, options: &PlanOptions) -> Self {
        let is = |name: &Option<String>| name.as_deref() == Some(field);
        if is(&options.partition) || is(&options.sort) {
            Self::Key
        } else if options
            .indexes
            .iter()
            .any(|index| index.partition.iter().chain(&index.sort).any(|name| name == field))
        {
            Self::Index
        } else {
            Self::None
        }
    }
}

/// DynamoDB refuses empty text and bytes in keys.
pub fn check_written(wire: &[u8]) -> Outcome<()> {
    if wire == br#"{"S":""}"# || wire == br#"{"B":""}"# {
        return Err(Refusal::new(
            "empty_key",
            "expected text or bytes in a key attribute, found none: DynamoDB refuses it",
        ));
    }
    Ok(())
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
