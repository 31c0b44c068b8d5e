//! DynamoDB over HTTPS.

use std::sync::Arc;

use super::config::Config;
use super::{Call, Reply, Transport, not_sent};
use crate::error::{Error, TransportKind};

pub struct Account {
    config: Config,
}

impl Account {
    pub fn new(config: Config) -> Arc<Self> {
        Arc::new(Self { config })
    }

    pub fn connect(self: &Arc<Self>) -> Aws {
        Aws(Arc::clone(self))
    }
}

pub struct Aws(Arc<Account>);

impl Transport for Aws {
    async fn call(&self, _call: Call) -> Result<Reply, Error> {
        Err(not_sent(TransportKind::Other, format!("{:?}", self.0.config)))
    }
}
