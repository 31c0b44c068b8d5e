//! `_core.Client`: one client's connections, as Python holds them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBytes, PyDict};

use crate::bridge::{self, Core, Made, Terms};
use crate::error::Error;
use crate::ops::capacity::Detail;
use crate::ops::token::CursorKey;
use crate::ops::{self, Step};
use crate::py::exceptions::raise_bare;
use crate::py::metrics;
use crate::py::operation::Operation;
use crate::py::watch::Telemetry;
use crate::transport::config::{Config, RetryMode};
use crate::transport::{Call, OPERATIONS, Reply};

/// Connections to AWS, or to whatever answers at `endpoint_url`; `local()` is the embedded engine. No I/O is done
/// until the first call.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Client {
    core: Arc<Core>,
    pub(super) cursor_key: Option<CursorKey>,
    telemetry: Arc<Telemetry>,
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (
        *,
        region=None,
        profile=None,
        endpoint_url=None,
        access_key_id=None,
        secret_access_key=None,
        session_token=None,
        connect_timeout=None,
        read_timeout=None,
        operation_timeout=None,
        max_attempts=None,
        retry_mode=None,
        max_connections=None,
        ca_bundle=None,
        proxy=None,
        cursor_key=None,
        metrics=false,
        on_call=Vec::new(),
        capacity=None,
        hot_partitions=false,
    ))]
    #[expect(clippy::too_many_arguments, reason = "one keyword each, as in Python")]
    fn new(
        region: Option<String>,
        profile: Option<String>,
        endpoint_url: Option<String>,
        access_key_id: Option<String>,
        secret_access_key: Option<String>,
        session_token: Option<String>,
        connect_timeout: Option<f64>,
        read_timeout: Option<f64>,
        operation_timeout: Option<f64>,
        max_attempts: Option<u32>,
        retry_mode: Option<&str>,
        max_connections: Option<usize>,
        ca_bundle: Option<PathBuf>,
        proxy: Option<String>,
        cursor_key: Option<&[u8]>,
        metrics: bool,
        on_call: Vec<Py<PyAny>>,
        capacity: Option<&str>,
        hot_partitions: bool,
    ) -> PyResult<Self> {
        let core = Core::aws(Config {
            region,
            profile,
            endpoint_url,
            access_key_id,
            secret_access_key,
            session_token,
            connect_timeout: connect_timeout.map(seconds).transpose()?,
            read_timeout: read_timeout.map(seconds).transpose()?,
            operation_timeout: operation_timeout.map(seconds).transpose()?,
            max_attempts,
            retry_mode: retry_mode.map(mode).transpose()?,
            max_connections,
            ca_bundle,
            proxy,
        });
        Self::with_options(core, cursor_key, telemetry(metrics, on_call, capacity, hot_partitions)?)
    }

    /// The embedded engine, in memory or in the file at `path`.
    #[staticmethod]
    #[pyo3(signature = (
        path=None,
        *,
        cursor_key=None,
        metrics=false,
        on_call=Vec::new(),
        capacity=None,
        hot_partitions=false,
    ))]
    fn local(
        py: Python<'_>,
        path: Option<PathBuf>,
        cursor_key: Option<&[u8]>,
        metrics: bool,
        on_call: Vec<Py<PyAny>>,
        capacity: Option<&str>,
        hot_partitions: bool,
    ) -> PyResult<Self> {
        let core = local_core(path).map_err(|error| raise_bare(py, &error))?;
        Self::with_options(core, cursor_key, telemetry(metrics, on_call, capacity, hot_partitions)?)
    }

    /// Run the operation and wait for what it gives; the GIL is released meanwhile.
    fn run(&self, py: Python<'_>, operation: &Operation) -> PyResult<Py<PyAny>> {
        operation.runnable().run(py, self)
    }

    /// Start the operation and give back an awaitable of what it gives.
    fn spawn(&self, py: Python<'_>, operation: &Operation) -> PyResult<Py<PyAny>> {
        operation.runnable().spawn(py, self)
    }

    /// The sums of each operation on each table, an empty name for none; None where the client keeps no metrics.
    #[expect(clippy::type_complexity, reason = "rows of a table")]
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<(&'static str, String, Bound<'py, PyDict>)>>> {
        let rows = self.telemetry.accounts(py, |((operation, table), sums)| {
            Ok((*operation, table.to_string(), metrics::keywords(py, sums)?))
        });
        rows.map(|rows| rows.into_iter().collect()).transpose()
    }

    /// The partitions that use most of what a partition has; None where the client does not count them.
    fn hot_partitions<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Option<Vec<Bound<'py, PyDict>>>> {
        let hottest = self.telemetry.hottest(py, count);
        hottest
            .map(|hottest| hottest.iter().map(|hot| metrics::of_partition(py, hot)).collect())
            .transpose()
    }

    /// Refuse further calls; those in flight end as they would.
    fn close(&self) {
        self.core.close();
    }

    /// Send one request as it is and give back the reply's bytes: for diagnosis, and for tests of the transport.
    fn _call(&self, py: Python<'_>, operation: &str, body: &Bound<'_, PyBytes>) -> PyResult<Py<PyAny>> {
        settle(
            py,
            bridge::run(py, &self.core, Raw::new(operation, body)?, Terms::default())?,
        )
    }

    /// `_call`, awaited.
    fn _call_awaited(&self, py: Python<'_>, operation: &str, body: &Bound<'_, PyBytes>) -> PyResult<Py<PyAny>> {
        bridge::spawn(
            py,
            &self.core,
            Raw::new(operation, body)?,
            Terms::default(),
            |py, outcome| settle(py, outcome).map(Made::Value),
        )
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // A call under way keeps it alive for a moment, unseen by the collector.
        if Arc::strong_count(&self.telemetry) == 1 {
            self.telemetry.traverse(&visit)?;
        }
        Ok(())
    }
}

