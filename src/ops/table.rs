//! CreateTable, DescribeTable, DeleteTable, and the wait until a table is active.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiter::JsonValue;

use super::body::{Body, member};
use super::{Operation, Step, reply};
use crate::error::{Error, Result};
use crate::expr::split::KeySchema;
use crate::transport::{Call, Reply};
use crate::wire::reader::Reader;
use crate::wire::{Tag, writer};

/// What a table is made of.
#[derive(Debug, Clone)]
pub struct TableDefinition {
    pub table: Arc<str>,
    pub key: KeySchema,
    pub indexes: Vec<IndexDefinition>,
    /// Every key attribute of the table and its indexes, with its type: S, N or B.
    pub attributes: Vec<(Arc<str>, Tag)>,
    /// The attribute by which items expire.
    pub ttl: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
pub struct IndexDefinition {
    pub name: Arc<str>,
    /// Without partition attributes of its own the index is local: it has the table's partition.
    pub key: KeySchema,
    pub projection: Projection,
}

/// Which attributes an index holds beside the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    All,
    KeysOnly,
    Include(Vec<Arc<str>>),
}

impl TableDefinition {
    fn call(&self) -> Call {
        let mut body = Body::of_table(&self.table);
        let out = body.name("AttributeDefinitions");
        out.push(b'[');
        for (name, tag) in &self.attributes {
            writer::push_separator(out);
            out.push(b'{');
            writer::push_text(member(out, "AttributeName"), name);
            writer::push_text(member(out, "AttributeType"), tag.name());
            out.push(b'}');
        }
        out.push(b']');
        push_key_schema(body.name("KeySchema"), &self.key);
        let (local, global): (Vec<_>, Vec<_>) = self.indexes.iter().partition(|index| index.key.partition.is_empty());
        for (name, indexes) in [("GlobalSecondaryIndexes", global), ("LocalSecondaryIndexes", local)] {
            if !indexes.is_empty() {
                self.push_indexes(body.name(name), &indexes);
            }
        }
        body.text("BillingMode", "PAY_PER_REQUEST");
        Call {
            operation: "CreateTable",
            body: body.finish(),
        }
    }

    fn push_indexes(&self, out: &mut Vec<u8>, indexes: &[&IndexDefinition]) {
        out.push(b'[');
        for index in indexes {
            writer::push_separator(out);
            out.push(b'{');
            writer::push_text(member(out, "IndexName"), &index.name);
            push_key_schema(member(out, "KeySchema"), &index.key.clone().or_partition_of(&self.key));
            index.projection.push(member(out, "Projection"));
            out.push(b'}');
        }
        out.push(b']');
    }

    fn call_for_ttl(&self, attribute: &str) -> Call {
        let mut body = Body::of_table(&self.table);
        let out = body.name("TimeToLiveSpecification");
        out.push(b'{');
        writer::push_text(member(out, "AttributeName"), attribute);
        member(out, "Enabled").extend_from_slice(b"true}");
        Call {
            operation: "UpdateTimeToLive",
            body: body.finish(),
        }
    }
}

/// The elements of a key: all HASH attributes, then all RANGE attributes; their order is the key's.
fn push_key_schema(out: &mut Vec<u8>, key: &KeySchema) {
    let partition = key.partition.iter().map(|name| (name, "HASH"));
    let sort = key.sort.iter().map(|name| (name, "RANGE"));
    out.push(b'[');
    for (name, role) in partition.chain(sort) {
        writer::push_separator(out);
        out.push(b'{');
        writer::push_text(member(out, "AttributeName"), name);
        writer::push_text(member(out, "KeyType"), role);
        out.push(b'}');
    }
    out.push(b']');
}

impl Projection {
    fn push(&self, out: &mut Vec<u8>) {
        let kind = match self {
            Self::All => "ALL",
            Self::KeysOnly => "KEYS_ONLY",
            Self::Include(_) => "INCLUDE",
        };
        out.push(b'{');
        writer::push_text(member(out, "ProjectionType"), kind);
        if let Self::Include(attributes) = self {
            let out = member(out, "NonKeyAttributes");
            out.push(b'[');
            for name in attributes {
                writer::push_separator(out);
                writer::push_text(out, name);
            }
            out.push(b']');
        }
        out.push(b'}');
    }
}

/// Create a table. With a TTL attribute it is enabled once the table is active, which the service insists on; without
/// one the table may still be on its way when this is done. The output is the description as JSON.
#[derive(Debug, Clone)]
pub struct CreateTable {
    definition: TableDefinition,
    stage: Creation,
}

#[derive(Debug, Clone)]
enum Creation {
    Asked(Patience),
    Waiting(WaitUntilActive),
    EnablingTtl { description: Bytes },
}

impl CreateTable {
    #[must_use]
    pub fn new(definition: TableDefinition, patience: Patience) -> Self {
        Self {
            definition,
            stage: Creation::Asked(patience),
        }
    }

    /// Enable TTL on the table that is active now, if it has a TTL attribute.
    fn enable_ttl(&mut self, description: Bytes) -> Step<Bytes> {
        match &self.definition.ttl {
            None => Step::Done(description),
            Some(attribute) => {
                let call = self.definition.call_for_ttl(attribute);
                self.stage = Creation::EnablingTtl { description };
                Step::Call(call)
            }
        }
    }

