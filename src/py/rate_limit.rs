//! `RateLimit`: capacity units per second, shared by whatever it is given to.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;

use crate::bridge::{self, Clock};

/// Read and write units per second; None is no limit. The caller has checked that they are positive.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct RateLimit(Arc<bridge::RateLimit>);

#[pymethods]
impl RateLimit {
    #[new]
    #[pyo3(signature = (read=None, write=None, *, told_clock=false))]
    fn new(read: Option<f64>, write: Option<f64>, told_clock: bool) -> Self {
        let clock = if told_clock { Clock::told() } else { Clock::running() };
        Self(Arc::new(bridge::RateLimit::new(read, write, clock)))
    }

    /// The seconds that were waited, one after another, on a clock that is told: for tests, which do not wait.
    fn _waits(&self) -> Vec<f64> {
        self.0.clock().waits().iter().map(Duration::as_secs_f64).collect()
    }
}

impl RateLimit {
    pub fn shared(&self) -> Arc<bridge::RateLimit> {
        Arc::clone(&self.0)
    }
}
