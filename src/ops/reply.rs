//! Replies: where their members are. Nothing is decoded here, and nothing is read that is not asked for.

use std::fmt::Display;

use bytes::Bytes;

use crate::error::{Error, TransportError, TransportKind};
use crate::transport::Reply;
use crate::transport::effort::Effort;
use crate::wire::reader::{ReadError, Reader};

/// An item inside a reply. It is decoded where it stands, and only that tells where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredItem {
    /// The reply's whole body.
    pub body: Bytes,
    /// Where the item's `{` is.
    pub start: usize,
    pub request_id: Option<String>,
}

impl StoredItem {
    /// The item alone, `{"id":{"S":"a"},…}`, found by a pass over it.
    pub fn to_bytes(&self) -> Result<Bytes, ReadError> {
        value_at(&self.body, self.start)
    }
}

fn value_at(body: &Bytes, start: usize) -> Result<Bytes, ReadError> {
    let mut reader = Reader::new(body);
    reader.seek(start);
    Ok(body.slice(reader.raw_value()?))
}

/// The item in the member called `name`, if the reply has one.
pub(super) fn item(reply: Reply, name: &str, operation: &str) -> Result<Option<StoredItem>, Error> {
    let start = member(&reply.body, name).map_err(|error| unreadable(operation, &error))?;
    Ok(start.map(|start| StoredItem {
        body: reply.body,
        start,
        request_id: reply.request_id,
    }))
}

/// The whole value of the member called `name`, if the reply has one.
pub(super) fn json(body: &Bytes, name: &str, operation: &str) -> Result<Option<Bytes>, Error> {
    let value = member(body, name).and_then(|start| start.map(|start| value_at(body, start)).transpose());
    value.map_err(|error| unreadable(operation, &error))
}

/// Where the value of the member called `name` starts; `None` where it is absent or null.
pub(super) fn member(body: &[u8], name: &str) -> Result<Option<usize>, ReadError> {
    let mut reader = Reader::new(body);
    let mut more = reader.begin_object()?;
    while more {
        if &*reader.key()? == name {
            return Ok(if reader.try_null() {
                None
            } else {
                Some(reader.position())
            });
        }
        reader.skip_value()?;
        more = reader.next_member()?;
    }
    Ok(None)
}

/// Read an object: `visit` is given each member's name and must read its value.
pub(crate) fn members<'a>(
    reader: &mut Reader<'a>,
    mut visit: impl FnMut(&str, &mut Reader<'a>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut more = reader.begin_object()?;
    while more {
        let name = reader.key()?;
        visit(&name, reader)?;
        more = reader.next_member()?;
    }
    Ok(())
}

/// Read an array: `visit` must read each of its elements.
pub(crate) fn elements<'a>(
    reader: &mut Reader<'a>,
    mut visit: impl FnMut(&mut Reader<'a>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut more = reader.begin_array()?;
    while more {
        visit(reader)?;
        more = reader.next_element()?;
    }
    Ok(())
}

/// The items that the reads of a transaction found, `{"Responses":[{"Item":{…}},{}]}`, as many as were asked for.
pub(super) fn found(reply: &Reply, count: usize) -> Result<Vec<Option<StoredItem>>, ReadError> {
    let mut found = Vec::with_capacity(count);
    let mut reader = Reader::new(&reply.body);
    members(&mut reader, |name, reader| match name {
        "Responses" => elements(reader, |reader| {
            let mut start = None;
            members(reader, |name, reader| {
                let position = reader.position();
                if name == "Item" && !reader.try_null() {
                    start = Some(position);
                }
                reader.seek(position);
                reader.skip_value()
            })?;
            found.push(start.map(|start| StoredItem {
                body: reply.body.clone(),
                start,
                request_id: reply.request_id.clone(),
            }));
            Ok(())
        }),
        _ => reader.skip_value(),
    })?;
    if found.len() == count {
        Ok(found)
    } else {
        Err(reader.error("a response to each read"))
    }
}

/// The error code of an error reply that says the same as the short form of it inside a reply: of an operation in a
/// transaction, of a statement in a batch.
pub(super) fn full_code(code: &str) -> String {
    match code {
        "ConditionalCheckFailed"
        | "DuplicateItem"
        | "ItemCollectionSizeLimitExceeded"
        | "ProvisionedThroughputExceeded"
        | "ResourceNotFound"
        | "TransactionConflict"
        | "AccessDenied" => format!("{code}Exception"),
        "ThrottlingError" => "ThrottlingException".to_owned(),
        "ValidationError" => "ValidationException".to_owned(),
        _ => code.to_owned(),
    }
}

/// The reply is not what DynamoDB sends.
pub(super) fn unreadable(operation: &str, error: &ReadError) -> Error {
    refused(operation, error)
}

/// The reply has not what DynamoDB always sends.
pub(super) fn lacking(member: &str, operation: &str) -> Error {
    refused(operation, &format_args!("it has no `{member}`"))
}

/// The reply is not what DynamoDB sends, for this reason.
pub(super) fn refused(operation: &str, reason: &dyn Display) -> Error {
    Error::Transport(TransportError {
        kind: TransportKind::Reply,
        message: format!("the reply to {operation} is not DynamoDB's: {reason}; check what answers at the endpoint"),
        // The service answered with success, so a write has been done.
        ambiguous: false,
        effort: Effort::default(),
    })
}
