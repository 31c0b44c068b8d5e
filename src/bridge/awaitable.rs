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

use super::core::{Connections, Core};
use super::drive::drive;
use super::event_loop::{Finish, Inbox, inbox, running};
use super::mailbox::{Mailbox, Parcel};
use super::rate::{Gate, Gated, Limits};
use super::runtime::{ENGINE, NETWORK, Shared};
use crate::error::{Error, TransportError, TransportKind};
use crate::ops::{Operation, Step};
use crate::transport::Transport;

/// Start `operation` and give back what awaits it. `finish` makes the awaited value of the outcome, on the loop's
/// thread; it does not run when the awaiting task was cancelled, which drops the request.
pub fn spawn<O, F>(
    py: Python<'_>,
    core: &Arc<Core>,
    mut operation: O,
    limits: Option<&Limits>,
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

    let inbox = inbox(&event_loop)?;
    let future = event_loop.call_method0(intern!(py, "create_future"))?;
    let waiting = future.call_method0(intern!(py, "__await__"))?;
    let finish: Finish = Box::new(move |py, outcome| {
        finish(
            py,
            *outcome
                .downcast::<Result<O::Output, Error>>()
                .expect("the task of this id left it"),
        )
    });
    let id = inbox.get().expect(future.unbind(), finish);
    let delivery = Delivery::<O::Output> {
        mailbox: Arc::clone(inbox.get().mailbox()),
        id,
        outcome: None,
    };

    let gate = Gate::of(py, limits);
    let task = match &*connections {
        #[cfg(feature = "embedded")]
        Connections::Embedded(engine) => {
            deliver(py, &ENGINE, Arc::new(engine.clone()), operation, step, gate, delivery)
        }
        #[cfg(feature = "aws")]
        Connections::Network(remote) => deliver(py, &NETWORK, remote.awaited(), operation, step, gate, delivery),
    };
    Awaitable::waiting(
        py,
        InFlight {
            waiting: waiting.unbind(),
            inbox: inbox.unbind(),
            id,
            task,
        },
    )
}

fn deliver<O: Operation, T: Transport + 'static>(
    py: Python<'_>,
    runtime: &Shared,
    transport: Arc<T>,
    mut operation: O,
    step: Step<O::Output>,
    gate: Gate,
    delivery: Delivery<O::Output>,
) -> AbortHandle {
    runtime.spawn(py, async move {
        let transport = Gated {
            transport: &*transport,
            gate,
        };
        delivery.complete(drive(&transport, &mut operation, step).await);
    })
}

/// The way of an outcome to the loop: left in its mailbox when the task ends, by whatever end.
struct Delivery<T: Send + 'static> {
    mailbox: Arc<Mailbox>,
    id: u64,
    outcome: Option<Result<T, Error>>,
}

impl<T: Send + 'static> Delivery<T> {
    fn complete(mut self, outcome: Result<T, Error>) {
        self.outcome = Some(outcome);
    }
}

impl<T: Send + 'static> Drop for Delivery<T> {
    fn drop(&mut self) {
        let outcome = match self.outcome.take() {
            Some(outcome) => outcome,
            // Else a panic would leave its caller waiting for ever.
            None if std::thread::panicking() => Err(Error::Transport(TransportError {
                kind: TransportKind::Other,
                message: "an internal error ended this call; its traceback is on standard error".to_owned(),
                ambiguous: true,
            })),
            // Aborted: nobody waits.
            None => return,
        };
        let outcome: Box<dyn Any + Send> = Box::new(outcome);
        self.mailbox.leave(Parcel { id: self.id, outcome });
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
    /// The iterator of the loop's own future, which knows how a task waits.
    waiting: Py<PyAny>,
    inbox: Py<Inbox>,
    id: u64,
    task: AbortHandle,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.inbox.get().forget(self.id) {
            self.task.abort();
        }
    }
}

impl Awaitable {
    fn ready(py: Python<'_>, result: PyResult<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        Self::with(py, State::Ready(result))
    }

    fn waiting(py: Python<'_>, call: InFlight) -> PyResult<Py<PyAny>> {
        Self::with(py, State::InFlight(call))
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
                let turn = call.waiting.call_method0(py, intern!(py, "__next__"));
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
            visit.call(&call.waiting)?;
            visit.call(&call.inbox)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        drop(self.take());
    }
}
