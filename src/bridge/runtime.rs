//! The threads that awaited calls run on: one for networks, one for embedded engines, each started with the first
//! call that needs it.

use std::future::Future;

use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use super::process::PerProcess;

/// A multi-thread runtime of one worker, shared by all clients. It is never dropped: the process ends around it.
pub struct Shared {
    name: &'static str,
    runtime: PerProcess<Runtime>,
}

pub static NETWORK: Shared = Shared::new("oxidyn-network");
/// Engine calls compute where a network call waits, so they have a worker that they may hold up.
#[cfg(feature = "embedded")]
pub static ENGINE: Shared = Shared::new("oxidyn-engine");

impl Shared {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            runtime: PerProcess::new(),
        }
    }

    pub fn spawn(&self, _py: Python<'_>, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let start = || {
            Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name(self.name)
                .enable_all()
                .build()
                .expect("starting a thread fails only when the process may have no more")
        };
        self.runtime.with(start, |runtime| runtime.spawn(task).abort_handle())
    }
}
