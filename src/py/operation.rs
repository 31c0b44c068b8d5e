//! `Operation`: one call to DynamoDB as a value, made without I/O, run by a client.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::bridge::{self, Gate, Made, Rest, Slice, Terms};
use crate::error::{Error, ServiceError};
use crate::ops::{self, Part, Step, StoredItem};
use crate::py::client::Client;
use crate::py::exceptions::{self, Context};
use crate::py::listing::{Finished, Items, Listing, Making, UnderWay};
use crate::py::watch::Watch;
use crate::transport::{Call, Reply};

/// What a client can run, whatever the operation's output is.
pub trait Runnable: Send + Sync {
    /// None for what holds no operation: there is nothing to tell of it.
    fn context(&self) -> Option<&Context>;
    fn request(&self) -> Option<Call>;
    fn run(&self, py: Python<'_>, client: &Client) -> PyResult<Py<PyAny>>;
    fn spawn(&self, py: Python<'_>, client: &Client) -> PyResult<Py<PyAny>>;
    /// What it is as a part of a batch or a transaction, if it can be one.
    fn part(&self) -> Option<Part>;
    /// What it gives where a batch or a transaction has read its item.
    fn found(&self, py: Python<'_>, item: Option<StoredItem>) -> PyResult<Py<PyAny>>;
    /// The exception that it alone would have raised for this answer.
    fn refused(&self, py: Python<'_>, error: ServiceError) -> PyErr;
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
        Self::prepared(operation, context, move |py, context, output| {
            finish(py, context, output).map(Finished::Value)
        })
    }

    /// As `new` for an output of many items: `list` says how they are decoded one by one, so that they can be decoded in
    /// slices.
    pub fn listing<O, F, L>(operation: O, context: Context, list: F) -> Self
    where
        O: ops::Operation,
        F: Fn(O::Output) -> L + Send + Sync + 'static,
        L: Listing,
    {
        Self::making(operation, context, move |py, _, output| {
            Ok(Box::new(Items::new(py, list(output))))
        })
    }

    /// As `new` for a result that is made in slices.
    pub fn making<O, F>(operation: O, context: Context, make: F) -> Self
    where
        O: ops::Operation,
        F: Fn(Python<'_>, &Context, O::Output) -> PyResult<Box<dyn Making>> + Send + Sync + 'static,
    {
        Self::prepared(operation, context, move |py, context, output| {
            make(py, context, output).map(Finished::Making)
        })
    }

    fn prepared<O, F>(operation: O, context: Context, finish: F) -> Self
    where
        O: ops::Operation,
        F: Fn(Python<'_>, &Context, O::Output) -> PyResult<Finished> + Send + Sync + 'static,
    {
        Self(Box::new(Prepared {
            operation,
            settle: Arc::new(Settle { context, finish }),
        }))
    }

    /// What sends nothing and gives what `make` makes.
    pub fn nothing(make: fn(Python<'_>) -> PyResult<Py<PyAny>>) -> Self {
        Self(Box::new(Nothing(make)))
    }

    pub fn runnable(&self) -> &dyn Runnable {
        &*self.0
    }
}

#[pymethods]
impl Operation {
    /// DynamoDB's name of the operation and the JSON body of its first request; None where nothing would be sent.
    fn request<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let limits = self.0.context().and_then(|context| context.limits.as_deref());
        let gate = Gate::of(py, Terms { limits, tally: None });
        self.0
            .request()
            .map(|call| {
                let call = gate.shown(call);
                let name = call.operation.into_pyobject(py)?.into_any();
                PyTuple::new(py, [name, PyBytes::new(py, &call.body).into_any()])
            })
            .transpose()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Itself, as it cannot be changed.
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(format!(
            "cannot pickle {}: an operation stands on its table's compiled plan. Pickle the key or the items that it is \
             made of, and build it where it is run.",
            self.__repr__()
        )))
    }

    fn __repr__(&self) -> String {
        match self.0.context() {
            None => "Operation()".to_owned(),
            Some(context) if context.table.is_empty() => format!("Operation({})", context.operation),
            Some(context) => format!("Operation({}, table=\"{}\")", context.operation, context.table),
        }
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

impl<F: Send + Sync + 'static> Settle<F> {
    fn settle<T>(self: &Arc<Self>, py: Python<'_>, outcome: Result<T, Error>) -> PyResult<Made>
    where
        F: Fn(Python<'_>, &Context, T) -> PyResult<Finished>,
    {
        let output = outcome.map_err(|error| exceptions::raise(py, error, &self.context))?;
        Ok(match (self.finish)(py, &self.context, output)? {
            Finished::Value(value) => Made::Value(value),
            Finished::Making(making) => Made::Rest(Box::new(UnderWay {
                making,
                owner: Owner(Arc::clone(self)),
            })),
        })
    }
}

/// What keeps the context of a listing that is under way.
struct Owner<F>(Arc<Settle<F>>);

impl<F> AsRef<Context> for Owner<F> {
    fn as_ref(&self) -> &Context {
        &self.0.context
    }
}

impl<O, F> Runnable for Prepared<O, F>
where
    O: ops::Operation,
    F: Fn(Python<'_>, &Context, O::Output) -> PyResult<Finished> + Send + Sync + 'static,
{
    fn context(&self) -> Option<&Context> {
        Some(&self.settle.context)
    }

    fn request(&self) -> Option<Call> {
        match self.operation.clone().start() {
            Step::Call(call) | Step::CallAfter(_, call) => Some(call),
            Step::Calls(calls) => calls.into_iter().next().map(|first| first.call),
            Step::Done(_) => None,
        }
    }

    fn part(&self) -> Option<Part> {
        self.operation.part()
    }

    fn found(&self, py: Python<'_>, item: Option<StoredItem>) -> PyResult<Py<PyAny>> {
        match self.operation.found(item) {
            Some(output) => bridge::complete(py, self.settle.settle(py, Ok(output))?),
            None => Ok(py.None()),
        }
    }

    fn refused(&self, py: Python<'_>, error: ServiceError) -> PyErr {
        let explained = self.operation.clone().fail(Error::Service(error.clone())).err();
        let error = explained.unwrap_or(Error::Service(error));
        exceptions::raise(py, error, &self.settle.context)
    }

    fn run(&self, py: Python<'_>, client: &Client) -> PyResult<Py<PyAny>> {
        let watch = self.watch(py, client, false)?;
        match bridge::run(py, client.core(), self.operation.clone(), self.terms(watch.as_ref())) {
            Ok(outcome) => bridge::complete(py, end(py, watch, self.settle.settle(py, outcome))?),
            Err(signal) => Err(match watch {
                Some(watch) => watch.broken_off(py, signal),
                None => signal,
            }),
        }
    }

    fn spawn(&self, py: Python<'_>, client: &Client) -> PyResult<Py<PyAny>> {
        let settle = Arc::clone(&self.settle);
        let watch = self.watch(py, client, true)?;
        let tally = watch.as_ref().map(|watch| Arc::clone(watch.tally()));
        let terms = Terms {
            tally: tally.as_ref(),
            ..self.terms(None)
        };
        bridge::spawn(py, client.core(), self.operation.clone(), terms, move |py, outcome| {
            end(py, watch, settle.settle(py, outcome))
        })
    }
}

impl<O, F> Prepared<O, F> {
    fn watch(&self, py: Python<'_>, client: &Client, is_awaited: bool) -> PyResult<Option<Watch>> {
        match client.telemetry().listener(py, is_awaited)? {
            None => Ok(None),
            Some(listener) => listener.watch(py, &self.settle.context).map(Some),
        }
    }

    fn terms<'a>(&'a self, watch: Option<&'a Watch>) -> Terms<'a> {
        Terms {
            limits: self.settle.context.limits.as_deref(),
            tally: watch.map(Watch::tally),
        }
    }
}

/// Tell how a call ended, at once or when all of its result is made.
fn end(py: Python<'_>, watch: Option<Watch>, result: PyResult<Made>) -> PyResult<Made> {
    match (watch, result) {
        (None, result) => result,
        (watch, Ok(Made::Rest(rest))) => Ok(Made::Rest(Box::new(Watched { rest, watch }))),
        (Some(watch), result) => watch.end(py, result),
    }
}

/// What is still in the making of a call that somebody is to be told of.
struct Watched {
    rest: Box<dyn Rest>,
    /// `None` once the end is told.
    watch: Option<Watch>,
}

impl Rest for Watched {
    fn go_on(&mut self, py: Python<'_>, slice: &mut Slice) -> PyResult<Option<Py<PyAny>>> {
        let made = self.rest.go_on(py, slice);
        match self.watch.take() {
            Some(watch) if !matches!(made, Ok(None)) => watch.end(py, made),
            watch => {
                self.watch = watch;
                made
            }
        }
    }
}

/// A batch or a transaction of no operations. A closed client refuses it like any other.
struct Nothing(fn(Python<'_>) -> PyResult<Py<PyAny>>);

#[derive(Clone)]
struct Done;

impl ops::Operation for Done {
    type Output = ();

    fn start(&mut self) -> Step<()> {
        Step::Done(())
    }

    fn step(&mut self, _: Reply) -> Result<Step<()>, Error> {
        Ok(Step::Done(()))
    }
}

impl Nothing {
    fn settle(
        make: fn(Python<'_>) -> PyResult<Py<PyAny>>,
        py: Python<'_>,
        outcome: Result<(), Error>,
    ) -> PyResult<Py<PyAny>> {
        outcome.map_err(|error| exceptions::raise_bare(py, &error))?;
        make(py)
    }
}

impl Runnable for Nothing {
    fn context(&self) -> Option<&Context> {
        None
    }

    fn request(&self) -> Option<Call> {
        None
    }

    fn part(&self) -> Option<Part> {
        None
    }

    fn found(&self, py: Python<'_>, _: Option<StoredItem>) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }

    fn refused(&self, py: Python<'_>, error: ServiceError) -> PyErr {
        exceptions::raise_bare(py, &Error::Service(error))
    }

    fn run(&self, py: Python<'_>, client: &Client) -> PyResult<Py<PyAny>> {
        let outcome = bridge::run(py, client.core(), Done, Terms::default())?;
        Self::settle(self.0, py, outcome)
    }

    fn spawn(&self, py: Python<'_>, client: &Client) -> PyResult<Py<PyAny>> {
        let make = self.0;
        bridge::spawn(py, client.core(), Done, Terms::default(), move |py, outcome| {
            Self::settle(make, py, outcome).map(Made::Value)
        })
    }
}
