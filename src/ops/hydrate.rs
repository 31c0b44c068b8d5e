//! Whole items through an index that holds only a part of each: what a Query or Scan of it finds is read from the table
//! by BatchGetItem, before the operation that asked sees the reply.

use std::sync::Arc;

use bytes::Bytes;

use super::batch_get::BatchGet;
use super::body::member;
use super::key::read_identity;
use super::{Operation, Step, reply};
use crate::error::{Error, Incomplete, Result, ServiceError};
use crate::transport::Reply;
use crate::transport::effort::Effort;
use crate::wire::reader::{self, Reader};
use crate::wire::writer;

/// Where whole items are read.
#[derive(Debug)]
pub struct Hydration {
    pub table: Arc<str>,
    /// The key attributes of the table, by which items are read,
    pub key: Vec<Arc<str>>,
    /// and those of the index, by which an item is told that has moved there in the meantime.
    pub index_key: Vec<Arc<str>>,
    pub consistent: bool,
}

/// An operation that reads pages, and gets whole items in their place: in the order of the index, without those that were
/// deleted since the index was read, or are elsewhere in it now.
#[derive(Debug, Clone)]
pub struct Hydrated<O> {
    pages: O,
    hydration: Arc<Hydration>,
    reading: Option<Reading>,
}

/// A page of the index whose items are being read.
#[derive(Debug, Clone)]
struct Reading {
    entries: Entries,
    items: BatchGet,
}

impl<O> Hydrated<O> {
    #[must_use]
    pub fn new(pages: O, hydration: Arc<Hydration>) -> Self {
        Self {
            pages,
            hydration,
            reading: None,
        }
    }
}

impl<O: Operation> Hydrated<O> {
    /// Begin to read the items of a page of the index.
    fn read(&mut self, reply: Reply) -> Result<Step<O::Output>> {
        let entries = Entries::read(reply, &self.hydration)?;
        if entries.keys.is_empty() {
            return self.pages.step(entries.reply);
        }
        let Hydration {
            table, key, consistent, ..
        } = &*self.hydration;
        let mut items = BatchGet::new(table, key, entries.keys.clone(), *consistent)?;
        let step = items.start();
        self.go_on(Reading { entries, items }, step)
    }

    /// Go on reading items, or hand the page over when they are all there.
    fn go_on(&mut self, reading: Reading, step: Step<Vec<Option<Bytes>>>) -> Result<Step<O::Output>> {
        Ok(match step {
            Step::Done(items) => return self.pages.step(reading.entries.filled(&items, &self.hydration)?),
            Step::Call(call) => self.wait(reading, Step::Call(call)),
            Step::CallAfter(delay, call) => self.wait(reading, Step::CallAfter(delay, call)),
            Step::Calls(calls) => self.wait(reading, Step::Calls(calls)),
        })
    }

    fn wait(&mut self, reading: Reading, step: Step<O::Output>) -> Step<O::Output> {
        self.reading = Some(reading);
        step
    }
}

impl<O: Operation> Operation for Hydrated<O> {
    type Output = O::Output;

    fn start(&mut self) -> Step<O::Output> {
        self.pages.start()
    }

    fn step(&mut self, reply: Reply) -> Result<Step<O::Output>> {
        self.answer(0, Ok(reply))
    }

    fn fail(&mut self, error: Error) -> Result<Step<O::Output>> {
        self.answer(0, Err(error))
    }

    fn answer(&mut self, number: usize, answer: Result<Reply>) -> Result<Step<O::Output>> {
        match (self.reading.take(), answer) {
            (Some(mut reading), answer) => {
                let step = reading.items.answer(number, answer).map_err(unread)?;
                self.go_on(reading, step)
            }
            (None, Ok(reply)) => self.read(reply),
            (None, Err(error)) => self.pages.fail(error),
        }
    }
}

/// The batch is none of the caller's, who asked for a page: what kept it from being read is told.
fn unread(error: Error) -> Error {
    match error {
        Error::Incomplete(Incomplete { entries, given, .. }) => Error::Service(ServiceError {
            code: "ProvisionedThroughputExceededException".to_owned(),
            message: format!(
                "BatchGetItem left {} of the page's {given} items unprocessed",
                entries.len()
            ),
            status: 200,
            request_id: None,
            body: Bytes::new(),
            in_doubt: false,
            effort: Effort::default(),
        }),
        other => other,
    }
}

/// A page of an index.
#[derive(Debug, Clone)]
struct Entries {
    reply: Reply,
    /// What stands beside the items, LastEvaluatedKey and the like: members to follow others.
    others: Vec<u8>,
    /// Of each item the table's key,
    keys: Vec<Bytes>,
    /// and its place in the index.
    places: Vec<Option<Vec<u8>>>,
}

impl Entries {
    fn read(reply: Reply, hydration: &Hydration) -> Result<Self> {
        let body = reply.body.clone();
        let mut entries = Self {
            reply,
            others: Vec::new(),
            keys: Vec::new(),
            places: Vec::new(),
        };
        let read = reply::members(&mut Reader::new(&body), |name, reader| {
            if name == "Items" {
                return if reader.try_null() {
                    Ok(())
                } else {
                    reply::elements(reader, |reader| entries.take(reader, hydration))
                };
            }
            let value = reader.raw_value()?;
            // The number of items is another when some are left out.
            if name != "Count" {
                member(&mut entries.others, name).extend_from_slice(&body[value]);
            }
            Ok(())
        });
        read.map_err(|error| reply::unreadable("Query", &error))?;
        Ok(entries)
    }

    fn take(&mut self, reader: &mut Reader<'_>, hydration: &Hydration) -> reader::Result<()> {
        let start = reader.position();
        self.places.push(read_identity(reader, &hydration.index_key)?);
        reader.seek(start);
        let mut key = vec![b'{'];
        let bytes = reader.bytes();
        reply::members(reader, |name, reader| {
            let value = reader.raw_value()?;
            if hydration.key.iter().any(|known| **known == *name) {
                member(&mut key, name).extend_from_slice(&bytes[value]);
            }
            Ok(())
        })?;
        key.push(b'}');
        self.keys.push(key.into());
        Ok(())
    }

    /// The page with whole items, as if the index held them.
    fn filled(self, items: &[Option<Bytes>], hydration: &Hydration) -> Result<Reply> {
        let mut body = b"{\"Items\":[".to_vec();
        let mut count = 0;
        for (item, place) in items.iter().zip(&self.places) {
            let Some(item) = item else { continue };
            let now = read_identity(&mut Reader::new(item), &hydration.index_key);
            if now.map_err(|error| reply::unreadable("BatchGetItem", &error))? == *place {
                writer::push_separator(&mut body);
                body.extend_from_slice(item);
                count += 1;
            }
        }
        body.push(b']');
        writer::push_integer(member(&mut body, "Count"), count);
        if !self.others.is_empty() {
            writer::push_separator(&mut body);
            body.extend_from_slice(&self.others);
        }
        body.push(b'}');
        Ok(Reply {
            body: body.into(),
            ..self.reply
        })
    }
}
