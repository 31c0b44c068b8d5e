//! What a query can go to: the table and its indexes, as far as a query must know them.

use std::fmt;
use std::sync::Arc;

use super::Terms;
use crate::error::{Error, Result};
use crate::expr::ast::Condition;

/// The key of a table or index by stored names: one partition attribute and at most one sort attribute, or up to four
/// of each in a global index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema {
    pub partition: Vec<Arc<str>>,
    pub sort: Vec<Arc<str>>,
}

impl KeySchema {
    /// The key as it is queried: an index without partition attributes of its own is local and has the table's.
    #[must_use]
    pub fn or_partition_of(mut self, table: &Self) -> Self {
        if self.partition.is_empty() {
            self.partition.clone_from(&table.partition);
        }
        self
    }

    pub fn attributes(&self) -> impl Iterator<Item = &Arc<str>> {
        self.partition.iter().chain(&self.sort)
    }
}

/// Where a candidate's items lie. In the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Table,
    /// On the table's own partition key. The service fetches from the table what the index does not hold.
    Local,
    /// On a partition key of its own, and never read consistently.
    Global,
}

#[derive(Debug, Clone)]
pub struct Candidate {
    /// `None` is the table itself.
    pub index: Option<Arc<str>>,
    pub kind: Kind,
    /// As it is queried: a local index has the table's partition attribute.
    pub key: KeySchema,
    /// Those of its key attributes that an item may be without: such an item is not in the index.
    pub optional: Vec<Arc<str>>,
    /// The model's attributes that it does not hold.
    pub lacks: Vec<Arc<str>>,
    /// Nor does it hold attributes that are no field, which the model keeps.
    pub lacks_unknown: bool,
    /// What is asked for of items; `None` is all.
    pub selected: Option<Arc<[Arc<str>]>>,
}

impl Candidate {
    #[must_use]
    pub fn table(key: KeySchema) -> Self {
        Self {
            index: None,
            kind: Kind::Table,
            key,
            optional: Vec::new(),
            lacks: Vec::new(),
            lacks_unknown: false,
            selected: None,
        }
    }

    /// An index that holds all of every item. Without partition attributes of its own it is local.
    #[must_use]
    pub fn index(name: Arc<str>, key: KeySchema, table: &KeySchema) -> Self {
        Self {
            index: Some(name),
            kind: if key.partition.is_empty() {
                Kind::Local
            } else {
                Kind::Global
            },
            key: key.or_partition_of(table),
            optional: Vec::new(),
            lacks: Vec::new(),
            lacks_unknown: false,
            selected: None,
        }
    }

    /// What is asked for of items, and it does not hold.
    fn lost(&self) -> impl Iterator<Item = &Arc<str>> {
        let selected = self.selected.as_deref();
        let lacks = self.lacks.iter();
        lacks.filter(move |attribute| selected.is_none_or(|selected| selected.contains(attribute)))
    }

    fn loses_unknown(&self) -> bool {
        self.lacks_unknown && self.selected.is_none()
    }

    /// Whether it holds all that is asked for of an item.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.lost().next().is_none() && !self.loses_unknown()
    }

    /// Whether a query gives items whole: of a local index the service reads the whole item, of a global one no more than
    /// the index holds.
    #[must_use]
    pub fn is_queried_whole(&self) -> bool {
        self.kind != Kind::Global || self.is_whole()
    }

    /// What the filter of a query does not see.
    pub(super) fn unseen(&self) -> &[Arc<str>] {
        if self.kind == Kind::Global { &self.lacks } else { &[] }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.index {
            Some(index) => write!(f, "index {index}"),
            None => f.write_str("the table"),
        }
    }
}

/// All that a query of one table can go to.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// The model's name, for errors.
    pub(super) model: Arc<str>,
    /// In the order of preference: the table, then its local indexes, then the global ones, each as they were declared.
    pub(super) all: Vec<Candidate>,
    /// Attributes with the fields they are stored for, which errors name; an attribute that is not here is its own.
    fields: Vec<(Arc<str>, Arc<str>)>,
}

