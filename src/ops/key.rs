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

/// Read an item or a key: bytes that are equal for two with one key, and for no others. `None` where a key attribute is
/// missing or is no S, N or B.
pub(super) fn read_identity(reader: &mut Reader<'_>, attributes: &[Arc<str>]) -> reader::Result<Option<Vec<u8>>> {
    let mut found: Vec<Option<Scalar<'_>>> = attributes.iter().map(|_| None).collect();
    let mut more = reader.begin_object()?;
    while more {
        let name = reader.key()?;
        match attributes.iter().position(|attribute| **attribute == *name) {
            Some(place) => found[place] = Scalar::read(reader)?,
            None => reader.skip_value()?,
        }
        more = reader.next_member()?;
    }
    let mut identity = Vec::with_capacity(48);
    for scalar in found {
        let Some(scalar) = scalar else { return Ok(None) };
        scalar.push_identity(&mut identity);
    }
    Ok(Some(identity))
}

/// The identity of an item or key that is about to be sent.
pub fn identity(item: &[u8], attributes: &[Arc<str>]) -> Result<Vec<u8>> {
    match read_identity(&mut Reader::new(item), attributes) {
        Ok(Some(identity)) => Ok(identity),
        Ok(None) | Err(_) => Err(Error::Expression(format!(
            "an item without its full key: it needs {}, each S, N or B on the wire",
            attributes.join(" and ")
        ))),
    }
}
