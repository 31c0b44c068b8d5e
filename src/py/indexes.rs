//! A table's indexes: what its queries choose from, and how they are created.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::codec::{self, IndexKey, KeyAttribute};
use crate::expr::split::{Candidate, Candidates, KeySchema};
use crate::limits;
use crate::ops::cursor::StartKey;
use crate::ops::table::{IndexDefinition, Projection, TableDefinition};
use crate::py::exceptions;
use crate::wire::Tag;

/// What an index holds: its name, DynamoDB's projection type, the fields that this includes, and those of the model's
/// that the index lacks.
pub type Held = (String, String, Vec<String>, Vec<String>);

/// The table and its indexes, by stored names.
#[derive(Debug)]
pub struct Indexes {
    pub candidates: Candidates,
    definitions: Vec<IndexDefinition>,
    /// By index; `None` is the table.
    start_keys: Vec<(Option<Arc<str>>, Arc<StartKey>)>,
}

impl Indexes {
    /// `held` has an entry for each index of the plan's keys.
    pub fn new(py: Python<'_>, plan: &codec::Plan, held: &[Held]) -> PyResult<Self> {
        let spec = plan.key_spec();
        let table = KeySchema {
            partition: attributes(spec.partition.as_slice()),
            sort: attributes(spec.sort.as_slice()),
        };
        let mut fields: Vec<(Arc<str>, Arc<str>)> = spec.table().map(named).collect();
        let mut candidates = vec![Candidate::table(table.clone())];
        let mut start_keys = vec![(None, types(spec.table()).into())];
        let mut definitions = Vec::with_capacity(spec.indexes.len());
        for index in &spec.indexes {
            let key = KeySchema {
                partition: attributes(&index.partition),
                sort: attributes(&index.sort),
            };
            let (_, kind, included, lacks) = held
                .iter()
                .find(|(name, ..)| *name == index.name)
                .expect("each index is described");
            let mut lacking = Vec::with_capacity(lacks.len());
            for field in lacks {
                let stored = plan.stored_name(py, field)?;
                lacking.push(Arc::clone(&stored));
                fields.push((stored, field.as_str().into()));
            }
            fields.extend(parts(index).map(named));
            let name: Arc<str> = index.name.as_str().into();
            candidates.push(Candidate {
                optional: parts(index)
                    .filter(|part| part.is_optional)
                    .map(|part| part.attribute.as_str().into())
                    .collect(),
                lacks: lacking,
                lacks_unknown: kind != "ALL" && plan.keeps_unknown(),
                ..Candidate::index(Arc::clone(&name), key.clone(), &table)
            });
            start_keys.push((Some(Arc::clone(&name)), types(spec.table().chain(parts(index))).into()));
            definitions.push(IndexDefinition {
                name,
                key,
                projection: match kind.as_str() {
                    "ALL" => Projection::All,
                    "KEYS_ONLY" => Projection::KeysOnly,
                    _ => Projection::Include(
                        included
                            .iter()
                            .map(|field| projected_name(py, plan, field))
                            .collect::<PyResult<_>>()?,
                    ),
                },
            });
        }
        Ok(Self {
            candidates: Candidates::new(plan.title().into(), candidates, fields),
            definitions,
            start_keys,
        })
    }

    /// What tells an item's place in the table or index: its key there, and its key in the table.
    pub fn start_key(&self, candidate: &Candidate) -> Arc<StartKey> {
        let found = self.start_keys.iter().find(|(index, _)| *index == candidate.index);
        Arc::clone(&found.expect("each index has one").1)
    }

    /// The same where no more is asked for of items than these attributes.
    pub fn selecting(&self, attributes: &Arc<[Arc<str>]>) -> Self {
        Self {
            candidates: self.candidates.selecting(attributes),
            definitions: self.definitions.clone(),
            start_keys: self.start_keys.clone(),
        }
    }

    /// The table as it is created.
    pub fn definition(&self, table: Arc<str>, plan: &codec::Plan) -> TableDefinition {
        let spec = plan.key_spec();
        TableDefinition {
            table,
            key: self.candidates.table().key.clone(),
            indexes: self.definitions.clone(),
            attributes: types(spec.table().chain(spec.indexes.iter().flat_map(parts))),
            ttl: spec.ttl.as_deref().map(Into::into),
        }
    }
}

/// Each attribute once, with its type.
fn types<'a>(parts: impl Iterator<Item = &'a KeyAttribute>) -> Vec<(Arc<str>, Tag)> {
    let mut types: Vec<(Arc<str>, Tag)> = Vec::new();
    for part in parts {
        if types.iter().all(|(name, _)| **name != *part.attribute) {
            types.push((part.attribute.as_str().into(), part.tag));
        }
    }
    types
}

fn parts(index: &IndexKey) -> impl Iterator<Item = &KeyAttribute> {
    index.partition.iter().chain(&index.sort)
}

fn attributes(parts: &[KeyAttribute]) -> Vec<Arc<str>> {
    parts.iter().map(|part| part.attribute.as_str().into()).collect()
}

/// An attribute with the field that errors name.
fn named(part: &KeyAttribute) -> (Arc<str>, Arc<str>) {
    (part.attribute.as_str().into(), part.field.as_str().into())
}

/// The stored name of a field that an index is to hold.
fn projected_name(py: Python<'_>, plan: &codec::Plan, field: &str) -> PyResult<Arc<str>> {
    let stored = plan.stored_name(py, field)?;
    if stored.len() <= limits::KEY_NAME_BYTES {
        return Ok(stored);
    }
    let message = format!(
        "{}.{field}: an attribute that Include() projects has a name of at most {} bytes, and the stored name has {}.",
        plan.title(),
        limits::KEY_NAME_BYTES,
        stored.len()
    );
    Err(exceptions::plain(py, "SchemaError", message))
}
