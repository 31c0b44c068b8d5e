//! What every request passes on its way: rate limits on the clock, where it waits in line before it is sent and its reply
//! settles what it consumed, and the tally of its call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::process::PerProcess;
use crate::error::Error;
use crate::ops::capacity::{Detail, asking};
use crate::ops::rate::{Consumed, Limiter, Ticket};
use crate::telemetry::tally::{Asked, Tally};
use crate::transport::{Call, Reply, Transport};

/// A limit on capacity units per second, for any number of tables, clients, threads and loops. A forked child has the
/// same rates, but units of its own: it cannot see what its parent consumes.
pub struct RateLimit {
    read: Option<f64>,
    write: Option<f64>,
    clock: Arc<Clock>,
    limiter: PerProcess<Arc<Limiter>>,
}

impl RateLimit {
    pub fn new(read: Option<f64>, write: Option<f64>, clock: Clock) -> Self {
        Self {
            read,
            write,
            clock: Arc::new(clock),
            limiter: PerProcess::new(),
        }
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    fn limiter(&self, _py: Python<'_>) -> Arc<Limiter> {
        self.limiter.with(
            || Arc::new(Limiter::new(self.read, self.write)),
            |limiter| Arc::clone(limiter),
        )
    }
}

/// What tells the time and lets it pass.
pub enum Clock {
    Running(Instant),
    /// For tests: it stands until somebody waits, and then is there at once. The waits are kept.
    Told(Mutex<Vec<Duration>>),
}

impl Clock {
    pub fn running() -> Self {
        Self::Running(Instant::now())
    }

    pub fn told() -> Self {
        Self::Told(Mutex::default())
    }

    /// What was waited for on a clock that is told.
    pub fn waits(&self) -> Vec<Duration> {
        match self {
            Self::Running(_) => Vec::new(),
            Self::Told(waits) => waits.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn now(&self) -> Duration {
        match self {
            Self::Running(start) => start.elapsed(),
            Self::Told(_) => self.waits().iter().sum(),
        }
    }

    /// What is left to wait.
    fn let_pass(&self, wait: Duration) -> Option<Duration> {
        match self {
            Self::Running(_) => Some(wait),
            Self::Told(waits) => {
                waits.lock().unwrap_or_else(PoisonError::into_inner).push(wait);
                None
            }
        }
    }
}

/// The rate limits of an operation, each with the table it is set for.
pub struct Limits {
    of_tables: Vec<(Arc<str>, Arc<RateLimit>)>,
    /// All that the operation consumes is of one table.
    is_one_table: bool,
}

impl Limits {
    pub fn of_table(table: Arc<str>, limit: Arc<RateLimit>) -> Self {
        Self {
            of_tables: vec![(table, limit)],
            is_one_table: true,
        }
    }

    /// Those of an operation on several tables, some of which have limits.
    pub fn of_several<'a>(limits: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let of_tables: Vec<_> = limits.into_iter().flat_map(|limits| limits.of_tables.clone()).collect();
        (!of_tables.is_empty()).then_some(Self {
            of_tables,
            is_one_table: false,
        })
    }

    /// Where this process counts.
    fn gate(&self, py: Python<'_>) -> Gate {
        let mut lines: Vec<Line> = Vec::with_capacity(self.of_tables.len());
        for (table, limit) in &self.of_tables {
            let limiter = limit.limiter(py);
            match lines.iter_mut().find(|line| Arc::ptr_eq(&line.limiter, &limiter)) {
                Some(line) => line.tables.push(Arc::clone(table)),
                None => lines.push(Line {
                    limiter,
                    clock: Arc::clone(&limit.clock),
                    tables: vec![Arc::clone(table)],
                }),
            }
        }
        Gate {
            lines,
            is_one_table: self.is_one_table,
            tally: None,
        }
    }
}

/// What an operation's requests are subject to.
#[derive(Clone, Copy, Default)]
pub struct Terms<'a> {
    pub limits: Option<&'a Limits>,
    /// Where they are added up.
    pub tally: Option<&'a Arc<Tally>>,
}

/// What the requests of an operation have to pass; without lines they just go.
#[derive(Default)]
pub struct Gate {
    lines: Vec<Line>,
    is_one_table: bool,
    tally: Option<Arc<Tally>>,
}

/// One limiter, and the operation's tables that it counts for.
struct Line {
    limiter: Arc<Limiter>,
    clock: Arc<Clock>,
    tables: Vec<Arc<str>>,
}

impl Gate {
    pub fn of(py: Python<'_>, terms: Terms<'_>) -> Self {
        let gate = terms.limits.map_or_else(Self::default, |limits| limits.gate(py));
        Self {
            tally: terms.tally.map(Arc::clone),
            ..gate
        }
    }

