//! BatchWriteItem, for any number of puts and deletes in any number of tables.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;

use super::backoff::Backoff;
use super::body::{Body, member};
use super::chunks::{Chunks, Left};
use super::key::{KeyedTable, identity, read_identity};
use super::{Operation, Step, is_throttling, reply};
use crate::error::{Error, Incomplete, Result};
use crate::limits;
use crate::transport::{Call, Reply};
use crate::wire::reader::{self, ReadError, Reader};
use crate::wire::writer;

const OPERATION: &str = "BatchWriteItem";

/// Many puts and deletes, each on its own: no condition, no order among them. DynamoDB refuses a batch with one key
/// twice; here the last write to a key is the one that is sent, be it a put or a delete: what stands there in the end is
/// what would stand there if all were made one after another.
#[derive(Debug, Clone)]
pub struct BatchWrite {
    given: Arc<Given>,
    chunks: Chunks,
    /// What is not done, of requests that came to an end.
    undone: Vec<usize>,
    /// What ended them.
    causes: Vec<Error>,
    attempts: u32,
}

#[derive(Debug)]
struct Given {
    tables: Vec<KeyedTable>,
    /// One for each key.
    requests: Vec<Request>,
    /// By table and identity.
    by_identity: HashMap<(usize, Vec<u8>), usize>,
    count: usize,
}

#[derive(Debug)]
struct Request {
    table: usize,
    write: Write,
    /// Its place among the writes as they were given.
    entry: usize,
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

    fn head(&self) -> &'static [u8] {
        match self {
            Self::Put(_) => br#"{"PutRequest":{"Item":"#,
            Self::Delete(_) => br#"{"DeleteRequest":{"Key":"#,
        }
    }
}

impl BatchWrite {
    /// Writes to one table; `key_attributes` are that table's.
    pub fn new(table: &str, key_attributes: &[Arc<str>], writes: impl IntoIterator<Item = Write>) -> Result<Self> {
        let tables = vec![KeyedTable::new(table, key_attributes)];
        Self::of_tables(tables, writes.into_iter().map(|write| (0, write)))
    }

    /// Writes to several tables, each with the place of its own.
    pub fn of_tables(tables: Vec<KeyedTable>, writes: impl IntoIterator<Item = (usize, Write)>) -> Result<Self> {
        let mut given = Given {
            tables,
            requests: Vec::new(),
            by_identity: HashMap::new(),
            count: 0,
        };
        for (entry, (table, write)) in writes.into_iter().enumerate() {
            given.count = entry + 1;
            let identity = identity(write.content(), &given.tables[table].key_attributes)?;
            let request = Request { table, write, entry };
            match given.by_identity.entry((table, identity)) {
                Entry::Occupied(place) => given.requests[*place.get()] = request,
                Entry::Vacant(place) => {
                    place.insert(given.requests.len());
                    given.requests.push(request);
                }
            }
        }
        Ok(Self {
            chunks: Chunks::new(given.plan()),
            given: Arc::new(given),
            undone: Vec::new(),
            causes: Vec::new(),
            attempts: 0,
        })
    }

    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.chunks.set_backoff(backoff);
        self
    }

    /// So many requests under way at once.
    #[must_use]
    pub fn at_once(mut self, requests: usize) -> Self {
        self.chunks.at_once(requests);
        self
    }

    /// Send further requests, unless one has failed: then those under way are waited for, so that what is written is
    /// known.
    fn advance(&mut self) -> Result<Step<()>> {
        let has_failed = !self.undone.is_empty();
        let calls = if has_failed {
            Vec::new()
        } else {
            let given = Arc::clone(&self.given);
            self.chunks.send(|places| given.call(places))
        };
        if !calls.is_empty() || !self.chunks.is_idle() {
            Ok(Step::Calls(calls))
        } else if has_failed {
            Err(self.failure())
        } else {
            Ok(Step::Done(()))
        }
    }

    /// Send once more what is left of a request.
    fn retry(&mut self, number: usize, left: Vec<usize>) -> Result<Step<()>> {
        // Once one has failed, what the others leave is left.
        if !self.undone.is_empty() {
            self.chunks.finish(number);
            self.undone.extend(left);
            return self.advance();
        }
        let given = Arc::clone(&self.given);
        match self.chunks.leave(number, left, |places| given.call(places)) {
            Left::Again(call) => Ok(Step::Calls(vec![call])),
            Left::GivenUp { attempts } => {
                self.attempts = attempts;
                self.end(number)
            }
        }
    }

    /// A request came to an end with something undone.
    fn end(&mut self, number: usize) -> Result<Step<()>> {
        let entries = self.chunks.finish(number);
        self.undone.extend(entries);
        self.advance()
    }

    /// What was not written and why; where nothing was, the error of the first request that failed says it better.
    fn failure(&mut self) -> Error {
        self.undone.extend(self.chunks.undone());
        let is_nothing_done = self.undone.len() == self.given.requests.len();
        if is_nothing_done && !self.causes.is_empty() {
            return self.causes.swap_remove(0);
        }
        let mut entries: Vec<usize> = self
            .undone
            .iter()
            .map(|place| self.given.requests[*place].entry)
            .collect();
        entries.sort_unstable();
        Error::Incomplete(Incomplete {
            entries,
            given: self.given.count,
            attempts: self.attempts,
            causes: std::mem::take(&mut self.causes),
        })
    }
}

