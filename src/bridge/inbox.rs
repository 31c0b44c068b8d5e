//! One event loop's inbox: who waits there for which outcome, and how many are woken in one turn of the loop.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::mailbox::{Mailbox, Outcome, Parcel};
use super::slice::SLICE_BYTES;

/// What an outcome weighs at least: whoever is woken does something with it.
const LEAST_WEIGHT: usize = SLICE_BYTES / 128;

/// What the loop calls when the bell rings.
///
/// Outcomes are not decoded here but by the tasks that wait for them, in their own contexts. In one turn of the loop only
/// so many of these are woken as have a slice to decode together; the others come in the next turns.
#[pyclass(frozen, weakref, name = "_Inbox", module = "oxidyn._core")]
pub struct Inbox {
    mailbox: Arc<Mailbox>,
    event_loop: Py<PyWeakrefReference>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    expected: HashMap<u64, Expected>,
    /// What came, but wakes nobody before a later turn.
    arrived: VecDeque<Parcel>,
    /// The loop was asked to call `go_on`.
    goes_on: bool,
}

/// The loop's side of one wait: the only place where its future lives beside its awaitable.
struct Expected {
    future: Py<PyAny>,
    /// What came, until it is taken.
    outcome: Option<Outcome>,
}

impl Inbox {
    pub fn new(mailbox: Arc<Mailbox>, event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            mailbox,
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            state: Mutex::default(),
        })
    }

    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// Expect an outcome, for which `future` is resolved, under the id that is given back.
    pub fn expect(&self, future: Py<PyAny>) -> u64 {
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        let expected = Expected { future, outcome: None };
        let replaced = state.expected.insert(id, expected);
        drop(state);
        debug_assert!(replaced.is_none(), "ids are given once");
        id
    }

    /// Expect the turn after all that came before it.
    pub fn expect_turn(slf: &Bound<'_, Self>, future: Py<PyAny>) -> PyResult<u64> {
        let inbox = slf.get();
        let id = inbox.expect(future);
        inbox.state().arrived.push_back(Parcel {
            id,
            outcome: Box::new(()),
            bytes: SLICE_BYTES,
        });
        Self::call_again(slf)?;
        Ok(id)
    }

    /// The outcome, if it came; it is given once.
    pub fn take(&self, id: u64) -> Option<Outcome> {
        let mut state = self.state();
        let outcome = state.expected.get_mut(&id)?.outcome.take()?;
        let expected = state.expected.remove(&id);
        drop(state);
        drop(expected);
        Some(outcome)
    }

    /// Whether the outcome was still to come; nobody waits for it any more.
    pub fn forget(&self, id: u64) -> bool {
        let expected = self.state().expected.remove(&id);
        expected.is_some_and(|expected| expected.outcome.is_none())
    }

    /// The lock is never held over Python code, so that it cannot be waited for while the GIL is.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Have the loop call `go_on` in its next turn.
    fn call_again(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let inbox = slf.get();
        if std::mem::replace(&mut inbox.state().goes_on, true) {
            return Ok(());
        }
        if let Some(event_loop) = inbox.event_loop.bind(py).upgrade() {
            let go_on = slf.getattr(intern!(py, "go_on"))?;
            event_loop.call_method1(intern!(py, "call_soon"), (go_on,))?;
        }
        Ok(())
    }

    /// Wake as many as one turn serves, in the order in which their outcomes came.
    fn wake(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let inbox = slf.get();
        let mut left = SLICE_BYTES;
        while left > 0 {
            let mut state = inbox.state();
            let Some(Parcel { id, outcome, bytes }) = state.arrived.pop_front() else {
                return Ok(());
            };
            let Some(expected) = state.expected.get_mut(&id) else {
                // Forgotten; what came is not dropped under the lock.
                drop(state);
                continue;
            };
            expected.outcome = Some(outcome);
            let future = expected.future.clone_ref(py);
            drop(state);
            left = left.saturating_sub(bytes.max(LEAST_WEIGHT));
            resolve(future.bind(py));
        }
        if inbox.state().arrived.is_empty() {
            return Ok(());
        }
        Self::call_again(slf)
    }
}

#[pymethods]
impl Inbox {
    /// Take in what came.
    fn __call__(slf: &Bound<'_, Self>) -> PyResult<()> {
        let inbox = slf.get();
        let parcels = inbox.mailbox.collect();
        let mut state = inbox.state();
        state.arrived.extend(parcels);
        // This turn has its share already, or will have it.
        if state.goes_on {
            return Ok(());
        }
        drop(state);
        Self::wake(slf)
    }

    /// Go on with what came in earlier turns.
    fn go_on(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().state().goes_on = false;
        Self::wake(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(state) = self.state.try_lock() {
            for expected in state.expected.values() {
                visit.call(&expected.future)?;
            }
        }
        Ok(())
    }

    pub fn __clear__(&self) {
        let state = std::mem::take(&mut *self.state());
        drop(state);
    }
}

/// Wake who waits, unless the task was cancelled and has not yet come to let go of the call.
fn resolve(future: &Bound<'_, PyAny>) {
    let py = future.py();
    let Err(error) = future.call_method1(intern!(py, "set_result"), (py.None(),)) else {
        return;
    };
    let is_done = future
        .call_method0(intern!(py, "done"))
        .and_then(|done| done.is_truthy());
    if !is_done.unwrap_or(false) {
        // Told, not raised: the other outcomes have callers who wait.
        error.write_unraisable(py, Some(future));
    }
}