    fn after_waiting(&mut self, step: Step<Bytes>) -> Step<Bytes> {
        match step {
            Step::Done(description) => self.enable_ttl(description),
            waiting => waiting,
        }
    }
}

impl Operation for CreateTable {
    type Output = Bytes;

    fn start(&mut self) -> Step<Bytes> {
        Step::Call(self.definition.call())
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Bytes>> {
        match &mut self.stage {
            Creation::Asked(patience) => {
                let description = described(&reply.body, "TableDescription", "CreateTable")?;
                if self.definition.ttl.is_none() || status(&description, "CreateTable")? == ACTIVE {
                    return Ok(self.enable_ttl(description));
                }
                let mut wait = WaitUntilActive::new(&self.definition.table, *patience);
                let step = wait.start();
                self.stage = Creation::Waiting(wait);
                Ok(step)
            }
            Creation::Waiting(wait) => {
                let step = wait.step(reply)?;
                Ok(self.after_waiting(step))
            }
            Creation::EnablingTtl { description } => Ok(Step::Done(description.clone())),
        }
    }

    fn fail(&mut self, error: Error) -> Result<Step<Bytes>> {
        match &mut self.stage {
            Creation::Waiting(wait) => wait.fail(error),
            Creation::Asked(_) | Creation::EnablingTtl { .. } => Err(error),
        }
    }
}

const ACTIVE: &str = "ACTIVE";

/// How long to wait for a table: this often, this far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    pub attempts: u32,
    pub delay: Duration,
}

/// Five minutes; most tables take some ten seconds.
impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 300,
            delay: Duration::from_secs(1),
        }
    }
}

/// Ask until the table is active; the output is its description as JSON.
#[derive(Debug, Clone)]
pub struct WaitUntilActive {
    table: Arc<str>,
    patience: Patience,
    attempts: u32,
}

impl WaitUntilActive {
    #[must_use]
    pub fn new(table: &Arc<str>, patience: Patience) -> Self {
        Self {
            table: Arc::clone(table),
            patience,
            attempts: 0,
        }
    }

    fn ask_again(&mut self, found: &str) -> Result<Step<Bytes>> {
        self.attempts += 1;
        if self.attempts < self.patience.attempts {
            return Ok(Step::CallAfter(self.patience.delay, call_for_description(&self.table)));
        }
        Err(Error::Timeout(format!(
            "table {} was still {found} after {} requests, {:?} apart: wait longer, or look at it in the AWS console",
            self.table, self.attempts, self.patience.delay
        )))
    }
}

impl Operation for WaitUntilActive {
    type Output = Bytes;

    fn start(&mut self) -> Step<Bytes> {
        Step::Call(call_for_description(&self.table))
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Bytes>> {
        let description = described(&reply.body, "Table", "DescribeTable")?;
        let status = status(&description, "DescribeTable")?;
        if status == ACTIVE {
            Ok(Step::Done(description))
        } else {
            self.ask_again(&status)
        }
    }

    fn fail(&mut self, error: Error) -> Result<Step<Bytes>> {
        match error {
            // DescribeTable may not know a table yet that was created a moment ago.
            Error::Service(error) if error.code == "ResourceNotFoundException" => self.ask_again("not there"),
            error => Err(error),
        }
    }
}

/// The output is the table's description as JSON.
#[derive(Debug, Clone)]
pub struct DescribeTable {
    table: Arc<str>,
}

impl DescribeTable {
    #[must_use]
    pub fn new(table: &Arc<str>) -> Self {
        Self {
            table: Arc::clone(table),
        }
    }
}

impl Operation for DescribeTable {
    type Output = Bytes;

    fn start(&mut self) -> Step<Bytes> {
        Step::Call(call_for_description(&self.table))
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Bytes>> {
        let description = described(&reply.body, "Table", "DescribeTable")?;
        // The reader passes over texts without a look at them, and this one is handed out as it is.
        JsonValue::parse(&description, false).map_err(|error| reply::refused("DescribeTable", &error))?;
        Ok(Step::Done(description))
    }
}

#[derive(Debug, Clone)]
pub struct DeleteTable {
    table: Arc<str>,
}

impl DeleteTable {
    #[must_use]
    pub fn new(table: &Arc<str>) -> Self {
        Self {
            table: Arc::clone(table),
        }
    }
}

impl Operation for DeleteTable {
    type Output = ();

    fn start(&mut self) -> Step<()> {
        Step::Call(Call {
            operation: "DeleteTable",
            body: Body::of_table(&self.table).finish(),
        })
    }

    fn step(&mut self, _: Reply) -> Result<Step<()>> {
        Ok(Step::Done(()))
    }
}

fn call_for_description(table: &str) -> Call {
    Call {
        operation: "DescribeTable",
        body: Body::of_table(table).finish(),
    }
}

fn described(body: &Bytes, name: &str, operation: &str) -> Result<Bytes> {
    reply::json(body, name, operation)?.ok_or_else(|| reply::lacking(name, operation))
}

fn status(description: &Bytes, operation: &str) -> Result<String> {
    let status =
        reply::json(description, "TableStatus", operation)?.ok_or_else(|| reply::lacking("TableStatus", operation))?;
    let text = Reader::new(&status)
        .text()
        .map_err(|error| reply::unreadable(operation, &error))?;
    Ok(text.into_cow().into_owned())
}
