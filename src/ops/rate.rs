//! Rate limits: token buckets in capacity units, and what replies say was consumed. No clock: moments are told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::capacity::{self, Kind};
use crate::error::Result;
use crate::transport::Reply;

/// The longest a call sleeps before it looks again: one that stood ahead may have been cancelled meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// What a call is taken to consume before one of its kind was seen.
const UNKNOWN: f64 = 1.0;
/// The weight of the latest call in what the next one is taken to consume.
const LATEST: f64 = 0.25;
/// Balances are sums of fractions, so that a debt below this is none.
const ROUNDING: f64 = 1e-9;

/// Read and write units per second.
#[derive(Debug)]
pub struct Limiter {
    read: Option<Mutex<Bucket>>,
    write: Option<Mutex<Bucket>>,
}

impl Limiter {
    /// The rates are positive; `None` is no limit. Both buckets are full: they hold what a second brings.
    #[must_use]
    pub fn new(read: Option<f64>, write: Option<f64>) -> Self {
        let bucket = |rate| Mutex::new(Bucket::new(rate));
        Self {
            read: read.map(bucket),
            write: write.map(bucket),
        }
    }

    /// Whether the operation's calls have to wait here.
    #[must_use]
    pub fn holds(&self, operation: &str) -> bool {
        Kind::of(operation).is_some_and(|kind| self.bucket(kind).is_some())
    }

    /// Stand in the line for the operation's next call; `None` where it is not limited.
    pub fn join(self: &Arc<Self>, operation: &'static str) -> Option<Ticket> {
        let kind = Kind::of(operation)?;
        let (number, reserved) = lock(self.bucket(kind)?).join(operation);
        Some(Ticket {
            limiter: Arc::clone(self),
            kind,
            operation,
            number,
            reserved,
            is_waiting: true,
        })
    }

    fn bucket(&self, kind: Kind) -> Option<&Mutex<Bucket>> {
        match kind {
            Kind::Read => self.read.as_ref(),
            Kind::Write => self.write.as_ref(),
        }
    }
}

fn lock(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One call's place in the line, and after that its share of the balance. Dropped while it waits, it leaves the line;
/// dropped after it went, it has consumed what was expected of it.
#[derive(Debug)]
pub struct Ticket {
    limiter: Arc<Limiter>,
    kind: Kind,
    operation: &'static str,
    number: u64,
    reserved: f64,
    is_waiting: bool,
}

impl Ticket {
    /// How long the call must wait before it asks again; `None`: it goes now.
    pub fn wait(&mut self, now: Duration) -> Option<Duration> {
        if !self.is_waiting {
            return None;
        }
        let wait = self.bucket().admit(self.number, now);
        self.is_waiting = wait.is_some();
        wait
    }

    /// The call consumed this much.
    pub fn consumed(self, units: f64) {
        let (operation, reserved) = (self.operation, self.reserved);
        let mut bucket = self.bucket();
        bucket.balance += reserved - units;
        bucket.learn(operation, units);
    }

    /// The call consumed nothing.
    pub fn give_back(self) {
        self.bucket().balance += self.reserved;
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        lock(self.limiter.bucket(self.kind).expect("a ticket is of a bucket"))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.is_waiting {
            let number = self.number;
            self.bucket().line.retain(|(waiting, _)| *waiting != number);
        }
    }
}

/// Units that come at a rate and are kept for a second. What a call consumes is known only after it, so that the balance
/// may go below zero; then nobody goes until it is back.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    /// Without the units that calls under way are expected to consume.
    balance: f64,
    counted_at: Duration,
    /// Who waits, in the order they came: a number, and the units that are expected.
    line: VecDeque<(u64, f64)>,
    next_number: u64,
    /// What a call of each operation consumed lately.
    learnt: Vec<(&'static str, f64)>,
}

impl Bucket {
    fn new(rate: f64) -> Self {
        Self {
            rate,
            balance: rate,
            counted_at: Duration::ZERO,
            line: VecDeque::new(),
            next_number: 0,
            learnt: Vec::new(),
        }
    }

    fn join(&mut self, operation: &str) -> (u64, f64) {
        let learnt = self.learnt.iter().find(|(known, _)| *known == operation);
        let expected = learnt.map_or(UNKNOWN, |(_, units)| *units);
        let number = self.next_number;
        self.next_number += 1;
        self.line.push_back((number, expected));
        (number, expected)
    }

    /// Let this one go, or say how long until it may. Whoever stands ahead has units coming to him, but need not have
    /// gone: a caller that sleeps too long holds nobody up.
    fn admit(&mut self, number: u64, now: Duration) -> Option<Duration> {
        let passed = now.saturating_sub(self.counted_at).as_secs_f64();
        self.counted_at = self.counted_at.max(now);
        let mut ahead = 0.0;
        let mut place = 0;
        while let Some((waiting, expected)) = self.line.get(place)
            && *waiting != number
        {
            ahead += expected;
            place += 1;
        }
        // What those ahead have coming is kept for them.
        self.balance = (self.balance + passed * self.rate).min(self.rate + ahead);
        let left = self.balance - ahead;
        if left > -ROUNDING {
            if let Some((_, expected)) = self.line.remove(place) {
                self.balance -= expected;
            }
            return None;
        }
        let wait = Duration::try_from_secs_f64(-left / self.rate).unwrap_or(LOOK_AGAIN);
        // Rounded up, or the last look would come a moment too soon.
        Some((wait + Duration::from_nanos(1)).min(LOOK_AGAIN))
    }

    fn learn(&mut self, operation: &'static str, units: f64) {
        match self.learnt.iter_mut().find(|(known, _)| *known == operation) {
            Some((_, learnt)) => *learnt += LATEST * (units - *learnt),
            None => self.learnt.push((operation, units)),
        }
    }
}

/// A table's name, and what was consumed of it.
pub type TableUnits = (Box<str>, f64);

/// What a call consumed, as far as its answer tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Consumed {
    Units(Vec<TableUnits>),
    Nothing,
    /// Something that is not told.
    Untold,
}

impl Consumed {
    #[must_use]
    pub fn of(answer: &Result<Reply>) -> Self {
        match answer {
            Ok(reply) => capacity::told(&reply.body).ok().flatten().map_or(Self::Untold, |told| {
                let tables = told.into_iter().filter(|units| units.index.is_none());
                Self::Units(tables.map(|table| (table.table, table.units)).collect())
            }),
            Err(error) if capacity::is_spent(error) => Self::Untold,
            Err(_) => Self::Nothing,
        }
    }

    /// Close the account of a call on these tables.
    pub fn settle(&self, ticket: Ticket, is_one_of: impl Fn(&str) -> bool) {
        match self {
            Self::Units(told) => {
                let mut units = told
                    .iter()
                    .filter(|(table, _)| is_one_of(table))
                    .map(|(_, units)| units)
                    .peekable();
                if units.peek().is_some() {
                    ticket.consumed(units.sum());
                } else {
                    ticket.give_back();
                }
            }
            Self::Nothing => ticket.give_back(),
            Self::Untold => drop(ticket),
        }
    }
}
