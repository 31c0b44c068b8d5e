//! Request bodies: each kind of member is written in one place.

use std::ops::Range;

use bytes::Bytes;

use super::Returning;
use crate::error::Result;
use crate::expr::ast::{Condition, Path};
use crate::expr::placeholders::Placeholders;
use crate::expr::{condition, projection};
use crate::wire::writer;

/// A request body while it is written. Its expressions share one set of placeholders.
#[derive(Clone)]
pub(super) struct Body {
    bytes: Vec<u8>,
    placeholders: Placeholders,
}

impl Body {
    /// A body without a table of its own: the batches name theirs elsewhere.
    pub fn open() -> Self {
        Self {
            bytes: vec![b'{'],
            placeholders: Placeholders::default(),
        }
    }

    pub fn of_table(table: &str) -> Self {
        let mut body = Self::open();
        body.text("TableName", table);
        body
    }

    /// Make room for what is about to be written.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    pub fn name(&mut self, name: &str) -> &mut Vec<u8> {
        member(&mut self.bytes, name)
    }

    /// A member whose value is JSON already: an item, a key. What is given back is where it stands.
    pub fn json(&mut self, name: &str, value: &[u8]) -> Range<usize> {
        let bytes = self.name(name);
        let start = bytes.len();
        bytes.extend_from_slice(value);
        start..bytes.len()
    }

    pub fn text(&mut self, name: &str, value: &str) {
        writer::push_text(self.name(name), value);
    }

    pub fn flag(&mut self, name: &str, value: bool) {
        self.json(name, if value { b"true" } else { b"false" });
    }

    pub fn returning(&mut self, returning: Returning) {
        match returning {
            Returning::Nothing => {}
            Returning::Old => self.text("ReturnValues", "ALL_OLD"),
            Returning::New => self.text("ReturnValues", "ALL_NEW"),
        }
    }

    /// A member that is expression text.
    pub fn expression(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut String, &mut Placeholders) -> Result<()>,
    ) -> Result<()> {
        let mut text = String::with_capacity(64);
        write(&mut text, &mut self.placeholders)?;
        self.text(name, &text);
        Ok(())
    }

    pub fn condition(&mut self, name: &str, condition: &Condition) -> Result<()> {
        self.expression(name, |text, placeholders| {
            condition::write(text, condition, placeholders)
        })
    }

    /// Ask for no more of each item than these; without any, for all of it.
    pub fn select(&mut self, paths: &[Path]) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        self.expression("ProjectionExpression", |text, placeholders| {
            projection::write(text, paths, placeholders)
        })
    }

    /// The text of a projection whose placeholders are declared with the others, for a member that is written later.
    pub fn projection(&mut self, paths: &[Path]) -> Result<String> {
        let mut text = String::new();
        projection::write(&mut text, paths, &mut self.placeholders)?;
        Ok(text)
    }

    /// The members of a projection by themselves, each behind a comma: a batch has one for each table.
    pub fn projection_members(paths: &[Path]) -> Result<Bytes> {
        let mut body = Self::open();
        body.select(paths)?;
        let mut members = body.into_head();
        // The bracket of a body, in front of which there is no comma.
        members[0] = b',';
        Ok(if paths.is_empty() { Bytes::new() } else { members.into() })
    }

    /// As `into_head`, with a projection of these; `None` without any.
    pub fn selecting(&self, paths: &[Path]) -> Result<Option<Bytes>> {
        if paths.is_empty() {
            return Ok(None);
        }
        let mut selecting = self.clone();
        selecting.select(paths)?;
        Ok(Some(selecting.into_head().into()))
    }

    /// Everything but the closing bracket: more members follow with each page.
    pub fn into_head(mut self) -> Vec<u8> {
        self.placeholders.write_members(&mut self.bytes);
        self.bytes
    }

    pub fn finish(self) -> Bytes {
        let mut bytes = self.into_head();
        bytes.push(b'}');
        Bytes::from(bytes)
    }
}

/// Append the name of a member to a body that is still open.
pub(super) fn member<'a>(bytes: &'a mut Vec<u8>, name: &str) -> &'a mut Vec<u8> {
    writer::push_separator(bytes);
    writer::push_key(bytes, name);
    bytes
}
