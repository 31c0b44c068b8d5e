//! Where tokio's threads leave results for an event loop. Knows no Python, for tokio's threads must not.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use super::bell::Bell;

/// A finished call: whose it is, its `Result<O::Output, Error>`, and how many bytes of replies stand behind it.
pub struct Parcel {
    pub id: u64,
    pub outcome: Outcome,
    pub bytes: usize,
}

pub type Outcome = Box<dyn Any + Send>;

/// One event loop's results, in the order they came.
pub struct Mailbox {
    parcels: Mutex<Vec<Parcel>>,
    bell: Bell,
}

impl Mailbox {
    pub fn new(bell: Bell) -> Self {
        Self {
            parcels: Mutex::default(),
            bell,
        }
    }

    /// Leave a result. Only the first since the last [`collect`](Self::collect) rings: one wake serves many.
    pub fn leave(&self, parcel: Parcel) {
        let mut parcels = self.parcels.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = parcels.is_empty();
        parcels.push(parcel);
        drop(parcels);
        if is_first {
            self.bell.ring();
        }
    }

    pub fn collect(&self) -> Vec<Parcel> {
        // Silenced first: what comes after the taking finds the box empty and rings anew.
        self.bell.silence();
        std::mem::take(&mut self.parcels.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(unix)]
    pub fn bell(&self) -> &Bell {
        &self.bell
    }
}
