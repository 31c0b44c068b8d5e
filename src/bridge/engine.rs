//! `run` for an embedded engine: it is called, not awaited, so that no runtime takes part.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::blocking::SIGNAL_TICK;
use super::drive::{advance, several};
use super::rate::{Gate, Passage};
use crate::error::Error;
use crate::ops::{NumberedCall, Operation, Step};
use crate::transport::Call;
use crate::transport::embedded::Embedded;

/// Carry out `operation` on this thread. The outer error is a signal's exception.
pub fn run<O: Operation>(
    py: Python<'_>,
    engine: &Embedded,
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
            Step::Calls(calls) => return run_several(py, engine, operation, calls, gate),
        };
        let (call, passage) = pass(py, gate, call)?;
        match py.detach(|| advance(&mut operation, passage.through(engine.execute(&call)))) {
            Ok(next) => step = next,
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// As the engine does one call at a time, those under way are made by the times they are due.
fn run_several<O: Operation>(
    py: Python<'_>,
    engine: &Embedded,
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

fn pass<'a>(py: Python<'_>, gate: &'a Gate, call: Call) -> PyResult<(Call, Passage<'a>)> {
    let (call, mut passage) = gate.enter(call);
    while let Some(wait) = passage.wait() {
        sleep_interruptibly(py, wait)?;
    }
    Ok((call, passage))
}

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
