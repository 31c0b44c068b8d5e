//! `Operation`: one call to DynamoDB as a value, made without I/O, run by a client.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::bridge::{self, Core, Gate};
use crate::error::Error;
use crate::ops::{self, Step};
use crate::py::exceptions::{self, Context};

/// What a client can run, whatever the operation's output is.
pub trait Runnable: Send + Sync {
    fn context(&self) -> &Context;
    fn request(&self) -> Option<crate::transport::Call>;
    fn run(&self, py: Python<'_>, core: &Core) -> PyResult<Py<PyAny>>;
    fn spawn(&self, py: Python<'_>, core: &Arc<Core>) -> PyResult<Py<PyAny>>;
}

/// One DynamoDB operation as a value: `request()` shows it, a client runs it, any number of times.
#[pyclass(frozen, generic, module = "oxidyn")]
pub struct Operation(Box<dyn Runnable>);

impl Operation {
    /// `finish` turns the operation's output into what the caller gets, on the caller's thread; its own errors have the
    /// context already.
    pub fn new<O, F>(operation: O, context: Context, finish: F) -> Self
    where
        O: ops::Operation,
        F: Fn(Python<'_>, &Context, O::Output) -> PyResult<Py<PyAny>> + Send + Sync + 'static,
    {
        Self(Box::new(Prepared {
            operation,
            settle: Arc::new(Settle { context, finish }),
        }))
    }

    pub fn runnable(&self) -> &dyn Runnable {
        &*self.0
    }
}

#[pymethods]
impl Operation {
    /// DynamoDB's name of the operation and the JSON body of its first request; None where nothing would be sent.
    fn request<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let gate = Gate::of(py, self.0.context().limits.as_deref());
        self.0
            .request()
            .map(|call| {
                let call = gate.shown(call);
                let name = call.operation.into_pyobject(py)?.into_any();
                PyTuple::new(py, [name, PyBytes::new(py, &call.body).into_any()])
            })
            .transpose()
    }

    fn __repr__(&self) -> String {
        let context = self.0.context();
        format!("Operation({}, table=\"{}\")", context.operation, context.table)
    }
}

struct Prepared<O, F> {
    operation: O,
    settle: Arc<Settle<F>>,
}

struct Settle<F> {
    context: Context,
    finish: F,
}

impl<F> Settle<F> {
    fn settle<T>(&self, py: Python<'_>, outcome: Result<T, Error>) -> PyResult<Py<PyAny>>
    where
        F: Fn(Python<'_>, &Context, T) -> PyResult<Py<PyAny>>,
    {
        match outcome {
            Ok(output) => (self.finish)(py, &self.context, output),
            Err(error) => Err(exceptions::raise(py, error, &self.context)),
        }
    }
}

impl<O, F> Runnable for Prepared<O, F>
where
    O: ops::Operation,
    F: Fn(Python<'_>, &Context, O::Output) -> PyResult<Py<PyAny>> + Send + Sync + 'static,
{
    fn context(&self) -> &Context {
        &self.settle.context
    }

    fn request(&self) -> Option<crate::transport::Call> {
        match self.operation.clone().start() {
            Step::Call(call) | Step::CallAfter(_, call) => Some(call),
            Step::Calls(calls) => calls.into_iter().next().map(|first| first.call),
            Step::Done(_) => None,
        }
    }

    fn run(&self, py: Python<'_>, core: &Core) -> PyResult<Py<PyAny>> {
        let limits = self.settle.context.limits.as_deref();
        let outcome = bridge::run(py, core, self.operation.clone(), limits)?;
        self.settle.settle(py, outcome)
    }

    fn spawn(&self, py: Python<'_>, core: &Arc<Core>) -> PyResult<Py<PyAny>> {
        let settle = Arc::clone(&self.settle);
        let limits = self.settle.context.limits.as_deref();
        bridge::spawn(py, core, self.operation.clone(), limits, move |py, outcome| {
            settle.settle(py, outcome)
        })
    }
}
