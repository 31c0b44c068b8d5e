//! Calls that run ahead of their caller: their outcomes wait here, in the order in which they came, until they are taken.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use tokio::task::AbortHandle;

use super::awaitable::{Awaitable, Wait};
use super::blocking::SIGNAL_TICK;
use super::core::Core;
use super::event_loop::{inbox, running};
use super::rate::{Gate, Terms};
use super::slice::Made;
use crate::error::Error;
use crate::ops::{Operation, Step};

/// Calls under way and outcomes that nobody has taken yet. Dropped, it drops both.
pub struct Feed<T: Send + 'static> {
    intake: Arc<Intake<T>>,
    tasks: Mutex<HashMap<usize, AbortHandle>>,
}

/// The side of tokio's threads.
struct Intake<T> {
    arrivals: Mutex<Arrivals<T>>,
    came: Condvar,
}

struct Arrivals<T> {
    outcomes: VecDeque<(usize, Result<T, Error>)>,
    /// How many there were so far: who waits names those that he knows of, and so misses none.
    total: u64,
    /// What tells those who await the next one.
    awaited: Vec<Box<dyn FnOnce() + Send>>,
}

/// What was there to be taken.
pub enum Taken<T> {
    /// The number of a call, and its outcome.
    Outcome(usize, Result<T, Error>),
    /// Nothing after so many arrivals.
    Nothing(u64),
}

impl<T: Send + 'static> Feed<T> {
    pub fn new() -> Self {
        Self {
            intake: Arc::new(Intake {
                arrivals: Mutex::new(Arrivals {
                    outcomes: VecDeque::new(),
                    total: 0,
                    awaited: Vec::new(),
                }),
                came: Condvar::new(),
            }),
            tasks: Mutex::default(),
        }
    }

    /// Start a call. One number has one call at a time.
    pub fn ask<O: Operation<Output = T>>(
        &self,
        py: Python<'_>,
        core: &Core,
        number: usize,
        mut operation: O,
        terms: Terms<'_>,
    ) {
        let intake = Arc::clone(&self.intake);
        let deliver = move |outcome| intake.leave(number, outcome);
        let connections = match core.connections() {
            Ok(connections) => connections,
            Err(error) => return deliver(Err(error)),
        };
        match operation.start() {
            Step::Done(output) => deliver(Ok(output)),
            step => {
                let deliver = move |outcome, _| deliver(outcome);
                let task = connections.launch(py, operation, step, Gate::of(py, terms), deliver);
                let _finished = self.tasks().insert(number, task);
            }
        }
    }

    pub fn take(&self) -> Taken<T> {
        let mut arrivals = self.intake.arrivals();
        match arrivals.outcomes.pop_front() {
            Some((number, outcome)) => Taken::Outcome(number, outcome),
            None => Taken::Nothing(arrivals.total),
        }
    }

    /// Block until more than `known` outcomes have come; the error is a signal's exception.
    pub fn wait(&self, py: Python<'_>, known: u64) -> PyResult<()> {
        loop {
            let came = py.detach(|| {
                let arrivals = self.intake.arrivals();
                let waited = self
                    .intake
                    .came
                    .wait_timeout_while(arrivals, SIGNAL_TICK, |arrivals| arrivals.total == known);
                !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
            });
            if came {
                return Ok(());
            }
            py.check_signals()?;
        }
    }

    /// As `wait`, awaited on the running loop; `finish` makes the awaited value there.
    pub fn arrival<F>(&self, py: Python<'_>, known: u64, finish: F) -> PyResult<Py<PyAny>>
    where
        F: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let event_loop = running(py)?;
        let wait = Wait::new(inbox(&event_loop)?, &event_loop)?;
        let deliver = wait.deliver();
        let mut arrivals = self.intake.arrivals();
        if arrivals.total == known {
            arrivals.awaited.push(Box::new(move || deliver((), 0)));
        } else {
            drop(arrivals);
            deliver((), 0);
        }
        Awaitable::waiting(py, wait, move |py, ()| finish(py).map(Made::Value))
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<usize, AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Drop for Feed<T> {
    fn drop(&mut self) {
        for (_, task) in self.tasks().drain() {
            task.abort();
        }
    }
}

impl<T> Intake<T> {
    fn leave(&self, number: usize, outcome: Result<T, Error>) {
        let mut arrivals = self.arrivals();
        arrivals.outcomes.push_back((number, outcome));
        arrivals.total += 1;
        let awaited = std::mem::take(&mut arrivals.awaited);
        drop(arrivals);
        self.came.notify_all();
        for tell in awaited {
            tell();
        }
    }

    fn arrivals(&self) -> MutexGuard<'_, Arrivals<T>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
