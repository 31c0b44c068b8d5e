//! What tells one item from another: its key attributes by value, whatever their text.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::expr::order::Scalar;
use crate::wire::reader::{self, Reader};

/// A table and the attributes of its key: partition, then sort.
#[derive(Debug, Clone)]
pub struct KeyedTable {
    pub name: Arc<str>,
    pub key_attributes: Box<[Arc<str>]>,
}

impl KeyedTable {
    #[must_use]
    pub fn new(name: &str, key_attributes: &[Arc<str>]) -> Self {
        Self {
            name: name.into(),
            key_attributes: key_attributes.into(),
        }
    }
}

/// Read an item or a key to its end: bytes that are equal for two with one key, and for no others. `None` where a key
/// attribute is missing or is no S, N or B.
pub(super) fn read_identity(reader: &mut Reader<'_>, attributes: &[Arc<str>]) -> reader::Result<Option<Vec<u8>>> {
    let mut found = Found::new(attributes);
    let mut more = reader.begin_object()?;
    while more {
        found.read_member(reader)?;
        more = reader.next_member()?;
    }
    Ok(found.identity())
}

/// The identity of an item or key that is about to be sent. What was written here has each attribute once, so nothing is
/// read behind the last of the key's, and these mostly stand in front.
pub fn identity(item: &[u8], attributes: &[Arc<str>]) -> Result<Vec<u8>> {
    let read = || -> reader::Result<_> {
        let mut reader = Reader::new(item);
        let mut found = Found::new(attributes);
        let mut more = reader.begin_object()?;
        while more && found.lacks_any() {
            found.read_member(&mut reader)?;
            more = reader.next_member()?;
        }
        Ok(found.identity())
    };
    match read() {
        Ok(Some(identity)) => Ok(identity),
        Ok(None) | Err(_) => Err(Error::Expression(format!(
            "an item without its full key: it needs {}, each S, N or B on the wire",
            attributes.join(" and ")
        ))),
    }
}

/// What was found of a key's attributes.
struct Found<'n, 'a> {
    attributes: &'n [Arc<str>],
    values: Vec<Option<Scalar<'a>>>,
}

impl<'n, 'a> Found<'n, 'a> {
    fn new(attributes: &'n [Arc<str>]) -> Self {
        Self {
            attributes,
            values: attributes.iter().map(|_| None).collect(),
        }
    }

    fn read_member(&mut self, reader: &mut Reader<'a>) -> reader::Result<()> {
        let name = reader.key()?;
        match self.attributes.iter().position(|attribute| **attribute == *name) {
            Some(place) => self.values[place] = Scalar::read(reader)?,
            None => reader.skip_value()?,
        }
        Ok(())
    }

    fn lacks_any(&self) -> bool {
        self.values.iter().any(Option::is_none)
    }

    fn identity(self) -> Option<Vec<u8>> {
        let mut identity = Vec::with_capacity(96);
        for scalar in self.values {
            scalar?.push_identity(&mut identity);
        }
        Some(identity)
    }
}
