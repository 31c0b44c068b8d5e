//! BatchGetItem, for any number of keys of any number of tables.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::backoff::Backoff;
use super::body::{Body, member};
use super::chunks::{Chunks, Left};
use super::key::{KeyedTable, identity, read_identity};
use super::{Operation, Step, is_throttling, reply};
use crate::error::{Error, Incomplete, Result};
use crate::expr::ast::Path;
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
    chunks: Chunks,
}

/// One way of reading one table. A request has one of them for each table.
#[derive(Debug, Clone)]
pub struct Source {
    pub table: KeyedTable,
    pub consistent: bool,
    /// The members of a projection as a request has them, each behind a comma; empty for whole items. It holds the key.
    pub projection: Bytes,
}

#[derive(Debug)]
struct Asked {
    sources: Vec<Source>,
    keys: Vec<Key>,
    /// By source and identity.
    by_identity: HashMap<(usize, Vec<u8>), usize>,
    /// For each key as it was given, the distinct one.
    places: Vec<usize>,
}

#[derive(Debug)]
struct Key {
    source: usize,
    wire: Bytes,
}

impl BatchGet {
    /// Keys of one table; `key_attributes` are that table's.
    pub fn new(table: &str, key_attributes: &[Arc<str>], keys: Vec<Bytes>, consistent: bool) -> Result<Self> {
        Self::selecting(table, key_attributes, keys, &[], consistent)
    }

    /// Of each item a `selection` is read, which holds the key; all of it where that is empty.
    pub fn selecting(
        table: &str,
        key_attributes: &[Arc<str>],
        keys: Vec<Bytes>,
        selection: &[Path],
        consistent: bool,
    ) -> Result<Self> {
        let source = Source {
            table: KeyedTable::new(table, key_attributes),
            consistent,
            projection: Body::projection_members(selection)?,
        };
        Self::of_tables(vec![source], keys.into_iter().map(|key| (0, key)))
    }