impl Candidates {
    #[must_use]
    pub fn new(model: Arc<str>, mut all: Vec<Candidate>, fields: Vec<(Arc<str>, Arc<str>)>) -> Self {
        all.sort_by_key(|candidate| candidate.kind);
        Self { model, all, fields }
    }

    /// The same where no more is asked for of items than these attributes.
    #[must_use]
    pub fn selecting(&self, attributes: &Arc<[Arc<str>]>) -> Self {
        let mut selecting = self.clone();
        for candidate in &mut selecting.all {
            candidate.selected = Some(Arc::clone(attributes));
        }
        selecting
    }

    #[must_use]
    pub fn table(&self) -> &Candidate {
        &self.all[0]
    }

    /// The table itself, or its index of that name.
    pub fn named(&self, index: Option<&str>) -> Result<&Candidate> {
        let found = self.all.iter().find(|candidate| candidate.index.as_deref() == index);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.all.iter().filter_map(|known| known.index.as_deref()).collect();
            let known = if known.is_empty() {
                "no index".to_owned()
            } else {
                known.join(", ")
            };
            let index = index.unwrap_or_default();
            Error::Expression(format!("{} has no index \"{index}\"; it has {known}", self.model))
        })
    }

    /// The sort attribute of an index on the table's own partition, which without it serves nothing that the table does
    /// not.
    pub(super) fn only_other_order<'c>(&self, candidate: &'c Candidate) -> Option<&'c Arc<str>> {
        let sort = candidate.key.sort.first()?;
        (candidate.kind != Kind::Table && candidate.key.partition == self.table().key.partition).then_some(sort)
    }

    /// What the caller named, as far as it can be read as the caller wants.
    pub(super) fn forced(&self, terms: Terms<'_>) -> Result<&Candidate> {
        let candidate = self.named(terms.index)?;
        if terms.consistent && candidate.kind == Kind::Global {
            return Err(Error::Expression(format!(
                "consistent=True with {candidate}: DynamoDB reads a global index only eventually consistently; read \
                 the table itself, or leave consistent= out"
            )));
        }
        Ok(candidate)
    }

    /// Refuse a filter of a query that asks for a key attribute.
    pub(super) fn check_keyless(&self, candidate: &Candidate, filter: &Condition) -> Result<()> {
        let Some(name) = candidate.key.attributes().find(|name| filter.mentions(name)) else {
            return Ok(());
        };
        Err(Error::Expression(format!(
            "where= may not ask for {}: it is a key attribute of {candidate}, and DynamoDB refuses key attributes in \
             filters; give this condition to query() itself",
            self.field(name)
        )))
    }

    /// Refuse a filter that asks for what is not there to be seen.
    pub(super) fn check_seen(&self, candidate: &Candidate, unseen: &[Arc<str>], filter: &Condition) -> Result<()> {
        let Some(name) = unseen.iter().find(|name| filter.mentions(name)) else {
            return Ok(());
        };
        Err(Error::Expression(format!(
            "the condition asks for {}.{}, which {candidate} does not hold, so it would never see the stored value: \
             project All() or Include(...) with this field in the index, or read the table or another index",
            self.model,
            self.field(name)
        )))
    }

    /// Why a query or scan of an index that does not hold all of an item cannot give items.
    #[must_use]
    pub fn refusal_of_items(&self, candidate: &Candidate) -> String {
        format!(
            "{model} cannot be read through {candidate}, which does not hold {lacks}: that would come back as defaults, \
             not as it is stored. Give hydrate=True, which reads whole items from the table; project All() or \
             Include(...) in the index; select() what it holds; or ask for count() alone.",
            model = self.model,
            lacks = self.lacking(candidate),
        )
    }

    pub(super) fn field<'a>(&'a self, attribute: &'a str) -> &'a str {
        let known = self.fields.iter().find(|(stored, _)| **stored == *attribute);
        known.map_or(attribute, |(_, field)| field)
    }

    /// What the candidate does not hold: `nick, note`.
    pub(super) fn lacking(&self, candidate: &Candidate) -> String {
        let unknown = candidate.loses_unknown().then_some("what is no field");
        let fields = candidate.lost().map(|attribute| self.field(attribute));
        fields.chain(unknown).collect::<Vec<_>>().join(", ")
    }
}
