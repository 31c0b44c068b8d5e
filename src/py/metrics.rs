//! A client's sums, and its hot partitions, as Python's `Metrics` and `HotPartition` are made of them.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::telemetry::heat::Hot;
use crate::telemetry::ledger::Sums;

/// Keywords of `OperationMetrics`.
pub fn keywords<'py>(py: Python<'py>, sums: &Sums) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    for (name, count) in [
        ("calls", sums.calls),
        ("requests", sums.requests),
        ("attempts", sums.attempts),
        ("throttled", sums.throttled),
        ("bytes_sent", sums.bytes_sent),
        ("bytes_received", sums.bytes_received),
    ] {
        keywords.set_item(name, count)?;
    }
    for (name, amount) in [
        ("read_units", sums.read_units),
        ("write_units", sums.write_units),
        ("duration", sums.duration.as_secs_f64()),
        ("longest", sums.longest.as_secs_f64()),
    ] {
        keywords.set_item(name, amount)?;
    }
    keywords.set_item("errors", &sums.errors)?;
    let steps: Vec<(f64, u64)> = sums
        .durations
        .steps()
        .map(|(end, count)| (end.as_secs_f64(), count))
        .collect();
    keywords.set_item("durations", steps)?;
    Ok(keywords)
}

/// Keywords of `HotPartition`; its key as it is on the wire.
pub fn of_partition<'py>(py: Python<'py>, hot: &Hot) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    keywords.set_item("table", &*hot.partition.table)?;
    keywords.set_item("index", hot.partition.index.as_deref())?;
    keywords.set_item("partition", PyBytes::new(py, &hot.partition.value))?;
    keywords.set_item("read_units", hot.read)?;
    keywords.set_item("write_units", hot.write)?;
    keywords.set_item("throttled", hot.throttled)?;
    keywords.set_item("utilisation", hot.utilisation)?;
    keywords.set_item("share", hot.share)?;
    Ok(keywords)
}
