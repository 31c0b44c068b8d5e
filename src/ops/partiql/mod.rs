//! PartiQL: statements as text with encoded parameters, one by one and in batches.

use std::sync::Arc;

use bytes::Bytes;

use super::body::member;
use crate::error::{ConditionFailure, ConditionMeaning, Error, Result, ServiceError};
use crate::limits;
use crate::transport::Call;
use crate::wire::reader::Reader;
use crate::wire::{Tag, writer};

mod batch;
mod execute;
mod text;
mod transaction;

pub use batch::{BatchExecute, Outcome};
pub use execute::{Execute, Found};
pub use transaction::ExecuteTransaction;

const CONDITION_FAILED: &str = "ConditionalCheckFailedException";
const DUPLICATE_ITEM: &str = "DuplicateItemException";

/// One statement: its text as it was written, and its parameters as they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Statement {
    text: Arc<str>,
    /// The JSON of the parameters, `{"S":"a"},{"N":"1"}`; empty where there are none.
    parameters: Bytes,
    /// AWS hands out a token for the next page of any SELECT, but takes back none of one that has a list or a map among
    /// its parameters.
    is_resumable: bool,
    kind: Kind,
    table: Option<Arc<str>>,
}

/// What DynamoDB does not mix in one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Read,
    /// INSERT, and EXISTS in a transaction: there is no item that would come back with a refusal.
    Insert,
    /// UPDATE and DELETE.
    Change,
}

impl Kind {
    fn is_read(self) -> bool {
        self == Self::Read
    }
}

/// Whether a call of statements reads, by the first of them; `None` for a call of others.
pub(super) fn reads(call: &Call) -> Option<bool> {
    const OPERATIONS: [&str; 3] = ["BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction"];
    const MEMBER: &[u8] = b"\"Statement\":";
    if !OPERATIONS.contains(&call.operation) {
        return None;
    }
    let mut reader = Reader::new(&call.body);
    reader.seek(memchr::memmem::find(&call.body, MEMBER)? + MEMBER.len());
    let text = reader.text().ok()?;
    Some(text::read(text.as_str()).kind.is_read())
}

impl Statement {
    pub fn new(text: &str, parameters: &[Vec<u8>]) -> Result<Self> {
        // Sent as it was written but for what stands round it: the transport looks at its first word.
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > limits::STATEMENT_CHARACTERS {
            return Err(Error::Expression(format!(
                "a statement has 1 to {} characters, found {length}: give values as parameters, `?` in the text",
                limits::STATEMENT_CHARACTERS
            )));
        }
        let reading = text::read(text);
        if reading.placeholders != parameters.len() {
            return Err(Error::Expression(format!(
                "the statement has {} `?` outside quotes, found {} parameters: each `?` takes one, in order",
                reading.placeholders,
                parameters.len()
            )));
        }
        Ok(Self {
            text: text.into(),
            parameters: parameters.join(&b',').into(),
            is_resumable: !parameters.iter().any(|value| is_list_or_map(value)),
            kind: reading.kind,
            table: reading.table,
        })
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The table that the statement names, where it names one.
    #[must_use]
    pub fn table(&self) -> Option<&Arc<str>> {
        self.table.as_ref()
    }

    /// Append the members of the statement to an object that is open.
    fn write(&self, consistent: bool, object: &mut Vec<u8>) {
        writer::push_text(member(object, "Statement"), &self.text);
        if !self.parameters.is_empty() {
            let parameters = member(object, "Parameters");
            parameters.push(b'[');
            parameters.extend_from_slice(&self.parameters);
            parameters.push(b']');
        }
        if consistent && self.kind.is_read() {
            member(object, "ConsistentRead").extend_from_slice(b"true");
        }
        if self.kind == Kind::Change {
            writer::push_text(member(object, "ReturnValuesOnConditionCheckFailure"), "ALL_OLD");
        }
    }
}

/// Append the member that holds the statements of one request.
fn write_all<'a>(name: &str, statements: impl Iterator<Item = &'a Statement>, consistent: bool, body: &mut Vec<u8>) {
    let array = member(body, name);
    array.push(b'[');
    for statement in statements {
        writer::push_separator(array);
        array.push(b'{');
        statement.write(consistent, array);
        array.push(b'}');
    }
    array.push(b']');
}

fn is_list_or_map(value: &[u8]) -> bool {
    matches!(Reader::new(value).tag(), Ok(Tag::L | Tag::M))
}

/// A refused statement in the caller's terms. `item` is the stored one that came with the refusal.
fn explain(error: ServiceError, item: Option<Bytes>) -> Error {
    let meaning = match error.code.as_str() {
        CONDITION_FAILED => ConditionMeaning::ConditionFailed,
        DUPLICATE_ITEM => ConditionMeaning::ItemExists,
        _ => return Error::Service(error),
    };
    Error::Condition(ConditionFailure {
        meaning,
        item,
        request_id: error.request_id,
    })
}
