//! Which partition keys a request touches, read from its body: our own writing, so that its forms are known.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::ops::capacity::Kind;
use crate::ops::reply::{elements, members};
use crate::transport::Call;
use crate::wire::reader::{self, Reader};

/// The attribute of each table's partition key.
pub type KeyAttributes = HashMap<Arc<str>, Arc<str>>;

/// What a write of so many bytes, or a read of so many, takes one unit for.
const WRITE_UNIT: usize = 1024;
const READ_UNIT: usize = 4096;

/// The key of one partition: all items under it share a partition's capacity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    pub table: Box<str>,
    pub index: Option<Box<str>>,
    /// The value on the wire: `{"S":"acme"}`.
    pub value: Box<[u8]>,
}

/// What a request asks of one partition.
#[derive(Debug)]
pub struct Touch {
    pub partition: Partition,
    pub kind: Kind,
    /// Capacity units: estimated by size until the answer tells.
    pub units: f64,
}

/// Every item and key of the request, and a query's partition. Statements and scans are of no one partition.
#[must_use]
pub fn touches(call: &Call, attributes: &KeyAttributes) -> Vec<Touch> {
    let Some(kind) = Kind::of(call.operation) else {
        return Vec::new();
    };
    let mut found = Found {
        attributes,
        kind,
        // A transaction does everything twice: it prepares, and it commits.
        factor: if call.operation.starts_with("Transact") {
            2.0
        } else {
            1.0
        },
        touches: Vec::new(),
    };
    let mut reader = Reader::new(&call.body);
    // What cannot be read is not counted: nothing but the count depends on it.
    let _partly_read = match call.operation {
        "Query" => found.query(&mut reader),
        "BatchGetItem" | "BatchWriteItem" => found.batch(&mut reader),
        "TransactGetItems" | "TransactWriteItems" => found.transaction(&mut reader),
        _ => found.item(&mut reader),
    };
    found.touches
}

struct Found<'a> {
    attributes: &'a KeyAttributes,
    kind: Kind,
    factor: f64,
    touches: Vec<Touch>,
}

/// The members of a request on one item, or of one of a transaction's.
#[derive(Default)]
struct Members {
    table: Option<Box<str>>,
    index: Option<Box<str>>,
    item: Option<Bytes>,
    condition: Option<String>,
    values: HashMap<String, Bytes>,
    is_consistent: bool,
}

