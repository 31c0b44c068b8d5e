//! The one place that knows which attributes are keys and how a key is made of fields: today each is one field, as it is.

use std::fmt;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::node::Node;
use super::nodes::model::{Field, Model};
use super::options::PlanOptions;
use super::python;
use super::state::{Decoding, Encoding, Outcome, Refusal};
use crate::expr::ast::{Path, Segment};
use crate::limits::INDEX_KEY_PARTS;
use crate::wire::Tag;
use crate::wire::reader::{Reader, Text};

/// What a field is to the table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    None,
    /// Part of the table's key.
    Key,
    /// Part of an index's key.
    Index,
}

/// The keys of a table and its indexes, by stored names.
#[derive(Debug, Clone, Default)]
pub struct KeySpec {
    pub partition: Option<KeyAttribute>,
    pub sort: Option<KeyAttribute>,
    pub indexes: Vec<IndexKey>,
    /// The attribute by which DynamoDB expires items.
    pub ttl: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    pub field: String,
    pub attribute: String,
    pub tag: Tag,
}

#[derive(Debug, Clone)]
pub struct IndexKey {
    pub name: String,
    pub partition: Vec<KeyAttribute>,
    pub sort: Vec<KeyAttribute>,
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

    /// DynamoDB refuses empty text and bytes in keys.
    pub fn check_written(self, wire: &[u8]) -> Outcome<()> {
        if self != Self::None && (wire == br#"{"S":""}"# || wire == br#"{"B":""}"#) {
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
}

/// How a key attribute is stored: `S "a"`.
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
        self.text
            .as_ref()
            .map_or(Ok(()), |text| write!(f, " {:?}", text.as_str()))
    }
}

impl KeySpec {
    /// Check the keys that the options name, and find out how they are stored.
    pub fn compile(py: Python<'_>, model: &Model, options: &PlanOptions) -> PyResult<Self> {
        let attribute = |name: &String, role: Role| compile_attribute(py, model, options, name, role);
        let attributes = |names: &[String]| {
            names
                .iter()
                .map(|name| attribute(name, Role::Index))
                .collect::<PyResult<Vec<_>>>()
        };
        let indexes = options.indexes.iter().map(|index| {
            for (part, names) in [("partition", &index.partition), ("sort", &index.sort)] {
                if let Some(name) = names.get(INDEX_KEY_PARTS) {
                    let reason = format!(
                        "the index \"{}\" has {} {part} fields, and DynamoDB takes at most {INDEX_KEY_PARTS}",
                        index.name,
                        names.len(),
                    );
                    return Err(refuse(py, options, name, &reason));
                }
            }
            Ok(IndexKey {
                name: index.name.clone(),
                partition: attributes(&index.partition)?,
                sort: attributes(&index.sort)?,
            })
        });
        Ok(Self {
            partition: options
                .partition
                .as_ref()
                .map(|name| attribute(name, Role::Key))
                .transpose()?,
            sort: options
                .sort
                .as_ref()
                .map(|name| attribute(name, Role::Key))
                .transpose()?,
            indexes: indexes.collect::<PyResult<_>>()?,
            ttl: options
                .ttl
                .as_ref()
                .map(|name| Ok::<_, PyErr>(field(py, model, options, name)?.stored.to_string()))
                .transpose()?,
        })
    }

    /// The table's key of a stored item, as a caller gives it; None where the item has none that can be read.
    #[cold]
    pub fn read<'py>(
        &self,
        model: &Model,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Option<Bound<'py, PyAny>>> {
        let mut values = vec![None; self.table().count()];
        let mut more = reader.begin_object()?;
        while more {
            let name = reader.key()?;
            let place = self.table().position(|key| key.attribute == *name);
            match place.and_then(|place| Some((place, model.field(state.py, &self.table().nth(place)?.field)?))) {
                Some((place, field)) => values[place] = Some(field.node.decode_value(reader, state)?),
                None => reader.skip_value()?,
            }
            more = reader.next_member()?;
        }
        let mut values = values.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default();
        Ok(match values.len() {
            0 | 1 => values.pop(),
            _ => Some(PyTuple::new(state.py, values)?.into_any()),
        })
    }

    /// Whether the path is a part of the table's key.
    pub fn is_table_key(&self, path: &Path) -> bool {
        match path.0.as_slice() {
            [Segment::Attribute(name)] => self.table().any(|key| *key.attribute == **name),
            _ => false,
        }
    }

    /// The table's key attributes: partition, then sort.
    pub fn table(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.partition.iter().chain(&self.sort)
    }
}

fn field<'a>(py: Python<'_>, model: &'a Model, options: &PlanOptions, name: &str) -> PyResult<&'a Field> {
    match model.field(py, name) {
        Some(field) => Ok(field),
        None => {
            let known: Vec<String> = model
                .fields
                .iter()
                .map(|field| field.name.bind(py).to_string())
                .collect();
            let known = known.join(", ");
            Err(refuse(
                py,
                options,
                name,
                &format!("there is no such field; the model has {known}"),
            ))
        }
    }
}

fn compile_attribute(
    py: Python<'_>,
    model: &Model,
    options: &PlanOptions,
    name: &str,
    role: Role,
) -> PyResult<KeyAttribute> {
    let field = field(py, model, options, name)?;
    let tags = field.node.tags();
    if tags.has(Tag::Null) {
        if role == Role::Key {
            return Err(refuse(
                py,
                options,
                name,
                "a table's key may not be None, but the field allows it",
            ));
        }
        if !field.omits_none {
            return Err(refuse(
                py,
                options,
                name,
                "an index leaves out items whose key is absent, so a key that may be None needs the default None",
            ));
        }
    }
    let Some(tag @ (Tag::S | Tag::N | Tag::B)) = tags.without(Tag::Null).only() else {
        return Err(refuse(
            py,
            options,
            name,
            "a key is stored as text, number or bytes (S, N or B), and this field is not",
        ));
    };
    let node = match &field.node {
        Node::Nullable(node) => node.inner(),
        node => node,
    };
    if let Node::DateTime(node) = node
        && !node.sorts()
    {
        return Err(refuse(
            py,
            options,
            name,
            "a datetime that keeps its offset (utc=False) does not sort, so it is no key",
        ));
    }
    // A TypedDict's key may be absent although it is never None.
    if role == Role::Key && model.is_typed_dict() && !field.is_always_there() {
        return Err(refuse(
            py,
            options,
            name,
            "a table's key may not be absent, but the field is not required",
        ));
    }
    if role == Role::Key && field.default(py).is_some_and(|default| default.is_none()) {
        return Err(refuse(
            py,
            options,
            name,
            "a table's key may not be None, but the field's default is",
        ));
    }
    Ok(KeyAttribute {
        field: name.to_owned(),
        attribute: field.stored.to_string(),
        tag,
    })
}

#[cold]
fn refuse(py: Python<'_>, options: &PlanOptions, field: &str, reason: &str) -> PyErr {
    python::schema_error(py)
        .and_then(|class| class.call1((format!("{}.{field}: {reason}", options.title),)))
        .map_or_else(|error| error, PyErr::from_value)
}
