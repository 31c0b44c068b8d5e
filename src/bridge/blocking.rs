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
use super::drive::{advance, drive, several};
use super::process::PerProcess;
use super::rate::{Gate, Gated, Limits, Passage};
use crate::error::{Error, TransportKind};
use crate::ops::{NumberedCall, Operation, Step};
use crate::transport::{Call, Transport, not_sent};

/// How long a signal may wait; most calls end before the first look.
pub const SIGNAL_TICK: Duration = Duration::from_millis(50);
/// A lane unused for so long has only connections that the server closed.
const LANE_IDLE: Duration = Duration::from_mins(1);

/// Carry out `operation` on this thread. The outer error is a signal's exception (`KeyboardInterrupt`).
pub fn run<O: Operation>(
    py: Python<'_>,
    core: &Core,
    mut operation: O,
    limits: Option<&Limits>,
) -> PyResult<Result<O::Output, Error>> {
    let connections = match core.connections() {
        Ok(connections) => connections,
        Err(error) => return Ok(Err(error)),
    };
    let step = match operation.start() {
        Step::Done(output) => return Ok(Ok(output)),
        step => step,
    };
    let gate = Gate::of(py, limits);
    match &*connections {
        #[cfg(feature = "embedded")]
        Connections::Embedded(engine) => run_embedded(py, engine, operation, step, &gate),
        #[cfg(feature = "aws")]
        Connections::Network(remote) => run_remote(py, remote, operation, step, gate),
    }
}

/// The engine is called, not awaited: no runtime takes part.
#[cfg(feature = "embedded")]
fn run_embedded<O: Operation>(
    py: Python<'_>,
    engine: &crate::transport::embedded::Embedded,
    mut operation: O,
    mut step: Step<O::Output>,
    gate: &Gate,
) -> PyResult<Result<O::Output, Error>> {
    loop {
        let call = match step {
            Step::Done(output) => return Ok(Ok(output)),
            Step::Call(call) => call,
            Step::CallAfter(delay, call) => {
                sleep_interruptibly(py, delay)?;
                call
            }
            Step::Calls(calls) => return run_embedded_several(py, engine, operation, calls, gate),
        };
        let (call, passage) = pass(py, gate, call)?;
        match py.detach(|| advance(&mut operation, passage.through(engine.execute(&call)))) {
            Ok(next) => step = next,
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// As the engine does one call at a time, those under way are made by the times they are due.
#[cfg(feature = "embedded")]
fn run_embedded_several<O: Operation>(
    py: Python<'_>,
    engine: &crate::transport::embedded::Embedded,
    mut operation: O,
    mut calls: Vec<NumberedCall>,
    gate: &Gate,
) -> PyResult<Result<O::Output, Error>> {
    let mut under_way: VecDeque<(Instant, usize, Call)> = VecDeque::with_capacity(calls.len());
    loop {
        let now = Instant::now();
        for NumberedCall { number, after, call } in calls {
            let due = now + after;
            let place = under_way.partition_point(|(earlier, ..)| *earlier <= due);
            under_way.insert(place, (due, number, call));
        }
        let (due, number, call) = under_way
            .pop_front()
            .expect("an operation waits for an answer to one of its calls");
        sleep_interruptibly(py, due.saturating_duration_since(Instant::now()))?;
        let (call, passage) = pass(py, gate, call)?;
        match py
            .detach(|| operation.answer(number, passage.through(engine.execute(&call))))
            .map(several)
        {
            Ok(Ok(further)) => calls = further,
            Ok(Err(output)) => return Ok(Ok(output)),
            Err(error) => return Ok(Err(error)),
        }
        py.check_signals()?;
    }
}

#[cfg(feature = "embedded")]
fn pass<'a>(py: Python<'_>, gate: &'a Gate, call: Call) -> PyResult<(Call, Passage<'a>)> {
    let (call, mut passage) = gate.enter(call);
    while let Some(wait) = passage.wait() {
        sleep_interruptibly(py, wait)?;
    }
    Ok((call, passage))
}

#[cfg(feature = "embedded")]
fn sleep_interruptibly(py: Python<'_>, delay: Duration) -> PyResult<()> {
    let end = Instant::now() + delay;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        py.detach(|| std::thread::sleep(left.min(SIGNAL_TICK)));
        py.check_signals()?;
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
            let transport = Gated {
                transport: &lane.transport,
                gate,
            };
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