    /// Keys of several tables, each with the place of its source.
    pub fn of_tables(sources: Vec<Source>, keys: impl IntoIterator<Item = (usize, Bytes)>) -> Result<Self> {
        let mut asked = Asked {
            sources,
            keys: Vec::new(),
            by_identity: HashMap::new(),
            places: Vec::new(),
        };
        for (source, wire) in keys {
            let next = asked.keys.len();
            let identity = identity(&wire, &asked.sources[source].table.key_attributes)?;
            let place = *asked.by_identity.entry((source, identity)).or_insert(next);
            if place == next {
                asked.keys.push(Key { source, wire });
            }
            asked.places.push(place);
        }
        Ok(Self {
            found: vec![None; asked.keys.len()],
            chunks: Chunks::new(asked.plan()),
            asked: Arc::new(asked),
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

    /// Ask for further keys, or give the answer.
    fn advance(&mut self) -> Step<Vec<Option<Bytes>>> {
        let asked = Arc::clone(&self.asked);
        let calls = self.chunks.send(|places| asked.call(places));
        if calls.is_empty() && self.chunks.is_idle() {
            let places = asked.places.iter();
            return Step::Done(places.map(|place| self.found[*place].clone()).collect());
        }
        Step::Calls(calls)
    }

    /// Ask once more for what is left of a request.
    fn retry(&mut self, number: usize, left: Vec<usize>) -> Result<Step<Vec<Option<Bytes>>>> {
        let asked = Arc::clone(&self.asked);
        match self.chunks.leave(number, left, |places| asked.call(places)) {
            Left::Again(call) => Ok(Step::Calls(vec![call])),
            Left::GivenUp { attempts } => Err(self.incomplete(attempts)),
        }
    }

    /// What was not read: of the requests under way, and of those that were not sent.
    fn incomplete(&self, attempts: u32) -> Error {
        let mut is_unread = vec![false; self.asked.keys.len()];
        for place in self.chunks.undone() {
            is_unread[place] = true;
        }
        let places = self.asked.places.iter().enumerate();
        let unread = places.filter(|(_, place)| is_unread[**place]);
        Error::Incomplete(Incomplete {
            entries: unread.map(|(entry, _)| entry).collect(),
            given: self.asked.places.len(),
            attempts,
            causes: Vec::new(),
        })
    }

    /// Take the items out of a reply; what is given back are the keys that it leaves unprocessed.
    fn read(&mut self, number: usize, body: &Bytes) -> reader::Result<Vec<usize>> {
        let asked = Arc::clone(&self.asked);
        let mut sources: Vec<usize> = Vec::new();
        for place in self.chunks.entries(number) {
            let source = asked.keys[*place].source;
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        let source_of = |table: &str, reader: &mut Reader<'_>| {
            let source = sources
                .iter()
                .copied()
                .find(|source| *asked.sources[*source].table.name == *table);
            source.ok_or_else(|| reader.error("a table that was asked for"))
        };
        let place_of = |source: usize, reader: &mut Reader<'_>| {
            let identity = read_identity(reader, &asked.sources[source].table.key_attributes)?;
            let place = identity.and_then(|identity| asked.by_identity.get(&(source, identity)).copied());
            place.ok_or_else(|| reader.error("the key of an item that was asked for"))
        };
        let mut unprocessed = Vec::new();
        let mut reader = Reader::new(body);
        reply::members(&mut reader, |name, reader| match name {
            "Responses" => reply::members(reader, |table, reader| {
                let source = source_of(table, reader)?;
                reply::elements(reader, |reader| {
                    let start = reader.position();
                    let place = place_of(source, reader)?;
                    self.found[place] = Some(body.slice(start..reader.position()));
                    Ok(())
                })
            }),
            "UnprocessedKeys" => reply::members(reader, |table, reader| {
                let source = source_of(table, reader)?;
                reply::members(reader, |name, reader| match name {
                    "Keys" => reply::elements(reader, |reader| {
                        unprocessed.push(place_of(source, reader)?);
                        Ok::<_, ReadError>(())
                    }),
                    _ => reader.skip_value(),
                })
            }),
            _ => reader.skip_value(),
        })?;
        Ok(unprocessed)
    }
}

impl Asked {
    /// The distinct keys by requests. A request reads a table in one way only, so those of a table's second way go
    /// together with those of the others'.
    fn plan(&self) -> Vec<Vec<usize>> {
        let ways: Vec<usize> = (0..self.sources.len())
            .map(|place| {
                let table = &self.sources[place].table.name;
                self.sources[..place]
                    .iter()
                    .filter(|other| other.table.name == *table)
                    .count()
            })
            .collect();
        let mut by_way = vec![Vec::new(); ways.iter().max().map_or(0, |most| most + 1)];
        for (place, key) in self.keys.iter().enumerate() {
            by_way[ways[key.source]].push(place);
        }
        let chunks = by_way.iter().flat_map(|places| places.chunks(limits::BATCH_GET_KEYS));
        chunks
            .map(|places| {
                let mut places = places.to_vec();
                places.sort_by_key(|place| self.keys[*place].source);
                places
            })
            .collect()
    }

    /// The request for these keys, of which those of one source stand together.
    fn call(&self, places: &[usize]) -> Call {
        let mut body = Body::open();
        body.reserve(
            places
                .iter()
                .map(|place| self.keys[*place].wire.len() + 1)
                .sum::<usize>()
                + 128,
        );
        let tables = body.name("RequestItems");
        tables.push(b'{');
        for keys_of_source in places.chunk_by(|a, b| self.keys[*a].source == self.keys[*b].source) {
            let source = &self.sources[self.keys[keys_of_source[0]].source];
            let table = member(tables, &source.table.name);
            table.push(b'{');
            if source.consistent {
                member(table, "ConsistentRead").extend_from_slice(b"true");
            }
            let keys = member(table, "Keys");
            keys.push(b'[');
            for place in keys_of_source {
                writer::push_separator(keys);
                keys.extend_from_slice(&self.keys[*place].wire);
            }
            keys.push(b']');
            keys.extend_from_slice(&source.projection);
            keys.push(b'}');
        }
        tables.push(b'}');
        Call {
            operation: OPERATION,
            body: body.finish(),
        }
    }
}

impl Operation for BatchGet {
    type Output = Vec<Option<Bytes>>;

    fn start(&mut self) -> Step<Self::Output> {
        self.advance()
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>> {
        self.answer(0, Ok(reply))
    }

    fn answer(&mut self, number: usize, answer: Result<Reply>) -> Result<Step<Self::Output>> {
        let left = match answer {
            Ok(reply) => self
                .read(number, &reply.body)
                .map_err(|error| reply::unreadable(OPERATION, &error))?,
            Err(error) if is_throttling(&error) => self.chunks.entries(number).to_vec(),
            Err(error) => return Err(error),
        };
        if left.is_empty() {
            self.chunks.finish(number);
            Ok(self.advance())
        } else {
            self.retry(number, left)
        }
    }
}
