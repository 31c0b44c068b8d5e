//! What one call took, over all its requests. Whoever carries a request adds to it, and whoever ends the call reads it.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::touch::{KeyAttributes, Touch, settle, touches};
use crate::error::Error;
use crate::ops::capacity::{self, Detail, Kind, Units};
use crate::transport::effort::Effort;
use crate::transport::{Call, Reply};

#[derive(Debug)]
pub struct Tally {
    asks: Option<Detail>,
    /// Where partitions are counted.
    keys: Option<Arc<KeyAttributes>>,
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
    /// What was asked of partitions, and the tries of that request which were refused as too many.
    pub touches: Vec<(Vec<Touch>, u32)>,
}

/// What a request has to be told when its answer comes.
#[derive(Debug, Default)]
pub struct Asked {
    /// Of which capacity the answer tells.
    kind: Option<Kind>,
    touches: Vec<Touch>,
}

impl Tally {
    /// `asks`: how closely each request is to be told what it consumes; `keys`: where partitions are to be counted.
    #[must_use]
    pub fn new(asks: Option<Detail>, keys: Option<Arc<KeyAttributes>>) -> Self {
        Self {
            asks,
            keys,
            started: Instant::now(),
            taken: Mutex::default(),
        }
    }

    /// What a request is to be told of, and how closely it is to ask what it consumes.
    #[must_use]
    pub fn asked(&self, call: &Call) -> (Asked, Option<Detail>) {
        let kind = self.asks.and_then(|_| Kind::of_call(call));
        let touches = self.keys.as_ref().map_or_else(Vec::new, |keys| touches(call, keys));
        (Asked { kind, touches }, self.asks.filter(|_| kind.is_some()))
    }

    pub fn sent(&self) {
        self.taken().requests += 1;
    }

    pub fn answered(&self, asked: Asked, answer: &Result<Reply, Error>) {
        let Asked { kind, mut touches } = asked;
        let told = match (answer, kind) {
            (Ok(reply), Some(kind)) => capacity::told(&reply.body).ok().flatten().map(|told| (kind, told)),
            _ => None,
        };
        if !touches.is_empty() {
            let of_tables = told
                .iter()
                .flat_map(|(_, told)| told)
                .filter(|units| units.index.is_none());
            let told = of_tables.map(|units| units.units).reduce(|sum, units| sum + units);
            match answer {
                Ok(reply) => settle(&mut touches, told, reply.body.len()),
                Err(error) if capacity::is_spent(error) => {}
                Err(_) => settle(&mut touches, Some(0.0), 0),
            }
        }
        let duration = self.started.elapsed();
        let mut taken = self.taken();
        let throttled_before = taken.effort.throttled;
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
        if !touches.is_empty() {
            let throttled = taken.effort.throttled - throttled_before;
            taken.touches.push((touches, throttled));
        }
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