impl Members {
    fn read(reader: &mut Reader<'_>) -> reader::Result<Self> {
        let mut found = Self::default();
        members(reader, |name, reader| {
            match name {
                "TableName" => found.table = Some(reader.text()?.as_str().into()),
                "IndexName" => found.index = Some(reader.text()?.as_str().into()),
                "Item" | "Key" => found.item = Some(raw(reader)?),
                "ConsistentRead" => found.is_consistent = reader.boolean()?,
                "KeyConditionExpression" => found.condition = Some(reader.text()?.as_str().to_owned()),
                "ExpressionAttributeValues" => members(reader, |placeholder, reader| {
                    found.values.insert(placeholder.to_owned(), raw(reader)?);
                    Ok(())
                })?,
                _ => reader.skip_value()?,
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl Found<'_> {
    fn item(&mut self, reader: &mut Reader<'_>) -> reader::Result<()> {
        let members = Members::read(reader)?;
        if let (Some(table), Some(item)) = (&members.table, &members.item) {
            self.touch(table, item, members.is_consistent)?;
        }
        Ok(())
    }

    /// `#n0 = :v0` is how a key condition begins, with the partition key.
    fn query(&mut self, reader: &mut Reader<'_>) -> reader::Result<()> {
        let mut members = Members::read(reader)?;
        let condition = members.condition.unwrap_or_default();
        let placeholder = condition.split(' ').nth(2).unwrap_or_default();
        if let (Some(table), Some(value)) = (members.table, members.values.remove(placeholder)) {
            self.push(table, members.index, &value, 1.0, members.is_consistent);
        }
        Ok(())
    }

    /// `{"RequestItems":{"table":…}}`: a list of `{"PutRequest":{"Item":…}}` and the like, or an object with `Keys`.
    fn batch(&mut self, reader: &mut Reader<'_>) -> reader::Result<()> {
        members(reader, |name, reader| match name {
            "RequestItems" => members(reader, |table, reader| match reader.peek() {
                Some(b'[') => self.writes(table, reader),
                _ => self.keys(table, reader),
            }),
            _ => reader.skip_value(),
        })
    }

    fn writes(&mut self, table: &str, reader: &mut Reader<'_>) -> reader::Result<()> {
        elements(reader, |reader| {
            members(reader, |_form, reader| match Members::read(reader)?.item {
                Some(item) => self.touch(table, &item, false),
                None => Ok(()),
            })
        })
    }

    fn keys(&mut self, table: &str, reader: &mut Reader<'_>) -> reader::Result<()> {
        let (mut keys, mut is_consistent) = (Vec::new(), false);
        members(reader, |name, reader| match name {
            "Keys" => elements(reader, |reader| raw(reader).map(|key| keys.push(key))),
            "ConsistentRead" => reader.boolean().map(|is_set| is_consistent = is_set),
            _ => reader.skip_value(),
        })?;
        keys.iter().try_for_each(|key| self.touch(table, key, is_consistent))
    }

    /// `{"TransactItems":[{"Put":{"TableName":…,"Item":…}},…]}`
    fn transaction(&mut self, reader: &mut Reader<'_>) -> reader::Result<()> {
        members(reader, |name, reader| match name {
            "TransactItems" => elements(reader, |reader| members(reader, |_form, reader| self.item(reader))),
            _ => reader.skip_value(),
        })
    }

    /// An item or a key of a table.
    fn touch(&mut self, table: &str, item: &Bytes, is_consistent: bool) -> reader::Result<()> {
        let Some(attribute) = self.attributes.get(table) else {
            return Ok(());
        };
        let mut value = None;
        members(&mut Reader::new(item), |name, reader| {
            if *name == **attribute {
                value = Some(raw(reader)?);
                return Ok(());
            }
            reader.skip_value()
        })?;
        if let Some(value) = value {
            let units = f64::from(u32::try_from(item.len().div_ceil(WRITE_UNIT)).unwrap_or(u32::MAX));
            self.push(table.into(), None, &value, units, is_consistent);
        }
        Ok(())
    }

    fn push(&mut self, table: Box<str>, index: Option<Box<str>>, value: &[u8], written: f64, is_consistent: bool) {
        let units = match self.kind {
            Kind::Write => written,
            Kind::Read if is_consistent => 1.0,
            Kind::Read => 0.5,
        };
        self.touches.push(Touch {
            partition: Partition {
                table,
                index,
                value: value.into(),
            },
            kind: self.kind,
            units: units * self.factor,
        });
    }
}

fn raw(reader: &mut Reader<'_>) -> reader::Result<Bytes> {
    let range = reader.raw_value()?;
    Ok(Bytes::copy_from_slice(&reader.bytes()[range]))
}

/// Set the units right by the answer: by what it tells, or at least by its size.
pub fn settle(touches: &mut [Touch], told: Option<f64>, answer_bytes: usize) {
    let estimated: f64 = touches.iter().map(|touch| touch.units).sum();
    let actual = told.unwrap_or_else(|| {
        let reads = touches.first().is_some_and(|touch| touch.kind == Kind::Read);
        let pieces = u32::try_from(answer_bytes.div_ceil(READ_UNIT)).unwrap_or(u32::MAX);
        let count = u32::try_from(touches.len().max(1)).unwrap_or(u32::MAX);
        if reads && pieces > count {
            estimated / f64::from(count) * f64::from(pieces)
        } else {
            estimated
        }
    });
    if estimated > 0.0 {
        for touch in touches {
            touch.units *= actual / estimated;
        }
    }
}
