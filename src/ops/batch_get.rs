//! BatchGetItem, for any number of keys.

use std::collections::HashMap;
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

const OPERATION: &str = "BatchGetItem";

/// The items of the keys, in the keys' order; `None` where there is none. A key given twice is asked once.
#[derive(Debug, Clone)]
pub struct BatchGet {
    asked: Arc<Asked>,
    /// By distinct key.
    found: Vec<Option<Bytes>>,
    /// The distinct keys of the request under way.
    chunk: Vec<usize>,
    /// The first distinct key that was not asked for yet.
    next: usize,
    backoff: Backoff,
}

#[derive(Debug)]
struct Asked {
    table: Box<str>,
    key_attributes: Box<[Arc<str>]>,
    consistent: bool,
    keys: Vec<Bytes>,
    by_identity: HashMap<Vec<u8>, usize>,
    /// For each key as it was given, the distinct one.
    places: Vec<usize>,
}

impl BatchGet {
    /// `key_attributes` are those of the table.
    pub fn new(table: &str, key_attributes: &[Arc<str>], keys: Vec<Bytes>, consistent: bool) -> Result<Self> {
        let mut asked = Asked {
            table: table.into(),
            key_attributes: key_attributes.into(),
            consistent,
            keys: Vec::with_capacity(keys.len()),
            by_identity: HashMap::with_capacity(keys.len()),
            places: Vec::with_capacity(keys.len()),
        };
        for key in keys {
            let next = asked.keys.len();
            let place = *asked.by_identity.entry(identity(&key, key_attributes)?).or_insert(next);
            if place == next {
                asked.keys.push(key);
            }
            asked.places.push(place);
        }
        let found = vec![None; asked.keys.len()];
        let asked = Arc::new(asked);
        Ok(Self {
            asked,
            found,
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

    /// Ask for the next keys, or give the answer.
    fn advance(&mut self) -> Step<Vec<Option<Bytes>>> {
        self.backoff.succeeded();
        let end = self.asked.keys.len().min(self.next + limits::BATCH_GET_KEYS);
        self.chunk = (self.next..end).collect();
        self.next = end;
        if self.chunk.is_empty() {
            Step::Done(
                self.asked
                    .places
                    .iter()
                    .map(|place| self.found[*place].clone())
                    .collect(),
            )
        } else {
            Step::Call(self.call())
        }
    }

    /// Ask once more for what is left of the chunk.
    fn retry(&mut self) -> Result<Step<Vec<Option<Bytes>>>> {
        match self.backoff.next_wait() {
            Some(wait) => Ok(Step::CallAfter(wait, self.call())),
            None => Err(self.incomplete()),
        }
    }

    /// What was not read: the keys of the request under way, and those that were not asked for yet.
    fn incomplete(&self) -> Error {
        let places = self.asked.places.iter().enumerate();
        let unread = places.filter(|(_, place)| self.chunk.contains(place) || **place >= self.next);
        Error::Incomplete(Incomplete {
            entries: unread.map(|(entry, _)| entry).collect(),
            given: self.asked.places.len(),
            attempts: self.backoff.attempts(),
            cause: None,
        })
    }

    fn call(&self) -> Call {
        let mut body = Body::open();
        let tables = body.name("RequestItems");
        tables.push(b'{');
        let table = member(tables, &self.asked.table);
        table.push(b'{');
        if self.asked.consistent {
            member(table, "ConsistentRead").extend_from_slice(b"true");
        }
        let keys = member(table, "Keys");
        keys.push(b'[');
        for place in &self.chunk {
            writer::push_separator(keys);
            keys.extend_from_slice(&self.asked.keys[*place]);
        }
        keys.extend_from_slice(b"]}}");
        Call {
            operation: OPERATION,
            body: body.finish(),
        }
    }

    /// Take the items out of a reply, and keep of the chunk what the reply leaves unprocessed.
    fn read(&mut self, body: &Bytes) -> reader::Result<()> {
        let asked = Arc::clone(&self.asked);
        let place_of = |reader: &mut Reader<'_>| {
            let identity = read_identity(reader, &asked.key_attributes)?;
            let place = identity.and_then(|identity| asked.by_identity.get(&identity).copied());
            place.ok_or_else(|| reader.error("the key of an item that was asked for"))
        };
        let mut unprocessed = Vec::new();
        let mut reader = Reader::new(body);
        reply::members(&mut reader, |name, reader| match name {
            "Responses" => reply::members(reader, |_, reader| {
                reply::elements(reader, |reader| {
                    let start = reader.position();
                    let place = place_of(reader)?;
                    self.found[place] = Some(body.slice(start..reader.position()));
                    Ok(())
                })
            }),
            "UnprocessedKeys" => reply::members(reader, |_, reader| {
                reply::members(reader, |name, reader| match name {
                    "Keys" => reply::elements(reader, |reader| {
                        unprocessed.push(place_of(reader)?);
                        Ok::<_, ReadError>(())
                    }),
                    _ => reader.skip_value(),
                })
            }),
            _ => reader.skip_value(),
        })?;
        self.chunk = unprocessed;
        Ok(())
    }
}

impl Operation for BatchGet {
    type Output = Vec<Option<Bytes>>;

    fn start(&mut self) -> Step<Self::Output> {
        self.advance()
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>> {
        self.read(&reply.body)
            .map_err(|error| reply::unreadable(OPERATION, &error))?;
        if self.chunk.is_empty() {
            Ok(self.advance())
        } else {
            self.retry()
        }
    }

    fn fail(&mut self, error: Error) -> Result<Step<Self::Output>> {
        if is_throttling(&error) {
            self.retry()
        } else {
            Err(error)
        }
    }
}
