//! BatchWriteItem, for any number of puts and deletes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;

use super::backoff::Backoff;
use super::body::{Body, member};
use super::key::{identity, read_identity};
use super::{Operation, Step, is_throttling, reply};
use crate::error::{Error, Incomplete, Result};
use crate::limits;
use crate::transport::{Call, Reply};
use crate::wire::reader::{self, ReadError, Reader};
use crate::wire::writer;

const OPERATION: &str = "BatchWriteItem";

/// Many puts and deletes, each on its own: no condition, no order among them. DynamoDB refuses a batch with one key
/// twice; here the last write to a key is the one that is sent, as if they were made one after another.
#[derive(Debug, Clone)]
pub struct BatchWrite {
    given: Arc<Given>,
    /// The requests of the call under way.
    chunk: Vec<usize>,
    /// The first request that was not sent yet.
    next: usize,
    backoff: Backoff,
}

#[derive(Debug)]
struct Given {
    table: Box<str>,
    key_attributes: Box<[Arc<str>]>,
    /// `{"PutRequest":{"Item":…}}` and `{"DeleteRequest":{"Key":…}}`, one for each key.
    requests: Vec<Bytes>,
    /// For each request, its place among the writes as they were given.
    entries: Vec<usize>,
    by_identity: HashMap<Vec<u8>, usize>,
    count: usize,
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
        let mut given = Given {
            table: table.into(),
            key_attributes: key_attributes.into(),
            requests: Vec::new(),
            entries: Vec::new(),
            by_identity: HashMap::new(),
            count: 0,
        };
        for (entry, write) in writes.into_iter().enumerate() {
            given.count = entry + 1;
            match given.by_identity.entry(identity(write.content(), key_attributes)?) {
                Entry::Occupied(place) => {
                    given.requests[*place.get()] = write.request();
                    given.entries[*place.get()] = entry;
                }
                Entry::Vacant(place) => {
                    place.insert(given.requests.len());
                    given.requests.push(write.request());
                    given.entries.push(entry);
                }
            }
        }
        Ok(Self {
            given: Arc::new(given),
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
        let end = self.given.requests.len().min(self.next + limits::BATCH_WRITE_ITEMS);
        self.chunk = (self.next..end).collect();
        self.next = end;
        if self.chunk.is_empty() {
            Step::Done(())
        } else {
            Step::Call(self.call())
        }
    }

    /// Send once more what is left of the chunk.
    fn retry(&mut self) -> Result<Step<()>> {
        match self.backoff.next_wait() {
            Some(wait) => Ok(Step::CallAfter(wait, self.call())),
            None => Err(self.incomplete(None)),
        }
    }

    /// What was not written: the rest of the request under way, and those that were not sent yet.
    fn incomplete(&self, cause: Option<Error>) -> Error {
        let unsent = self.next..self.given.requests.len();
        let mut entries: Vec<usize> = self
            .chunk
            .iter()
            .copied()
            .chain(unsent)
            .map(|place| self.given.entries[place])
            .collect();
        entries.sort_unstable();
        Error::Incomplete(Incomplete {
            entries,
            given: self.given.count,
            attempts: self.backoff.attempts(),
            cause: cause.map(Box::new),
        })
    }

    /// Whether a write was done already, so that an error must say which ones were not.
    fn has_written(&self) -> bool {
        self.next > self.chunk.len()
    }

    fn call(&self) -> Call {
        let mut body = Body::open();
        let requests_of_chunk = self.chunk.iter().map(|place| &self.given.requests[*place]);
        body.reserve(requests_of_chunk.clone().map(Bytes::len).sum::<usize>() + 64);
        let tables = body.name("RequestItems");
        tables.push(b'{');
        let requests = member(tables, &self.given.table);
        requests.push(b'[');
        for request in requests_of_chunk {
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

/// The requests that the reply leaves unprocessed.
fn read_unprocessed(body: &Bytes, given: &Given) -> reader::Result<Vec<usize>> {
    let mut unprocessed = Vec::new();
    reply::members(&mut Reader::new(body), |name, reader| match name {
        "UnprocessedItems" => reply::members(reader, |_, reader| {
            reply::elements(reader, |reader| {
                // {"PutRequest":{"Item":{…}}} or {"DeleteRequest":{"Key":{…}}}
                reply::members(reader, |_, reader| {
                    reply::members(reader, |_, reader| {
                        let identity = read_identity(reader, &given.key_attributes)?;
                        let place = identity.and_then(|identity| given.by_identity.get(&identity).copied());
                        unprocessed.push(place.ok_or_else(|| reader.error("the key of a write that was sent"))?);
                        Ok::<_, ReadError>(())
                    })
                })
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
        self.chunk =
            read_unprocessed(&reply.body, &self.given).map_err(|error| reply::unreadable(OPERATION, &error))?;
        if self.chunk.is_empty() {
            Ok(self.advance())
        } else {
            self.retry()
        }
    }

    fn fail(&mut self, error: Error) -> Result<Step<()>> {
        if is_throttling(&error) {
            self.retry()
        } else if self.has_written() {
            Err(self.incomplete(Some(error)))
        } else {
            Err(error)
        }
    }
}
