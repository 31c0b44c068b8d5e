//! `CallRecord` and `ConsumedCapacity`: what one call took, as Python sees it.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::ops::capacity::{Kind, Units};
use crate::telemetry::tally::Taken;

/// What one call took: a `get`, one page of a query, a batch with all its requests. It holds no keys and no values.
#[pyclass(frozen, get_all, module = "oxidyn")]
pub struct CallRecord {
    /// DynamoDB's name of the operation: "PutItem".
    operation: String,
    /// The table; None where the call has several, or none.
    table: Option<String>,
    /// The entries of a batch or a transaction, as they were given.
    entries: Option<usize>,
    /// When the call began, in seconds since 1970 (as `time.time()`).
    started: f64,
    /// Seconds until the last answer came: waits for rate limits and between tries are in it, decoding is not.
    duration: f64,
    /// Requests: more than one for a batch, or a page that is filled up after filtering.
    requests: u32,
    /// Tries of these requests, the first of each included.
    attempts: u32,
    /// Tries that were refused because too much was asked at once.
    throttled: u32,
    /// Bytes of the requests' bodies, each try's anew.
    bytes_sent: u64,
    /// Bytes of the answers' bodies, those of failed tries included.
    bytes_received: u64,
    /// Read capacity units of all tables; None unless the client asks for them (`capacity=`) and the answer tells.
    read_units: Option<f64>,
    /// Write capacity units, likewise.
    write_units: Option<f64>,
    /// The same table by table, and with `capacity="indexes"` index by index.
    capacity: Py<PyTuple>,
    /// By which AWS finds the requests, in the order of their answers.
    request_ids: Py<PyTuple>,
    /// The name of the exception that the call raised; "CancelledError" for one that was cancelled.
    error: Option<String>,
    /// DynamoDB's own code of that error.
    code: Option<String>,
}

/// What a call consumed of one table, or of one index of it.
#[pyclass(frozen, get_all, eq, module = "oxidyn")]
#[derive(PartialEq)]
pub struct ConsumedCapacity {
    /// The table's name.
    table: String,
    /// The index; None for the table with all its indexes.
    index: Option<String>,
    /// Read capacity units.
    read_units: f64,
    /// Write capacity units.
    write_units: f64,
}

/// Whose record it is, and how the call ended.
pub struct Heading<'a> {
    pub operation: &'static str,
    pub table: &'a Arc<str>,
    pub entries: Option<usize>,
    pub started: f64,
    pub error: Option<String>,
}

impl CallRecord {
    pub fn new(py: Python<'_>, heading: Heading<'_>, taken: Taken) -> PyResult<Self> {
        let (read_units, write_units) = (taken.units(Kind::Read), taken.units(Kind::Write));
        let capacity = taken.capacity.into_iter().map(ConsumedCapacity::of);
        Ok(Self {
            operation: heading.operation.to_owned(),
            table: Some(&**heading.table)
                .filter(|table| !table.is_empty())
                .map(str::to_owned),
            entries: heading.entries,
            started: heading.started,
            duration: taken.duration.as_secs_f64(),
            requests: taken.requests,
            attempts: taken.effort.attempts,
            throttled: taken.effort.throttled,
            bytes_sent: taken.effort.bytes_sent,
            bytes_received: taken.effort.bytes_received,
            read_units,
            write_units,
            capacity: PyTuple::new(py, capacity.collect::<Vec<_>>())?.unbind(),
            request_ids: PyTuple::new(py, taken.request_ids)?.unbind(),
            code: taken.code.filter(|_| heading.error.is_some()),
            error: heading.error,
        })
    }
}

#[pymethods]
impl CallRecord {
    /// A record of one's own, to try a hook with.
    #[new]
    #[pyo3(signature = (
        operation,
        table=None,
        *,
        entries=None,
        started=0.0,
        duration=0.0,
        requests=1,
        attempts=1,
        throttled=0,
        bytes_sent=0,
        bytes_received=0,
        read_units=None,
        write_units=None,
        capacity=None,
        request_ids=None,
        error=None,
        code=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "one keyword each, as in Python")]
    fn py_new(
        py: Python<'_>,
        operation: String,
        table: Option<String>,
        entries: Option<usize>,
        started: f64,
        duration: f64,
        requests: u32,
        attempts: u32,
        throttled: u32,
        bytes_sent: u64,
        bytes_received: u64,
        read_units: Option<f64>,
        write_units: Option<f64>,
        capacity: Option<Py<PyTuple>>,
        request_ids: Option<Py<PyTuple>>,
        error: Option<String>,
        code: Option<String>,
    ) -> Self {
        let given = |tuple: Option<Py<PyTuple>>| tuple.unwrap_or_else(|| PyTuple::empty(py).unbind());
        Self {
            operation,
            table,
            entries,
            started,
            duration,
            requests,
            attempts,
            throttled,
            bytes_sent,
            bytes_received,
            read_units,
            write_units,
            capacity: given(capacity),
            request_ids: given(request_ids),
            error,
            code,
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = vec![format!("{:?}", self.operation)];
        parts.extend(self.table.as_ref().map(|table| format!("{table:?}")));
        parts.push(format!("duration={:.6}", self.duration));
        for (name, count) in [
            ("requests", u64::from(self.requests)),
            ("attempts", u64::from(self.attempts)),
            ("throttled", u64::from(self.throttled)),
            ("bytes_sent", self.bytes_sent),
            ("bytes_received", self.bytes_received),
        ] {
            parts.push(format!("{name}={count}"));
        }
        for (name, units) in [("read_units", self.read_units), ("write_units", self.write_units)] {
            parts.extend(units.map(|units| format!("{name}={units}")));
        }
        parts.push(format!("request_ids={}", self.request_ids.bind(py).repr()?));
        for (name, text) in [("error", &self.error), ("code", &self.code)] {
            parts.extend(text.as_ref().map(|text| format!("{name}={text:?}")));
        }
        Ok(format!("CallRecord({})", parts.join(", ")))
    }
}

impl ConsumedCapacity {
    fn of((kind, units): (Kind, Units)) -> Self {
        let of = |wanted| if kind == wanted { units.units } else { 0.0 };
        Self {
            read_units: of(Kind::Read),
            write_units: of(Kind::Write),
            table: units.table.into(),
            index: units.index.map(Into::into),
        }
    }
}

#[pymethods]
impl ConsumedCapacity {
    /// One of one's own, to try a hook with.
    #[new]
    #[pyo3(signature = (table, index=None, *, read_units=0.0, write_units=0.0))]
    fn py_new(table: String, index: Option<String>, read_units: f64, write_units: f64) -> Self {
        Self {
            table,
            index,
            read_units,
            write_units,
        }
    }

    fn __repr__(&self) -> String {
        let index = self
            .index
            .as_ref()
            .map_or_else(String::new, |index| format!(", {index:?}"));
        format!(
            "ConsumedCapacity({:?}{index}, read_units={}, write_units={})",
            self.table, self.read_units, self.write_units
        )
    }
}
