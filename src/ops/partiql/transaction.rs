//! ExecuteTransaction: statements that happen together or not at all, or reads of one moment.

use std::sync::Arc;

use super::{Statement, write_all};
use crate::error::{Error, Result};
use crate::ops::body::member;
use crate::ops::{Operation, Step, StoredItem, cancellation, idempotency, reply};
use crate::transport::{Call, Reply};
use crate::wire::reader;
use crate::wire::writer;

const OPERATION: &str = "ExecuteTransaction";

/// The items that the statements found, in their order; writes give none.
#[derive(Debug, Clone)]
pub struct ExecuteTransaction {
    statements: Arc<[Statement]>,
    token: Option<Arc<str>>,
}

impl ExecuteTransaction {
    /// Without a token each run gets one of its own, so that sending it again is harmless.
    #[must_use]
    pub fn new(statements: Vec<Statement>, token: Option<Arc<str>>) -> Self {
        Self {
            statements: statements.into(),
            token,
        }
    }

    fn reads(&self) -> bool {
        self.statements.iter().all(|statement| statement.kind.is_read())
    }

    fn read(&self, reply: &Reply) -> reader::Result<Vec<Option<StoredItem>>> {
        if !self.reads() {
            return Ok(vec![None; self.statements.len()]);
        }
        reply::found(reply, self.statements.len())
    }
}

impl Operation for ExecuteTransaction {
    type Output = Vec<Option<StoredItem>>;

    fn start(&mut self) -> Step<Self::Output> {
        if self.statements.is_empty() {
            return Step::Done(Vec::new());
        }
        let mut body = vec![b'{'];
        match &self.token {
            Some(token) => writer::push_text(member(&mut body, "ClientRequestToken"), token),
            None => writer::push_text(member(&mut body, "ClientRequestToken"), &idempotency::token()),
        }
        write_all("TransactStatements", self.statements.iter(), false, &mut body);
        body.push(b'}');
        Step::Call(Call {
            operation: OPERATION,
            body: body.into(),
        })
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>> {
        let found = self.read(&reply);
        found
            .map(Step::Done)
            .map_err(|error| reply::unreadable(OPERATION, &error))
    }

    fn fail(&mut self, error: Error) -> Result<Step<Self::Output>> {
        Err(cancellation::explain(error))
    }
}
