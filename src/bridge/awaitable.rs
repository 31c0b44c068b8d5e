//! `spawn`: a call on a shared runtime, awaited on an event loop.
//!
//! Measured (DESIGN.md): tokio's thread leaves the result in the loop's mailbox and rings once for many; the loop's
//! thread decodes. A tokio thread that takes the GIL for each result costs three times as much.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tokio::task::AbortHandle;

use super::core::Core;
use super::event_loop::{inbox, running};
use super::inbox::Inbox;
use super::mailbox::{Outcome, Parcel};
use super::rate::{Gate, Terms};
use super::slice::{Made, Rest, Slice};
use crate::error::Error;
use crate::ops::{Operation, Step};

/// Turns an outcome into the awaited value, in the awaiting task.
type Finish = Box<dyn FnOnce(Python<'_>, Outcome) -> PyResult<Made> + Send>;

/// Start `operation` and give back what awaits it. `finish` makes the awaited value of the outcome, in the awaiting task;
/// it does not run when that was cancelled, which drops the request.
pub fn spawn<O, F>(
    py: Python<'_>,
    core: &Arc<Core>,
    mut operation: O,
    terms: Terms<'_>,
    finish: F,
) -> PyResult<Py<PyAny>>
where
    O: Operation,
    F: FnOnce(Python<'_>, Result<O::Output, Error>) -> PyResult<Made> + Send + 'static,
{
    let event_loop = running(py)?;
    let connections = match core.connections() {
        Ok(connections) => connections,
        Err(error) => return Awaitable::made(py, finish(py, Err(error))),
    };
    let step = match operation.start() {
        Step::Done(output) => return Awaitable::made(py, finish(py, Ok(output))),
        step => step,
    };
    let wait = Wait::new(inbox(&event_loop)?, &event_loop)?;
    let task = connections.launch(py, operation, step, Gate::of(py, terms), wait.deliver());
    Awaitable::waiting(py, wait.dropping(task), finish)
}

/// What awaits nothing: the result is there.
pub fn ready(py: Python<'_>, result: PyResult<Py<PyAny>>) -> PyResult<Py<PyAny>> {
    Awaitable::made(py, result.map(Made::Value))
}

/// What lets the loop turn once, and gives what `finish` makes then.
pub fn turn<F>(py: Python<'_>, finish: F) -> PyResult<Py<PyAny>>
where
    F: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
{
    let event_loop = running(py)?;
    let wait = Wait::for_turn(inbox(&event_loop)?, &event_loop)?;
    Awaitable::waiting(py, wait, move |py, ()| finish(py).map(Made::Value))
}

/// An outcome that a loop waits for, unless it is dropped.
pub struct Wait {
    /// The loop's own, by which a task waits. It is resolved with nothing when the outcome came.
    future: Py<PyAny>,
    inbox: Py<Inbox>,
    id: u64,
    /// What ends with the waiting.
    task: Option<AbortHandle>,
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.inbox.get().forget(self.id)
            && let Some(task) = &self.task
        {
            task.abort();
        }
    }
}

impl Wait {
    pub fn new(inbox: Bound<'_, Inbox>, event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let future = new_future(event_loop)?;
        Ok(Self {
            id: inbox.get().expect(future.clone_ref(event_loop.py())),
            future,
            inbox: inbox.unbind(),
            task: None,
        })
    }

    /// For a turn in which the task may go on with a slice.
    fn for_turn(inbox: Bound<'_, Inbox>, event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let future = new_future(event_loop)?;
        Ok(Self {
            id: Inbox::expect_turn(&inbox, future.clone_ref(event_loop.py()))?,
            future,
            inbox: inbox.unbind(),
            task: None,
        })
    }

    fn dropping(mut self, task: AbortHandle) -> Self {
        self.task = Some(task);
        self
    }

    /// The outcome, if it came; it is given once.
    fn take(&self) -> Option<Outcome> {
        self.inbox.get().take(self.id)
    }

    /// The way to the loop's mailbox, for a thread of tokio's. It takes what the awaitable's `finish` expects, and the
    /// number of bytes that stand behind it.
    pub fn deliver<T: Send + 'static>(&self) -> impl FnOnce(T, usize) + Send + 'static {
        let (mailbox, id) = (Arc::clone(self.inbox.get().mailbox()), self.id);
        move |outcome, bytes| {
            let outcome: Outcome = Box::new(outcome);
            mailbox.leave(Parcel { id, outcome, bytes });
        }
    }

    /// What a coroutine yields to wait: the future, marked as asyncio's own `__await__` marks it.
    fn yielded(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.future.setattr(py, intern!(py, "_asyncio_future_blocking"), true)?;
        Ok(self.future.clone_ref(py))
    }
}

fn new_future(event_loop: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let future = event_loop.call_method0(intern!(event_loop.py(), "create_future"))?;
    Ok(future.unbind())
}

/// A call in flight, or its result; dropping it drops the request.
#[pyclass(frozen, name = "_Awaitable", module = "oxidyn._core")]
pub struct Awaitable(Mutex<State>);

enum State {
    InFlight(Wait, Finish),
    /// Between two slices; `None` before the first turn.
    InTheMaking(Box<dyn Rest>, Option<Wait>),
    Ready(PyResult<Py<PyAny>>),
    Spent,
}

impl Awaitable {
    fn made(py: Python<'_>, made: PyResult<Made>) -> PyResult<Py<PyAny>> {
        let state = match made {
            Ok(Made::Value(value)) => State::Ready(Ok(value)),
            Ok(Made::Rest(rest)) => State::InTheMaking(rest, None),
            Err(error) => State::Ready(Err(error)),
        };
        Self::with(py, state)
    }

    pub fn waiting<T, F>(py: Python<'_>, wait: Wait, finish: F) -> PyResult<Py<PyAny>>
    where
        T: Send + 'static,
        F: FnOnce(Python<'_>, T) -> PyResult<Made> + Send + 'static,
    {
        let finish: Finish = Box::new(move |py, outcome| {
            let outcome = outcome.downcast::<T>();
            finish(py, *outcome.expect("what was told this id left it"))
        });
        Self::with(py, State::InFlight(wait, finish))
    }

    fn with(py: Python<'_>, state: State) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Self(Mutex::new(state)))?.into_any())
    }

    fn replace(&self, state: State) -> State {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    /// Make the next slice: the value, or else what is yielded until the turn of the one after it.
    fn make(&self, py: Python<'_>, mut rest: Box<dyn Rest>) -> PyResult<Py<PyAny>> {
        if let Some(value) = rest.go_on(py, &mut Slice::new())? {
            return Err(returned(py, value));
        }
        let event_loop = running(py)?;
        let wait = Wait::for_turn(inbox(&event_loop)?, &event_loop)?;
        self.wait_on(py, wait, |wait| State::InTheMaking(rest, Some(wait)))
    }

    fn wait_on(&self, py: Python<'_>, wait: Wait, state: impl FnOnce(Wait) -> State) -> PyResult<Py<PyAny>> {
        let yielded = wait.yielded(py)?;
        self.replace(state(wait));
        Ok(yielded)
    }
}

/// How a coroutine's end gives its value.
fn returned(py: Python<'_>, value: Py<PyAny>) -> PyErr {
    let bound = value.bind(py);
    if bound.is_instance_of::<PyTuple>() || bound.is_instance_of::<PyBaseException>() {
        // These would be taken for what the exception is made of, or for the exception itself.
        return PyStopIteration::new_err((value,));
    }
    PyStopIteration::new_err(value)
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
        match self.replace(State::Spent) {
            State::InFlight(wait, finish) => match wait.take() {
                None => self.wait_on(py, wait, |wait| State::InFlight(wait, finish)),
                Some(outcome) => match finish(py, outcome)? {
                    Made::Value(value) => Err(returned(py, value)),
                    Made::Rest(rest) => self.make(py, rest),
                },
            },
            State::InTheMaking(rest, Some(wait)) if wait.take().is_none() => {
                self.wait_on(py, wait, |wait| State::InTheMaking(rest, Some(wait)))
            }
            State::InTheMaking(rest, _) => self.make(py, rest),
            State::Ready(Ok(value)) => Err(returned(py, value)),
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
        drop(self.replace(State::Spent));
        Err(PyErr::from_value(value.unwrap_or(exception)))
    }

    fn close(&self) {
        drop(self.replace(State::Spent));
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(state) = self.0.try_lock()
            && let State::InFlight(wait, _) | State::InTheMaking(_, Some(wait)) = &*state
        {
            visit.call(&wait.future)?;
            visit.call(&wait.inbox)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        drop(self.replace(State::Spent));
    }
}
