//! BatchWriteItem, for any number of puts and deletes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;

use super::backoff::Backoff;
use super::body::{Body, member};
use super::key::identity;
use super::{Operation, Step, is_throttling, reply};
use crate::error::{Error, Result, ServiceError};
use crate::limits;
use crate::transport::{Call, Reply};
use crate::wire::reader::{self, Reader};
use crate::wire::writer;

const OPERATION: &str = "BatchWriteItem";

/// Many puts and deletes, each on its own: no condition, no order among them. DynamoDB refuses a batch with one key
/// twice; here the last write to a key is the one that is sent, as if they were made one after another.
#[derive(Debug, Clone)]
pub struct BatchWrite {
    table: Arc<str>,
    /// `{"PutRequest":{"Item":…}}` and `{"DeleteRequest":{"Key":…}}`, one for each key.
    requests: Arc<[Bytes]>,
    /// The requests of the call under way.
    chunk: Vec<Bytes>,
    /// The first request that was not sent yet.
    next: usize,
    backoff: Backoff,
}

#[derive(Debug, Clone)]
pub enum Write {
    /// The item.
    Put(Bytes),
    /// The key.
    Delete(Bytes),
}

impl Write {
    fn content(&self) -> &Bytes {
        match self {
            Self::Put(item) => item,
            Self::Delete(key) => key,
        }
    }

    fn request(&self) -> Bytes {
        let head: &[u8] = match self {
            Self::Put(_) => br#"{"PutRequest":{"Item":"#,
            Self::Delete(_) => br#"{"DeleteRequest":{"Key":"#,
        };
        [head, self.content(), b"}}"].concat().into()
    }
}

impl BatchWrite {
    /// `key_attributes` are those of the table.
    pub fn new(table: &str, key_attributes: &[Arc<str>], writes: impl IntoIterator<Item = Write>) -> Result<Self> {
        let mut requests = Vec::new();
        let mut places = HashMap::new();
        for write in writes {
            match places.entry(identity(write.content(), key_attributes)?) {
                Entry::Occupied(place) => requests[*place.get()] = write.request(),
                Entry::Vacant(place) => {
                    place.insert(requests.len());
                    requests.push(write.request());
                }
            }
        }
        Ok(Self {
            table: table.into(),
            requests: requests.into(),
            chunk: Vec::new(),
            next: 0,
            backoff: Backoff::default(),
        })
    }

    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Send the next requests, if there are any.
    fn advance(&mut self) -> Step<()> {
        self.backoff.succeeded();
        let end = self.requests.len().min(self.next + limits::BATCH_WRITE_ITEMS);
        self.chunk = self.requests[self.next..end].to_vec();
        self.next = end;
        if self.chunk.is_empty() {
            Step::Done(())
        } else {
            Step::Call(self.call())
        }
    }

    /// Send once more what is left of the chunk.
    fn retry(&mut self) -> Result<Step<()>> {
        if let Some(wait) = self.backoff.next_wait() {
            return Ok(Step::CallAfter(wait, self.call()));
        }
        let mut unprocessed = std::mem::take(&mut self.chunk);
        unprocessed.extend_from_slice(&self.requests[self.next..]);
        Err(Error::Unprocessed {
            unprocessed,
            attempts: self.backoff.attempts(),
        })
    }

    fn call(&self) -> Call {
        let mut body = Body::open();
        body.reserve(self.chunk.iter().map(Bytes::len).sum::<usize>() + 64);
        let tables = body.name("RequestItems");
        tables.push(b'{');
        let requests = member(tables, &self.table);
        requests.push(b'[');
        for request in &self.chunk {
            writer::push_separator(requests);
            requests.extend_from_slice(request);
        }
        requests.extend_from_slice(b"]}");
        Call {
            operation: OPERATION,
            body: body.finish(),
        }
    }
}

/// What the reply leaves unprocessed, as the service gives it back.
fn read_unprocessed(body: &Bytes) -> reader::Result<Vec<Bytes>> {
    let mut unprocessed = Vec::new();
    reply::members(&mut Reader::new(body), |name, reader| match name {
        "UnprocessedItems" => reply::members(reader, |_, reader| {
            reply::elements(reader, |reader| {
                unprocessed.push(body.slice(reader.raw_value()?));
                Ok(())
            })
        }),
        _ => reader.skip_value(),
    })?;
    Ok(unprocessed)
}

impl Operation for BatchWrite {
    type Output = ();

    fn start(&mut self) -> Step<()> {
        self.advance()
    }

    fn step(&mut self, reply: Reply) -> Result<Step<()>> {
        self.chunk = read_unprocessed(&reply.body).map_err(|error| reply::unreadable(OPERATION, &error))?;
        if self.chunk.is_empty() {
            Ok(self.advance())
        } else {
            self.retry()
        }
    }

    fn fail(&mut self, error: ServiceError) -> Result<Step<()>> {
        if is_throttling(&error) {
            self.retry()
        } else {
            Err(Error::Service(error))
        }
    }
}
