//! The requests of a batch: how many are under way at once, and what each of them still asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::NumberedCall;
use super::backoff::Backoff;
use crate::transport::Call;

/// Requests of one batch under way at once, unless the caller says otherwise.
pub const AT_ONCE: usize = 8;

/// The entries of a batch by requests, in the order in which these are sent.
#[derive(Debug, Clone)]
pub(super) struct Chunks {
    planned: Arc<[Vec<usize>]>,
    /// The first request that was not sent yet.
    next: usize,
    under_way: BTreeMap<usize, Chunk>,
    at_once: usize,
    backoff: Backoff,
}

/// One request, which is sent again with what its reply leaves unprocessed.
#[derive(Debug, Clone)]
struct Chunk {
    entries: Vec<usize>,
    backoff: Backoff,
}

/// What an answer leaves of a request.
pub(super) enum Left {
    Again(NumberedCall),
    /// So many attempts in a row did nothing that there is no further one.
    GivenUp {
        attempts: u32,
    },
}

impl Chunks {
    pub fn new(planned: Vec<Vec<usize>>) -> Self {
        Self {
            planned: planned.into(),
            next: 0,
            under_way: BTreeMap::new(),
            at_once: AT_ONCE,
            backoff: Backoff::default(),
        }
    }

    pub fn at_once(&mut self, requests: usize) {
        self.at_once = requests.max(1);
    }

    pub fn set_backoff(&mut self, backoff: Backoff) {
        self.backoff = backoff;
    }

    /// As many further requests as may be under way.
    pub fn send(&mut self, call: impl Fn(&[usize]) -> Call) -> Vec<NumberedCall> {
        let free = self.at_once - self.under_way.len();
        let numbers = self.next..self.planned.len().min(self.next + free);
        self.next = numbers.end;
        numbers
            .map(|number| {
                let chunk = Chunk {
                    entries: self.planned[number].clone(),
                    backoff: self.backoff.branch(),
                };
                let call = call(&chunk.entries);
                self.under_way.insert(number, chunk);
                NumberedCall {
                    number,
                    after: Duration::ZERO,
                    call,
                }
            })
            .collect()
    }

    pub fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// What the request of this number asks for.
    pub fn entries(&self, number: usize) -> &[usize] {
        self.under_way.get(&number).map_or(&[], |chunk| &chunk.entries)
    }

    /// A request has its answer.
    pub fn finish(&mut self, number: usize) -> Vec<usize> {
        self.under_way
            .remove(&number)
            .map_or_else(Vec::new, |chunk| chunk.entries)
    }

    /// The answer to a request left these entries undone.
    pub fn leave(&mut self, number: usize, left: Vec<usize>, call: impl Fn(&[usize]) -> Call) -> Left {
        let chunk = self
            .under_way
            .get_mut(&number)
            .expect("an answer is to a request under way");
        let wait = if left.len() < chunk.entries.len() {
            Some(chunk.backoff.wait_after_progress())
        } else {
            chunk.backoff.next_wait()
        };
        chunk.entries = left;
        match wait {
            Some(after) => Left::Again(NumberedCall {
                number,
                after,
                call: call(&chunk.entries),
            }),
            None => Left::GivenUp {
                attempts: chunk.backoff.attempts(),
            },
        }
    }

    /// What is not done: the requests under way, and those that were not sent.
    pub fn undone(&self) -> impl Iterator<Item = usize> {
        let under_way = self.under_way.values().flat_map(|chunk| &chunk.entries);
        under_way.chain(self.planned[self.next..].iter().flatten()).copied()
    }
}
