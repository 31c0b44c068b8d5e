//! The event loops that await something of ours, each with its inbox. asyncio is imported here, with the first awaited
//! call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyNotImplementedError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::bell::{Bell, wake_by_thread};
use super::inbox::Inbox;
use super::mailbox::Mailbox;
use super::process::Process;

/// A loop that has awaited something of ours, and its inbox. The loop is not kept alive.
struct Known {
    event_loop: Py<PyWeakrefReference>,
    inbox: Py<Inbox>,
    process: Process,
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
    let process = Process::current();
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

fn open<'py>(event_loop: &Bound<'py, PyAny>, process: Process) -> PyResult<Bound<'py, Inbox>> {
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

fn new_inbox<'py>(event_loop: &Bound<'py, PyAny>, bell: Bell) -> PyResult<Bound<'py, Inbox>> {
    let mailbox = Arc::new(Mailbox::new(bell));
    Bound::new(event_loop.py(), Inbox::new(mailbox, event_loop)?)
}

#[cfg(unix)]
fn watch<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Inbox>> {
    static CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = event_loop.py();
    let inbox = new_inbox(event_loop, Bell::descriptor()?)?;
    let watched = inbox.get().mailbox().bell().watched();
    // In a context of its own: the loop keeps it, and the first caller's would live, with all it holds, as long as the loop.
    let context = CONTEXT.import(py, "contextvars", "Context")?.call0()?;
    let add_reader = event_loop.getattr(intern!(py, "add_reader"))?;
    context.call_method1(intern!(py, "run"), (add_reader, watched, &inbox))?;
    Ok(inbox)
}

#[cfg(not(unix))]
fn watch<'py>(_event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Inbox>> {
    Err(PyNotImplementedError::new_err(()))
}

fn wake<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Inbox>> {
    let (bell, rings) = Bell::thread();
    let inbox = new_inbox(event_loop, bell)?;
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
