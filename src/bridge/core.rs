//! One client's connections, made with the first call.

use std::sync::{Arc, Mutex, PoisonError};

use super::blocking::Pool;
use super::process::PerProcess;
use crate::error::{Error, TransportKind};
#[cfg(feature = "aws")]
use crate::transport::aws::{Account, Aws};
#[cfg(feature = "aws")]
use crate::transport::config::Config;
#[cfg(feature = "embedded")]
use crate::transport::embedded::Embedded;
use crate::transport::{Transport, not_sent};

/// What `run` and `spawn` send through, until it is closed.
pub struct Core(Mutex<Option<Arc<Connections>>>);

pub enum Connections {
    #[cfg(feature = "embedded")]
    Embedded(Embedded),
    #[cfg(feature = "aws")]
    Network(Remote<Aws>),
}

/// A transport over a network: one for each blocking caller at a time, one for all who await.
pub struct Remote<T> {
    connect: Box<dyn Fn() -> T + Send + Sync>,
    pub(super) blocking: Pool<T>,
    awaited: PerProcess<Arc<T>>,
}

impl Core {
    #[cfg(feature = "embedded")]
    pub fn embedded(engine: Embedded) -> Self {
        Self::open(Connections::Embedded(engine))
    }

    #[cfg(feature = "aws")]
    pub fn aws(config: Config) -> Self {
        // A fork may catch the account's credentials half asked for, so a child finds its own.
        let account = PerProcess::new();
        let connect = move || account.with(|| Account::new(config.clone()), |account| account.connect());
        Self::open(Connections::Network(Remote::new(connect)))
    }

    fn open(connections: Connections) -> Self {
        Self(Mutex::new(Some(Arc::new(connections))))
    }

    /// Refuse further calls and let go of the connections as the calls in flight end.
    pub fn close(&self) {
        let connections = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(connections);
    }

    pub(super) fn connections(&self) -> Result<Arc<Connections>, Error> {
        let connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connections.clone().ok_or_else(|| {
            not_sent(
                TransportKind::Closed,
                "this client is closed; make a new one for further calls",
            )
        })
    }
}

impl<T: Transport + 'static> Remote<T> {
    fn new(connect: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self {
            connect: Box::new(connect),
            blocking: Pool::new(),
            awaited: PerProcess::new(),
        }
    }

    pub(super) fn connect(&self) -> T {
        (self.connect)()
    }

    /// The transport of every awaiting caller; its connections live on the shared runtime.
    pub(super) fn awaited(&self) -> Arc<T> {
        self.awaited
            .with(|| Arc::new(self.connect()), |transport| Arc::clone(transport))
    }
}
