//! Consumed capacity: which operations have it, how it is asked for, and what an answer tells of it.

use bytes::Bytes;

use super::body::member;
use super::{partiql, reply};
use crate::error::{Error, ServiceError};
use crate::transport::Call;
use crate::wire::reader::{self, Reader};
use crate::wire::writer;

/// Which of a table's two capacities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
}

impl Kind {
    /// What an operation on items consumes; those on tables consume nothing, and of statements the text decides.
    #[must_use]
    pub fn of(operation: &str) -> Option<Self> {
        match operation {
            "BatchGetItem" | "GetItem" | "Query" | "Scan" | "TransactGetItems" => Some(Self::Read),
            "BatchWriteItem" | "DeleteItem" | "PutItem" | "TransactWriteItems" | "UpdateItem" => Some(Self::Write),
            _ => None,
        }
    }

    #[must_use]
    pub fn of_call(call: &Call) -> Option<Self> {
        Self::of(call.operation).or_else(|| {
            let reads = partiql::reads(call)?;
            Some(if reads { Self::Read } else { Self::Write })
        })
    }
}

/// How closely an answer tells what was consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Total,
    /// The total, and what each index consumed of it.
    Indexes,
}

/// The call, asking to be told what it consumes.
#[must_use]
pub fn asking(call: &Call, detail: Detail) -> Call {
    const NAME: &str = "ReturnConsumedCapacity";
    let open = call.body.strip_suffix(b"}").unwrap_or(&call.body);
    let mut body = Vec::with_capacity(open.len() + NAME.len() + 16);
    body.extend_from_slice(open);
    let detail = match detail {
        Detail::Total => "TOTAL",
        Detail::Indexes => "INDEXES",
    };
    writer::push_text(member(&mut body, NAME), detail);
    body.push(b'}');
    Call {
        operation: call.operation,
        body: body.into(),
    }
}

/// Whether a call that ended so may have consumed what it would have otherwise.
#[must_use]
pub fn is_spent(error: &Error) -> bool {
    match error {
        // A condition is looked at by reading the item, at the price of the write.
        Error::Service(ServiceError { code, .. }) => {
            matches!(
                code.as_str(),
                "ConditionalCheckFailedException" | "TransactionCanceledException"
            )
        }
        Error::Transport(error) => error.ambiguous,
        _ => false,
    }
}

/// What was consumed of a table with all its indexes, or of one of these.
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    pub table: Box<str>,
    pub index: Option<Box<str>>,
    pub units: f64,
}

/// `ConsumedCapacity`: an object, or a list of them where an operation has several tables. Each table comes before its
/// indexes; `None` where nothing is told.
pub fn told(body: &Bytes) -> reader::Result<Option<Vec<Units>>> {
    let Some(start) = reply::member(body, "ConsumedCapacity")? else {
        return Ok(None);
    };
    let mut told = Vec::new();
    let mut reader = Reader::new(body);
    reader.seek(start);
    if body[start] == b'[' {
        reply::elements(&mut reader, |reader| read_table(reader, &mut told))?;
    } else {
        read_table(&mut reader, &mut told)?;
    }
    // No table at all is not to say that nothing was consumed.
    Ok(Some(told).filter(|told| !told.is_empty()))
}

fn read_table(reader: &mut Reader<'_>, told: &mut Vec<Units>) -> reader::Result<()> {
    let (mut table, mut units): (Box<str>, f64) = ("".into(), 0.0);
    let mut indexes: Vec<(Box<str>, f64)> = Vec::new();
    reply::members(reader, |name, reader| {
        match name {
            "TableName" => table = reader.text()?.as_str().into(),
            "CapacityUnits" => units = number(reader)?,
            "GlobalSecondaryIndexes" | "LocalSecondaryIndexes" if !reader.try_null() => {
                reply::members(reader, |index, reader| {
                    let mut units = 0.0;
                    reply::members(reader, |name, reader| match name {
                        "CapacityUnits" => number(reader).map(|number| units = number),
                        _ => reader.skip_value(),
                    })?;
                    indexes.push((index.into(), units));
                    Ok(())
                })?;
            }
            "GlobalSecondaryIndexes" | "LocalSecondaryIndexes" => {}
            _ => reader.skip_value()?,
        }
        Ok(())
    })?;
    told.push(Units {
        table: table.clone(),
        index: None,
        units,
    });
    told.extend(indexes.into_iter().map(|(index, units)| Units {
        table: table.clone(),
        index: Some(index),
        units,
    }));
    Ok(())
}

fn number(reader: &mut Reader<'_>) -> reader::Result<f64> {
    let number = reader.number()?;
    number.parse().map_err(|_| reader.error("a number of units"))
}
