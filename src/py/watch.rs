//! Who is told of a client's calls, and the telling: once for each call, on the thread that takes its result.

use std::cell::Cell;
use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pyo3::PyTraverseError;
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyListMethods;

use crate::bridge::PerProcess;
use crate::ops::capacity::Detail;
use crate::py::call_record::{CallRecord, Heading};
use crate::py::exceptions::Context;
use crate::telemetry::heat::{Heat, Hot};
use crate::telemetry::ledger::{Account, Ledger, Sums};
use crate::telemetry::tally::Tally;
use crate::telemetry::touch::KeyAttributes;

/// Blocks of `record_calls()` that are open, in any context.
static RECORDINGS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What a hook calls itself is told to no hook, for that would have no end.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// An open block of `record_calls()`. Dropped, it is closed.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Recording(());

#[pymethods]
impl Recording {
    #[new]
    fn new() -> Self {
        RECORDINGS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        RECORDINGS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a client was asked to tell of its calls.
pub struct Telemetry {
    ledger: Option<PerProcess<Ledger>>,
    hooks: Vec<Py<PyAny>>,
    capacity: Option<Detail>,
    heat: Option<Partitions>,
}

/// Where a client's partitions are counted.
struct Partitions {
    heat: PerProcess<Heat>,
    began: Instant,
    /// Of the tables that were made for the client. A call has them as they are when it begins.
    keys: Mutex<Arc<KeyAttributes>>,
}

impl Telemetry {
    pub fn new(metrics: bool, hooks: Vec<Py<PyAny>>, capacity: Option<Detail>, partitions: bool) -> Self {
        Self {
            ledger: metrics.then(PerProcess::new),
            hooks,
            capacity,
            heat: partitions.then(|| Partitions {
                heat: PerProcess::new(),
                began: Instant::now(),
                keys: Mutex::default(),
            }),
        }
    }

    /// Count the partitions of a table, whose partition key is this attribute.
    pub fn know(&self, table: &Arc<str>, partition: &Arc<str>) {
        if let Some(partitions) = &self.heat {
            let mut keys = partitions.keys.lock().unwrap_or_else(PoisonError::into_inner);
            if keys.get(table) != Some(partition) {
                Arc::make_mut(&mut keys).insert(Arc::clone(table), Arc::clone(partition));
            }
        }
    }

    /// The partitions that use most of what they have; `None` where they are not counted.
    pub fn hottest(&self, _py: Python<'_>, count: usize) -> Option<Vec<Hot>> {
        let partitions = self.heat.as_ref()?;
        let now = partitions.began.elapsed();
        Some(partitions.heat.with(Heat::default, |heat| heat.hottest(count, now)))
    }

    /// Who listens to a call that begins here; nobody, as a rule.
    #[inline]
    pub fn listener(self: &Arc<Self>, py: Python<'_>, is_awaited: bool) -> PyResult<Option<Listener>> {
        if cfg!(feature = "without-telemetry") {
            return Ok(None);
        }
        let is_told = self.ledger.is_some() || !self.hooks.is_empty() || self.heat.is_some();
        if !is_told && RECORDINGS.load(Ordering::Relaxed) == 0 {
            return Ok(None);
        }
        Listener::new(py, self, is_told, is_awaited)
    }

    /// Give the sums of each account; `None` where none are kept.
    pub fn accounts<R>(&self, _py: Python<'_>, read: impl FnMut((&Account, &Sums)) -> R) -> Option<Vec<R>> {
        let ledger = self.ledger.as_ref()?;
        Some(ledger.with(Ledger::default, |ledger| ledger.accounts().map(read).collect()))
    }

    fn keys(&self) -> Option<Arc<KeyAttributes>> {
        let partitions = self.heat.as_ref()?;
        Some(Arc::clone(
            &partitions.keys.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.hooks.iter().try_for_each(|hook| visit.call(hook))
    }
}

/// Who is told of calls that are made in one place of the caller's program.
pub struct Listener {
    telemetry: Arc<Telemetry>,
    recording: Option<Py<PyAny>>,
    /// The caller's context variables, where the call ends in another context.
    context: Option<Py<PyAny>>,
    is_hooked: bool,
}

impl Listener {
    #[cold]
    fn new(py: Python<'_>, telemetry: &Arc<Telemetry>, is_told: bool, is_awaited: bool) -> PyResult<Option<Self>> {
        static INNERMOST: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        static COPY_CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let in_hook = IN_HOOK.get();
        let recording = if in_hook || RECORDINGS.load(Ordering::Relaxed) == 0 {
            None
        } else {
            let innermost = INNERMOST.import(py, "oxidyn.recording", "innermost")?;
            Some(innermost.call_method0(intern!(py, "get"))?).filter(|recording| !recording.is_none())
        };
        if !is_told && recording.is_none() {
            return Ok(None);
        }
        let is_hooked = !in_hook && !telemetry.hooks.is_empty();
        let context = if is_awaited && is_hooked {
            Some(
                COPY_CONTEXT
                    .import(py, "contextvars", "copy_context")?
                    .call0()?
                    .unbind(),
            )
        } else {
            None
        };
        Ok(Some(Self {
            telemetry: Arc::clone(telemetry),
            recording: recording.map(Bound::unbind),
            context,
            is_hooked,
        }))
    }

    /// Watch a call from its start.
    pub fn watch(&self, py: Python<'_>, context: &Context) -> PyResult<Watch> {
        // A context is entered once at a time, and calls end side by side.
        let variables = self.context.as_ref();
        let variables = variables.map(|variables| variables.call_method0(py, intern!(py, "copy")));
        Ok(Watch {
            listener: Self {
                telemetry: Arc::clone(&self.telemetry),
                recording: self.recording.as_ref().map(|recording| recording.clone_ref(py)),
                context: variables.transpose()?,
                is_hooked: self.is_hooked,
            },
            operation: context.operation,
            table: Arc::clone(&context.table),
            entries: context.entries.as_ref().map(|entries| entries.bind(py).len()),
            started: SystemTime::now(),
            tally: Arc::new(Tally::new(self.telemetry.capacity, self.telemetry.keys())),
            is_open: true,
        })
    }
}

/// A call under way that somebody is to be told of. Dropped before its end, it is told as cancelled.
pub struct Watch {
    listener: Listener,
    operation: &'static str,
    table: Arc<str>,
    entries: Option<usize>,
    started: SystemTime,
    tally: Arc<Tally>,
    is_open: bool,
}

impl Watch {
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Tell how the call ended, and give that back: a hook that fails loses nothing. Only what is no `Exception` goes on
    /// in its place, such as a `KeyboardInterrupt`.
    pub fn end<T>(mut self, py: Python<'_>, result: PyResult<T>) -> PyResult<T> {
        let error = result.as_ref().err().map(|error| name_of(py, error));
        self.close(py, error, false)?;
        result
    }

    /// As `end`, of a call that a signal broke off.
    pub fn broken_off(mut self, py: Python<'_>, error: PyErr) -> PyErr {
        let name = name_of(py, &error);
        self.close(py, Some(name), true).err().unwrap_or(error)
    }

    fn close(&mut self, py: Python<'_>, error: Option<String>, is_broken_off: bool) -> PyResult<()> {
        self.is_open = false;
        let mut taken = self.tally.close(is_broken_off);
        // What sends nothing is no call, unless it should have.
        if taken.requests == 0 && (is_broken_off || error.is_none()) {
            return Ok(());
        }
        let Listener {
            telemetry,
            recording,
            context,
            is_hooked,
        } = &self.listener;
        if let Some(ledger) = &telemetry.ledger {
            let account = (self.operation, Arc::clone(&self.table));
            ledger.with(Ledger::default, |ledger| {
                ledger.enter(account, &taken, error.as_deref());
            });
        }
        if let Some(partitions) = &telemetry.heat {
            let now = partitions.began.elapsed();
            partitions.heat.with(Heat::default, |heat| {
                for (touches, throttled) in mem::take(&mut taken.touches) {
                    heat.add(touches, throttled, now);
                }
            });
        }
        if recording.is_none() && !is_hooked {
            return Ok(());
        }
        let heading = Heading {
            operation: self.operation,
            table: &self.table,
            entries: self.entries,
            started: self
                .started
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs_f64(),
            error,
        };
        let record = Bound::new(py, CallRecord::new(py, heading, taken)?)?;
        if let Some(recording) = recording {
            recording.call_method1(py, intern!(py, "_add"), (&record,))?;
        }
        if *is_hooked {
            tell(py, &telemetry.hooks, context.as_ref(), &record)?;
        }
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.is_open {
            // Without an interpreter nobody is left to be told.
            Python::try_attach(|py| {
                // Whoever lets go may be on the way with an exception of his own.
                let raised = PyErr::take(py);
                if let Err(error) = self.close(py, Some("CancelledError".to_owned()), true) {
                    error.write_unraisable(py, None);
                }
                if let Some(raised) = raised {
                    raised.restore(py);
                }
            });
        }
    }
}

fn tell(
    py: Python<'_>,
    hooks: &[Py<PyAny>],
    context: Option<&Py<PyAny>>,
    record: &Bound<'_, CallRecord>,
) -> PyResult<()> {
    let was_in_hook = IN_HOOK.replace(true);
    let told = hooks.iter().try_for_each(|hook| {
        let told = match context {
            Some(context) => context.call_method1(py, intern!(py, "run"), (hook, record)),
            None => hook.call1(py, (record,)),
        };
        match told {
            Err(error) if error.is_instance_of::<PyException>(py) => {
                error.write_unraisable(py, Some(hook.bind(py)));
                Ok(())
            }
            told => told.map(drop),
        }
    });
    IN_HOOK.set(was_in_hook);
    told
}

fn name_of(py: Python<'_>, error: &PyErr) -> String {
    let name = error.get_type(py).name().map(|name| name.to_string());
    name.unwrap_or_else(|_| "Exception".to_owned())
}

/// Calls that run side by side, by their numbers.
#[derive(Default)]
pub struct Watches(Mutex<HashMap<usize, Watch>>);

impl Watches {
    pub fn insert(&self, number: usize, watch: Watch) {
        let replaced = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, watch);
        drop(replaced);
    }

    pub fn take(&self, number: usize) -> Option<Watch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number)
    }
}
