//! `spawn`: a call on a shared runtime, awaited on an event loop.
//!
//! Measured (DESIGN.md): tokio's thread leaves the result in the loop's mailbox and rings once for many; the loop's
//! thread decodes and resolves. A tokio thread that takes the GIL for each result costs three times as much.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use tokio::task::AbortHandle;

use super::core::Core;
use super::event_loop::{Finish, Inbox, inbox, running};
use super::mailbox::Parcel;
use super::rate::{Gate, Terms};
use crate::error::Error;
use crate::ops::{Operation, Step};

/// Start `operation` and give back what awaits it. `finish` makes the awaited value of the outcome, on the loop's
/// thread; it does not run when the awaiting task was cancelled, which drops the request.
pub fn spawn<O, F>(
    py: Python<'_>,
    core: &Arc<Core>,
    mut operation: O,
    terms: Terms<'_>,
    finish: F,
) -> PyResult<Py<PyAny>>
where
    O: Operation,
    F: FnOnce(Python<'_>, Result<O::Output, Error>) -> PyResult<Py<PyAny>> + Send + 'static,
{
    let event_loop = running(py)?;
    let connections = match core.connections() {
        Ok(connections) => connections,
        Err(error) => return Awaitable::ready(py, finish(py, Err(error))),
    };
    let step = match operation.start() {
        Step::Done(output) => return Awaitable::ready(py, finish(py, Ok(output))),
        step => step,
    };
    let expected = Expected::new(&event_loop, finish)?;
    let task = connections.launch(py, operation, step, Gate::of(py, terms), expected.deliver());
    Awaitable::waiting(py, expected, Some(task))
}

/// What awaits nothing: the result is there.
pub fn ready(py: Python<'_>, result: PyResult<Py<PyAny>>) -> PyResult<Py<PyAny>> {
    Awaitable::ready(py, result)
}

/// An outcome that a loop waits for.
pub struct Expected {
    /// The iterator of the loop's own future, which knows how a task waits.
    waiting: Py<PyAny>,
    inbox: Py<Inbox>,
    id: u64,
}

impl Expected {
    pub fn new<T: Send + 'static, F>(event_loop: &Bound<'_, PyAny>, finish: F) -> PyResult<Self>
    where
        F: FnOnce(Python<'_>, Result<T, Error>) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let py = event_loop.py();
        let inbox = inbox(event_loop)?;
        let future = event_loop.call_method0(intern!(py, "create_future"))?;
        let waiting = future.call_method0(intern!(py, "__await__"))?;
        let finish: Finish = Box::new(move |py, outcome| {
            finish(
                py,
                *outcome
                    .downcast::<Result<T, Error>>()
                    .expect("what was told this id left it"),
            )
        });
        let id = inbox.get().expect(future.unbind(), finish);
        Ok(Self {
            waiting: waiting.unbind(),
            inbox: inbox.unbind(),
            id,
        })
    }

    /// The way to the loop's mailbox, for a thread of tokio's. It takes what `new` expects.
    pub fn deliver<T: Send + 'static>(&self) -> impl FnOnce(Result<T, Error>) + Send + 'static {
        let (mailbox, id) = (Arc::clone(self.inbox.get().mailbox()), self.id);
        move |outcome| {
            let outcome: Box<dyn Any + Send> = Box::new(outcome);
            mailbox.leave(Parcel { id, outcome });
        }
    }
}

/// A call in flight, or its result; dropping it drops the request.
#[pyclass(frozen, name = "_Awaitable", module = "oxidyn._core")]
pub struct Awaitable(Mutex<State>);

enum State {
    InFlight(InFlight),
    Ready(PyResult<Py<PyAny>>),
    Spent,
}

struct InFlight {
    expected: Expected,
    /// What ends with the waiting.
    task: Option<AbortHandle>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let Expected { inbox, id, .. } = &self.expected;
        if inbox.get().forget(*id)
            && let Some(task) = &self.task
        {
            task.abort();
        }
    }
}

impl Awaitable {
    fn ready(py: Python<'_>, result: PyResult<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        Self::with(py, State::Ready(result))
    }

    pub fn waiting(py: Python<'_>, expected: Expected, task: Option<AbortHandle>) -> PyResult<Py<PyAny>> {
        Self::with(py, State::InFlight(InFlight { expected, task }))
    }

    fn with(py: Python<'_>, state: State) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Self(Mutex::new(state)))?.into_any())
    }

    fn take(&self) -> State {
        std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            State::Spent,
        )
    }
}

#[pymethods]
impl Awaitable {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.take() {
            State::InFlight(call) => {
                let turn = call.expected.waiting.call_method0(py, intern!(py, "__next__"));
                if turn.is_ok() {
                    *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::InFlight(call);
                }
                turn
            }
            State::Ready(Ok(value)) => Err(pyo3::exceptions::PyStopIteration::new_err((value,))),
            State::Ready(Err(error)) => Err(error),
            State::Spent => Err(PyRuntimeError::new_err("cannot await a call that was awaited already")),
        }
    }

    /// How a cancelled task leaves: the request is dropped before the exception goes on.
    #[pyo3(signature = (exception, value=None, traceback=None))]
    fn throw(
        &self,
        exception: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        #[expect(unused_variables, reason = "Python sets it on the exception itself")] traceback: Option<
            &Bound<'_, PyAny>,
        >,
    ) -> PyResult<Py<PyAny>> {
        drop(self.take());
        Err(PyErr::from_value(value.unwrap_or(exception)))
    }

    fn close(&self) {
        drop(self.take());
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(state) = self.0.try_lock()
            && let State::InFlight(call) = &*state
        {
            visit.call(&call.expected.waiting)?;
            visit.call(&call.expected.inbox)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        drop(self.take());
    }
}
