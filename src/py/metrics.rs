//! A client's sums as Python's `Metrics` is made of them.

use pyo3::prelude::*;
use pyo3::types::PyDict;

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
