//! Operations on the shared runtimes, whose outcomes are delivered wherever they are waited for.

use std::sync::Arc;

use pyo3::prelude::*;
use tokio::task::AbortHandle;

use super::core::Connections;
use super::drive::drive;
use super::rate::{Gate, Gated};
#[cfg(feature = "embedded")]
use super::runtime::ENGINE;
use super::runtime::{NETWORK, Shared};
use crate::error::{Error, TransportError, TransportKind};
use crate::ops::{Operation, Step};
use crate::transport::Transport;
use crate::transport::effort::Effort;

impl Connections {
    /// Carry an operation on from its first step, and deliver its outcome, with the number of bytes in its replies, on
    /// tokio's thread, which must not take the GIL there. Aborted, it delivers nothing.
    pub fn launch<O: Operation>(
        &self,
        py: Python<'_>,
        operation: O,
        step: Step<O::Output>,
        gate: Gate,
        deliver: impl FnOnce(Result<O::Output, Error>, usize) + Send + 'static,
    ) -> AbortHandle {
        let delivery = Delivery {
            outcome: None,
            bytes: 0,
            deliver: Some(deliver),
        };
        match self {
            #[cfg(feature = "embedded")]
            Self::Embedded(engine) => start(py, &ENGINE, Arc::new(engine.clone()), operation, step, gate, delivery),
            #[cfg(feature = "aws")]
            Self::Network(remote) => start(py, &NETWORK, remote.awaited(), operation, step, gate, delivery),
        }
    }
}

fn start<O: Operation, T: Transport + 'static>(
    py: Python<'_>,
    runtime: &Shared,
    transport: Arc<T>,
    mut operation: O,
    step: Step<O::Output>,
    gate: Gate,
    delivery: Delivery<O::Output, impl FnOnce(Result<O::Output, Error>, usize) + Send + 'static>,
) -> AbortHandle {
    runtime.spawn(py, async move {
        let transport = Gated::new(&*transport, gate);
        let outcome = drive(&transport, &mut operation, step).await;
        delivery.complete(outcome, transport.bytes_received());
    })
}

/// The way of an outcome to whoever waits for it: left there when the task ends, by whatever end.
struct Delivery<T, D: FnOnce(Result<T, Error>, usize)> {
    outcome: Option<Result<T, Error>>,
    bytes: usize,
    /// `None` only while it is dropped.
    deliver: Option<D>,
}

impl<T, D: FnOnce(Result<T, Error>, usize)> Delivery<T, D> {
    fn complete(mut self, outcome: Result<T, Error>, bytes: usize) {
        self.bytes = bytes;
        self.outcome = Some(outcome);
    }
}

impl<T, D: FnOnce(Result<T, Error>, usize)> Drop for Delivery<T, D> {
    fn drop(&mut self) {
        let outcome = match self.outcome.take() {
            Some(outcome) => outcome,
            // Else a panic would leave its caller waiting for ever.
            None if std::thread::panicking() => Err(Error::Transport(TransportError {
                kind: TransportKind::Other,
                message: "an internal error ended this call; its traceback is on standard error".to_owned(),
                ambiguous: true,
                effort: Effort::default(),
            })),
            // Aborted: nobody waits.
            None => return,
        };
        if let Some(deliver) = self.deliver.take() {
            deliver(outcome, self.bytes);
        }
    }
}
