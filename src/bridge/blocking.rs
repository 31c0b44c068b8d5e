//! `run`: a call on the caller's own thread, the GIL released, Ctrl-C heard.
//!
//! Measured (DESIGN.md): a pool of (current-thread runtime, transport) checked out per call, last in first out, costs
//! what a runtime per thread costs and keeps only as many connections as there are calls at once.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::core::{Connections, Core, Remote};
use super::drive::drive;
#[cfg(feature = "embedded")]
use super::engine;
use super::process::PerProcess;
use super::rate::{Gate, Gated, Terms};
use crate::error::{Error, TransportKind};
use crate::ops::{Operation, Step};
use crate::transport::{Transport, not_sent};

/// How long a signal may wait; most calls end before the first look.
pub const SIGNAL_TICK: Duration = Duration::from_millis(50);
const _: () = assert!(SIGNAL_TICK.as_millis() <= 100, "Ctrl-C is heard within 100 ms");
/// A lane unused for so long has only connections that the server closed.
const LANE_IDLE: Duration = Duration::from_mins(1);

/// Carry out `operation` on this thread. The outer error is a signal's exception (`KeyboardInterrupt`).
pub fn run<O: Operation>(
    py: Python<'_>,
    core: &Core,
    mut operation: O,
    terms: Terms<'_>,
) -> PyResult<Result<O::Output, Error>> {
    let connections = match core.connections() {
        Ok(connections) => connections,
        Err(error) => return Ok(Err(error)),
    };
    let step = match operation.start() {
        Step::Done(output) => return Ok(Ok(output)),
        step => step,
    };
    let gate = Gate::of(py, terms);
    match &*connections {
        #[cfg(feature = "embedded")]
        Connections::Embedded(engine) => engine::run(py, engine, operation, step, &gate),
        #[cfg(feature = "aws")]
        Connections::Network(remote) => run_remote(py, remote, operation, step, gate),
    }
}

fn run_remote<O: Operation, T: Transport + 'static>(
    py: Python<'_>,
    remote: &Remote<T>,
    mut operation: O,
    step: Step<O::Output>,
    gate: Gate,
) -> PyResult<Result<O::Output, Error>> {
    let lane = match remote.blocking.check_out() {
        Some(lane) => lane,
        None => match Lane::new(remote.connect()) {
            Ok(lane) => lane,
            Err(error) => {
                let message = format!("cannot start a runtime for this thread's calls: {error}");
                return Ok(Err(not_sent(TransportKind::Other, message)));
            }
        },
    };
    let outcome = {
        let mut driven = pin!(async {
            if lane.used {
                // The runtime stood still since its last call. The first turn sees what the network did meanwhile, the
                // second lets a connection that the server closed go; else the call would be sent into it and fail.
                yield_now().await;
                yield_now().await;
            }
            let transport = Gated::new(&lane.transport, gate);
            drive(&transport, &mut operation, step).await
        });
        loop {
            let finished = py.detach(|| {
                let tick = (Instant::now() + SIGNAL_TICK).into();
                lane.runtime().block_on(async {
                    tokio::select! {
                        biased;
                        outcome = &mut driven => Some(outcome),
                        () = sleep_until(tick) => None,
                    }
                })
            });
            match finished {
                Some(outcome) => break outcome,
                // An exception here drops the request, and the lane with its half-used connection.
                None => py.check_signals()?,
            }
        }
    };
    let retired = remote.blocking.check_in(lane);
    drop(retired);
    Ok(outcome)
}

/// The lanes that no thread is using.
pub struct Pool<T>(PerProcess<VecDeque<Lane<T>>>);

/// A runtime that is driven only during its calls, with the connections that live on it.
pub struct Lane<T> {
    transport: T,
    /// `None` only while the lane is dropped.
    runtime: Option<Runtime>,
    used: bool,
    idle_since: Instant,
}

impl<T> Lane<T> {
    fn new(transport: T) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            transport,
            runtime: Some(runtime),
            used: false,
            idle_since: Instant::now(),
        })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime
            .as_ref()
            .expect("a lane has its runtime until it is dropped")
    }
}

impl<T> Drop for Lane<T> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A plain drop would wait for a name lookup that hangs.
            runtime.shutdown_background();
        }
    }
}

impl<T> Pool<T> {
    pub const fn new() -> Self {
        Self(PerProcess::new())
    }

    fn check_out(&self) -> Option<Lane<T>> {
        self.0.with(VecDeque::new, VecDeque::pop_back)
    }

    /// Take a lane back, and give out one that has been idle too long.
    fn check_in(&self, mut lane: Lane<T>) -> Option<Lane<T>> {
        lane.used = true;
        lane.idle_since = Instant::now();
        self.0.with(VecDeque::new, |lanes| {
            lanes.push_back(lane);
            let is_stale = lanes.front().is_some_and(|lane| lane.idle_since.elapsed() > LANE_IDLE);
            if is_stale { lanes.pop_front() } else { None }
        })
    }
}