    /// The call as it is sent, and its way: wait there, then send it, then tell the answer.
    pub fn enter(&self, call: Call) -> (Call, Passage<'_>) {
        let mut tickets = Vec::new();
        for line in &self.lines {
            tickets.extend(line.limiter.join(call.operation).map(|ticket| (line, ticket)));
        }
        let (asked, detail) = match self.tally() {
            Some(tally) => {
                let (asked, detail) = tally.asked(&call);
                (Some(asked), detail)
            }
            None => (None, None),
        };
        let call = match detail {
            Some(detail) => asking(&call, detail),
            None if tickets.is_empty() => call,
            None => asking(&call, Detail::Total),
        };
        let passage = Passage {
            gate: self,
            tickets,
            asked,
        };
        (call, passage)
    }

    /// What is compiled out is never asked for, whatever it holds.
    fn tally(&self) -> Option<&Tally> {
        if cfg!(feature = "without-telemetry") {
            return None;
        }
        self.tally.as_deref()
    }

    /// The call as it is sent.
    pub fn shown(&self, call: Call) -> Call {
        if self.lines.iter().any(|line| line.limiter.holds(call.operation)) {
            asking(&call, Detail::Total)
        } else {
            call
        }
    }
}

/// One call's way through a gate. Dropped, it gives up its place.
pub struct Passage<'a> {
    gate: &'a Gate,
    tickets: Vec<(&'a Line, Ticket)>,
    /// What the tally is to be told with the answer.
    asked: Option<Asked>,
}

impl Passage<'_> {
    /// How long to wait before asking again; `None`, once: go.
    pub fn wait(&mut self) -> Option<Duration> {
        for (line, ticket) in &mut self.tickets {
            while let Some(wait) = ticket.wait(line.clock.now()) {
                if let Some(left) = line.clock.let_pass(wait) {
                    return Some(left);
                }
            }
        }
        if let Some(tally) = self.gate.tally() {
            tally.sent();
        }
        None
    }

    /// Settle the account by the answer, which is given back.
    pub fn through(self, answer: Result<Reply, Error>) -> Result<Reply, Error> {
        if let (Some(tally), Some(asked)) = (self.gate.tally(), self.asked) {
            tally.answered(asked, &answer);
        }
        if !self.tickets.is_empty() {
            let consumed = Consumed::of(&answer);
            // Then all that was consumed is that table's, whatever the service calls it.
            let is_alone = self.gate.is_one_table;
            for (line, ticket) in self.tickets {
                consumed.settle(ticket, |table| {
                    is_alone || line.tables.iter().any(|known| **known == *table)
                });
            }
        }
        answer
    }
}

/// A transport behind a gate, and what came through it.
pub struct Gated<'a, T> {
    transport: &'a T,
    gate: Gate,
    bytes_received: AtomicUsize,
}

impl<'a, T> Gated<'a, T> {
    pub fn new(transport: &'a T, gate: Gate) -> Self {
        Self {
            transport,
            gate,
            bytes_received: AtomicUsize::new(0),
        }
    }

    /// In the bodies of all replies so far.
    pub fn bytes_received(&self) -> usize {
        self.bytes_received.load(Ordering::Relaxed)
    }
}

impl<T: Transport> Transport for Gated<'_, T> {
    async fn call(&self, call: Call) -> Result<Reply, Error> {
        let (call, mut passage) = self.gate.enter(call);
        while let Some(wait) = passage.wait() {
            tokio::time::sleep(wait).await;
        }
        let answer = self.transport.call(call).await;
        if let Ok(reply) = &answer {
            self.bytes_received.fetch_add(reply.body.len(), Ordering::Relaxed);
        }
        passage.through(answer)
    }
}