impl Client {
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }

    fn with_options(core: Core, cursor_key: Option<&[u8]>, telemetry: Telemetry) -> PyResult<Self> {
        let cursor_key = cursor_key
            .map(|bytes| CursorKey::new(bytes).ok_or_else(|| PyValueError::new_err("the key of cursors is too short")));
        Ok(Self {
            core: Arc::new(core),
            cursor_key: cursor_key.transpose()?,
            telemetry: Arc::new(telemetry),
        })
    }
}

#[cfg(feature = "embedded")]
fn local_core(path: Option<PathBuf>) -> Result<Core, Error> {
    use crate::transport::embedded::Embedded;

    let engine = match path {
        Some(path) => Embedded::file(&path),
        None => Embedded::memory(),
    };
    engine.map(Core::embedded)
}

#[cfg(not(feature = "embedded"))]
fn local_core(_path: Option<PathBuf>) -> Result<Core, Error> {
    use crate::error::TransportKind;

    Err(crate::transport::not_sent(
        TransportKind::Other,
        "this build of oxidyn has no embedded engine: build it with the cargo feature `embedded`, which is on unless it \
         is turned off, or reach an emulator by Client(endpoint_url=...)",
    ))
}

fn telemetry(
    metrics: bool,
    on_call: Vec<Py<PyAny>>,
    capacity: Option<&str>,
    hot_partitions: bool,
) -> PyResult<Telemetry> {
    let capacity = match capacity {
        None => None,
        Some("total") => Some(Detail::Total),
        Some("indexes") => Some(Detail::Indexes),
        Some(_) => return Err(PyValueError::new_err("capacity is \"total\" or \"indexes\"")),
    };
    Ok(Telemetry::new(metrics, on_call, capacity, hot_partitions))
}

fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(|error| PyValueError::new_err(format!("{value} seconds: {error}")))
}

fn mode(name: &str) -> PyResult<RetryMode> {
    name.parse()
        .map_err(|()| PyValueError::new_err(format!("retry_mode: there is no {name:?}")))
}

/// One request whose reply is not looked into.
#[derive(Clone)]
struct Raw(Call);

impl Raw {
    fn new(operation: &str, body: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let known = OPERATIONS.iter().find(|known| **known == operation);
        let operation =
            known.ok_or_else(|| PyValueError::new_err(format!("DynamoDB has no operation {operation:?}")))?;
        Ok(Self(Call {
            operation,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }))
    }
}

impl ops::Operation for Raw {
    type Output = Bytes;

    fn start(&mut self) -> Step<Bytes> {
        Step::Call(self.0.clone())
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Bytes>, Error> {
        Ok(Step::Done(reply.body))
    }
}

fn settle(py: Python<'_>, outcome: Result<Bytes, Error>) -> PyResult<Py<PyAny>> {
    match outcome {
        Ok(body) => Ok(PyBytes::new(py, &body).into_any().unbind()),
        Err(error) => Err(raise_bare(py, &error)),
    }
}