impl Given {
    /// The writes by requests.
    fn plan(&self) -> Vec<Vec<usize>> {
        let places: Vec<usize> = (0..self.requests.len()).collect();
        places
            .chunks(limits::BATCH_WRITE_ITEMS)
            .map(|places| {
                let mut places = places.to_vec();
                places.sort_by_key(|place| self.requests[*place].table);
                places
            })
            .collect()
    }

    /// The request for these writes, of which those to one table stand together.
    fn call(&self, places: &[usize]) -> Call {
        let mut body = Body::open();
        let lengths = places
            .iter()
            .map(|place| self.requests[*place].write.content().len() + 32);
        body.reserve(lengths.sum::<usize>() + 64);
        let tables = body.name("RequestItems");
        tables.push(b'{');
        for writes in places.chunk_by(|a, b| self.requests[*a].table == self.requests[*b].table) {
            let requests = member(tables, &self.tables[self.requests[writes[0]].table].name);
            requests.push(b'[');
            for place in writes {
                let write = &self.requests[*place].write;
                writer::push_separator(requests);
                requests.extend_from_slice(write.head());
                requests.extend_from_slice(write.content());
                requests.extend_from_slice(b"}}");
            }
            requests.push(b']');
        }
        tables.push(b'}');
        Call {
            operation: OPERATION,
            body: body.finish(),
        }
    }

    /// The requests that the reply leaves unprocessed.
    fn read_unprocessed(&self, body: &Bytes) -> reader::Result<Vec<usize>> {
        let mut unprocessed = Vec::new();
        reply::members(&mut Reader::new(body), |name, reader| match name {
            "UnprocessedItems" => reply::members(reader, |table, reader| {
                let table = self.tables.iter().position(|known| *known.name == *table);
                let table = table.ok_or_else(|| reader.error("a table that was written to"))?;
                reply::elements(reader, |reader| {
                    // {"PutRequest":{"Item":{…}}} or {"DeleteRequest":{"Key":{…}}}
                    reply::members(reader, |_, reader| {
                        reply::members(reader, |_, reader| {
                            let identity = read_identity(reader, &self.tables[table].key_attributes)?;
                            let place = identity.and_then(|identity| self.by_identity.get(&(table, identity)).copied());
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
}

impl Operation for BatchWrite {
    type Output = ();

    fn start(&mut self) -> Step<()> {
        let given = Arc::clone(&self.given);
        let calls = self.chunks.send(|places| given.call(places));
        if calls.is_empty() {
            Step::Done(())
        } else {
            Step::Calls(calls)
        }
    }

    fn step(&mut self, reply: Reply) -> Result<Step<()>> {
        self.answer(0, Ok(reply))
    }

    fn answer(&mut self, number: usize, answer: Result<Reply>) -> Result<Step<()>> {
        let outcome = answer.and_then(|reply| {
            let read = self.given.read_unprocessed(&reply.body);
            read.map_err(|error| reply::unreadable(OPERATION, &error))
        });
        match outcome {
            Ok(left) if left.is_empty() => {
                self.chunks.finish(number);
                self.advance()
            }
            Ok(left) => self.retry(number, left),
            Err(error) if is_throttling(&error) => {
                let all = self.chunks.entries(number).to_vec();
                self.retry(number, all)
            }
            Err(error) => {
                self.causes.push(error);
                self.end(number)
            }
        }
    }
}
