//! Each event loop's mailbox and the futures that wait for it. asyncio is imported here, with the first awaited call.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyNotImplementedError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::bell::{Bell, wake_by_thread};
use super::mailbox::{Mailbox, Parcel};

/// Turns an outcome into the awaited value, on the loop's thread.
pub type Finish = Box<dyn FnOnce(Python<'_>, Box<dyn Any + Send>) -> PyResult<Py<PyAny>> + Send>;

/// The loop's side of one client call: the only place where its Python objects live.
struct Pending {
    future: Py<PyAny>,
    finish: Finish,
}

impl Pending {
    fn resolve(self, py: Python<'_>, outcome: Box<dyn Any + Send>) -> PyResult<()> {
        let future = self.future.bind(py);
        // Cancelled, and the task has not yet come to let go of the call.
        if future.call_method0(intern!(py, "done"))?.is_truthy()? {
            return Ok(());
        }
        match (self.finish)(py, outcome) {
            Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
            Err(error) => future.call_method1(intern!(py, "set_exception"), (error.into_value(py),))?,
        };
        Ok(())
    }
}

/// What the loop calls when the bell rings.
#[pyclass(frozen, weakref, name = "_Inbox", module = "oxidyn._core")]
pub struct Inbox {
    mailbox: Arc<Mailbox>,
    pending: Mutex<HashMap<u64, Pending>>,
    next_id: AtomicU64,
}

impl Inbox {
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// Expect an outcome for `future`, under the id that is given back.
    pub fn expect(&self, future: Py<PyAny>, finish: Finish) -> u64 {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.pending().insert(id, Pending { future, finish });
        id
    }

    /// Whether the outcome was still to come; nobody waits for it any more.
    pub fn forget(&self, id: u64) -> bool {
        let pending = self.pending().remove(&id);
        pending.is_some()
    }

    /// The lock is never held over Python code, so that it cannot be waited for while the GIL is.
    fn pending(&self) -> MutexGuard<'_, HashMap<u64, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Inbox {
    /// Resolve every future whose outcome has come.
    fn __call__(&self, py: Python<'_>) {
        for Parcel { id, outcome } in self.mailbox.collect() {
            let Some(waiting) = self.pending().remove(&id) else {
                continue;
            };
            let future = waiting.future.clone_ref(py);
            if let Err(error) = waiting.resolve(py, outcome) {
                // Told, not raised: the other outcomes have callers who wait.
                error.write_unraisable(py, Some(future.bind(py)));
            }
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(pending) = self.pending.try_lock() {
            for waiting in pending.values() {
                visit.call(&waiting.future)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let pending = std::mem::take(&mut *self.pending());
        drop(pending);
    }
}

/// A loop that has awaited something of ours, and its inbox. The loop is not kept alive.
struct Known {
    event_loop: Py<PyWeakrefReference>,
    inbox: Py<Inbox>,
    process: u32,
}

/// By the loop's address; a weak reference tells whether the loop is still the one that lived there.
static KNOWN: Mutex<Option<HashMap<usize, Known>>> = Mutex::new(None);

fn known() -> MutexGuard<'static, Option<HashMap<usize, Known>>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The running loop; asyncio's own RuntimeError where there is none.
pub fn running(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static GET_RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    GET_RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?.call0()
}

pub fn inbox<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Inbox>> {
    let py = event_loop.py();
    let process = std::process::id();
    if let Some(known) = known()
        .as_ref()
        .and_then(|known| known.get(&(event_loop.as_ptr() as usize)))
        && known.process == process
        && known
            .event_loop
            .bind(py)
            .upgrade()
            .is_some_and(|alive| alive.is(event_loop))
    {
        return Ok(known.inbox.bind(py).clone());
    }
    open(event_loop, process)
}

fn open<'py>(event_loop: &Bound<'py, PyAny>, process: u32) -> PyResult<Bound<'py, Inbox>> {
    let py = event_loop.py();
    forget_closed(py)?;
    let inbox = match watch(event_loop) {
        Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => wake(event_loop)?,
        watched => watched?,
    };
    let entry = Known {
        event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
        inbox: inbox.clone().unbind(),
        process,
    };
    let replaced = known()
        .get_or_insert_default()
        .insert(event_loop.as_ptr() as usize, entry);
    drop(replaced);
    Ok(inbox)
}

fn new_inbox(py: Python<'_>, bell: Bell) -> PyResult<Bound<'_, Inbox>> {
    let mailbox = Arc::new(Mailbox::new(bell));
    Bound::new(
        py,
        Inbox {
            mailbox,
            pending: Mutex::default(),
            next_id: AtomicU64::new(0),
        },
    )
}

#[cfg(unix)]
fn watch<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Inbox>> {
    let py = event_loop.py();
    let inbox = new_inbox(py, Bell::descriptor()?)?;
    let watched = inbox.get().mailbox.bell().watched();
    event_loop.call_method1(intern!(py, "add_reader"), (watched, &inbox))?;
    Ok(inbox)
}

#[cfg(not(unix))]
fn watch<'py>(_event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Inbox>> {
    Err(PyNotImplementedError::new_err(()))
}

fn wake<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Inbox>> {
    let (bell, rings) = Bell::thread();
    let inbox = new_inbox(event_loop.py(), bell)?;
    let (weak_loop, weak_inbox) = (PyWeakrefReference::new(event_loop)?, PyWeakrefReference::new(&inbox)?);
    wake_by_thread(weak_loop.unbind(), weak_inbox.unbind(), rings)?;
    Ok(inbox)
}

/// Let go of loops that are closed or gone, with the calls that were in flight there: nobody can be told.
fn forget_closed(py: Python<'_>) -> PyResult<()> {
    let loops: Vec<(usize, Py<PyWeakrefReference>)> = match known().as_ref() {
        Some(known) => known
            .iter()
            .map(|(address, known)| (*address, known.event_loop.clone_ref(py)))
            .collect(),
        None => return Ok(()),
    };
    for (address, event_loop) in loops {
        let is_closed = match event_loop.bind(py).upgrade() {
            Some(event_loop) => event_loop.call_method0(intern!(py, "is_closed"))?.is_truthy()?,
            None => true,
        };
        if is_closed {
            let forgotten = known().as_mut().and_then(|known| known.remove(&address));
            if let Some(Known { inbox, .. }) = forgotten {
                inbox.get().__clear__();
            }
        }
    }
    Ok(())
}
