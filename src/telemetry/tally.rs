//! What one call took, over all its requests. Whoever carries a request adds to it, and whoever ends the call reads it.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::ops::capacity::{self, Detail, Kind, Units};
use crate::transport::effort::Effort;
use crate::transport::{Call, Reply};

#[derive(Debug)]
pub struct Tally {
    asks: Option<Detail>,
    started: Instant,
    taken: Mutex<Taken>,
}

/// What was taken so far.
#[derive(Debug, Default)]
pub struct Taken {
    /// Requests, of which each may be tried several times.
    pub requests: u32,
    pub effort: Effort,
    pub capacity: Vec<(Kind, Units)>,
    /// By which AWS finds the requests, in the order of the answers.
    pub request_ids: Vec<String>,
    /// The error code of the last answer.
    pub code: Option<String>,
    /// From the start to the last answer.
    pub duration: Duration,
}

impl Tally {
    /// `asks`: how closely each request is to be told what it consumes.
    #[must_use]
    pub fn new(asks: Option<Detail>) -> Self {
        Self {
            asks,
            started: Instant::now(),
            taken: Mutex::default(),
        }
    }

    /// What the call would consume, if that is to be told.
    #[must_use]
    pub fn asks_of(&self, call: &Call) -> Option<(Kind, Detail)> {
        let detail = self.asks?;
        Kind::of_call(call).map(|kind| (kind, detail))
    }

    pub fn sent(&self) {
        self.taken().requests += 1;
    }

    /// `kind` is of what the answer may tell to be consumed.
    pub fn answered(&self, answer: &Result<Reply, Error>, kind: Option<Kind>) {
        let told = match (answer, kind) {
            (Ok(reply), Some(kind)) => capacity::told(&reply.body).ok().flatten().map(|told| (kind, told)),
            _ => None,
        };
        let duration = self.started.elapsed();
        let mut taken = self.taken();
        taken.duration = duration;
        taken.code = None;
        let id = match answer {
            Ok(reply) => {
                taken.effort += reply.effort;
                &reply.request_id
            }
            Err(Error::Service(error)) => {
                taken.effort += error.effort;
                taken.code = Some(error.code.clone());
                &error.request_id
            }
            Err(Error::Transport(error)) => {
                taken.effort += error.effort;
                &None
            }
            Err(_) => &None,
        };
        taken.request_ids.extend(id.clone());
        if let Some((kind, told)) = told {
            for units in told {
                taken.consume(kind, units);
            }
        }
    }

    /// What the call took, which is over. `is_broken_off`: it has an answer still to come.
    pub fn close(&self, is_broken_off: bool) -> Taken {
        let mut taken = mem::take(&mut *self.taken());
        if is_broken_off || taken.requests == 0 {
            taken.duration = self.started.elapsed();
        }
        taken
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// The units of tables, each with all its indexes; `None` where nothing was told.
    #[must_use]
    pub fn units(&self, kind: Kind) -> Option<f64> {
        let of_tables = self
            .capacity
            .iter()
            .filter(|(known, units)| *known == kind && units.index.is_none());
        of_tables.map(|(_, units)| units.units).reduce(|sum, units| sum + units)
    }

    fn consume(&mut self, kind: Kind, new: Units) {
        let known = self
            .capacity
            .iter_mut()
            .find(|(known, units)| *known == kind && units.table == new.table && units.index == new.index);
        match known {
            Some((_, units)) => units.units += new.units,
            None => self.capacity.push((kind, new)),
        }
    }
}
