//! BatchExecuteStatement, for any number of statements: each is answered by itself.

use std::sync::Arc;

use bytes::Bytes;

use super::{Statement, explain, write_all};
use crate::error::{Error, Result, ServiceError, TransportError, TransportKind};
use crate::limits;
use crate::ops::backoff::Backoff;
use crate::ops::{Operation, Step, StoredItem, is_throttling, reply};
use crate::transport::effort::Effort;
use crate::transport::{Call, Reply};
use crate::wire::reader::{self, Reader};

const OPERATION: &str = "BatchExecuteStatement";

/// Many statements, in as few requests as their order allows: DynamoDB takes reads or writes in one request, so one ends
/// where the other begins. A statement that DynamoDB throttles is sent again by itself.
#[derive(Debug, Clone)]
pub struct BatchExecute {
    statements: Arc<[Statement]>,
    consistent: bool,
    /// Of the statements that are answered; those that are not have `None`.
    outcomes: Vec<Option<Outcome>>,
    /// The statements of the request under way.
    chunk: Vec<usize>,
    /// The first statement that was not sent yet.
    next: usize,
    backoff: Backoff,
}

/// What became of one statement: the item that it found or returned, if there is one.
pub type Outcome = Result<Option<StoredItem>>;

impl BatchExecute {
    #[must_use]
    pub fn new(statements: Vec<Statement>, consistent: bool) -> Self {
        Self {
            outcomes: vec![None; statements.len()],
            statements: statements.into(),
            consistent,
            chunk: Vec::new(),
            next: 0,
            backoff: Backoff::default(),
        }
    }

    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Send the next statements, or give the answers.
    fn advance(&mut self) -> Step<Vec<Outcome>> {
        self.backoff.succeeded();
        let rest = &self.statements[self.next..];
        let alike = |statement: &&Statement| statement.kind.is_read() == rest[0].kind.is_read();
        let count = rest.iter().take_while(alike).take(limits::BATCH_STATEMENTS).count();
        self.chunk = (self.next..self.next + count).collect();
        self.next += count;
        if self.chunk.is_empty() {
            Step::Done(self.outcomes.iter_mut().filter_map(Option::take).collect())
        } else {
            Step::Call(self.call())
        }
    }

    fn call(&self) -> Call {
        let mut body = vec![b'{'];
        let statements = self.chunk.iter().map(|place| &self.statements[*place]);
        write_all("Statements", statements, self.consistent, &mut body);
        body.push(b'}');
        Call {
            operation: OPERATION,
            body: body.into(),
        }
    }

    /// Take the answers of a reply, and keep of the chunk what is to be sent again.
    fn read(&mut self, reply: &Reply) -> reader::Result<()> {
        let mut places = self.chunk.iter();
        let mut again = Vec::new();
        let mut reader = Reader::new(&reply.body);
        reply::members(&mut reader, |name, reader| match name {
            "Responses" => reply::elements(reader, |reader| {
                let Some(&place) = places.next() else {
                    return Err(reader.error("one response for each statement"));
                };
                let outcome = read_response(reader, reply)?;
                if outcome.as_ref().is_err_and(is_passing) {
                    again.push(place);
                }
                self.outcomes[place] = Some(outcome);
                Ok(())
            }),
            _ => reader.skip_value(),
        })?;
        if places.next().is_some() {
            return Err(reader.error("a response for each statement"));
        }
        self.chunk = again;
        Ok(())
    }

    /// The request under way failed as a whole. What is answered already is not lost: the failure is the answer of the
    /// statements that it left without one, and only where there are no others it is raised.
    fn give_up(&mut self, error: Error) -> Result<Step<Vec<Outcome>>> {
        let unsent = self.next..self.statements.len();
        if self.chunk.len() + unsent.len() == self.statements.len() {
            return Err(error);
        }
        for place in unsent {
            self.outcomes[place] = Some(Err(unsent_error(&error)));
        }
        for place in std::mem::take(&mut self.chunk) {
            self.outcomes[place] = Some(Err(error.clone()));
        }
        self.next = self.statements.len();
        Ok(self.advance())
    }
}

/// Whether the statement was not carried out, and may be a moment later.
fn is_passing(error: &Error) -> bool {
    is_throttling(error) || matches!(error, Error::Service(error) if error.code == "TransactionConflictException")
}

/// The failure of a request, as those know it that were to come after it: nothing of them was done.
fn unsent_error(error: &Error) -> Error {
    match error {
        Error::Transport(error) => Error::Transport(TransportError {
            ambiguous: false,
            ..error.clone()
        }),
        // DynamoDB's own doubt is in the answer, and this one answers what was sent.
        Error::Service(error) if error.is_ambiguous() => Error::Transport(TransportError {
            kind: TransportKind::Other,
            message: format!("it was not sent, since the request before it failed ({error})"),
            ambiguous: false,
            effort: Effort::default(),
        }),
        error => error.clone(),
    }
}

/// `{"Item":{…}}`, `{"Error":{"Code":…,"Message":…,"Item":{…}}}`, or neither.
fn read_response(reader: &mut Reader<'_>, reply: &Reply) -> reader::Result<Outcome> {
    let mut found = None;
    let mut refusal = None;
    reply::members(reader, |name, reader| match name {
        "Item" if !reader.try_null() => {
            let start = reader.raw_value()?.start;
            found = Some(StoredItem {
                body: reply.body.clone(),
                start,
                request_id: reply.request_id.clone(),
            });
            Ok(())
        }
        "Error" if !reader.try_null() => {
            refusal = Some(read_refusal(reader, reply)?);
            Ok(())
        }
        "Item" | "Error" => Ok(()),
        _ => reader.skip_value(),
    })?;
    Ok(refusal.map_or(Ok(found), Err))
}

fn read_refusal(reader: &mut Reader<'_>, reply: &Reply) -> reader::Result<Error> {
    let mut code = String::new();
    let mut message = String::new();
    let mut item: Option<Bytes> = None;
    reply::members(reader, |name, reader| {
        match name {
            "Code" => code = reply::full_code(&reader.text()?),
            "Message" if !reader.try_null() => message = reader.text()?.to_string(),
            "Item" if !reader.try_null() => item = Some(reply.body.slice(reader.raw_value()?)),
            "Message" | "Item" => {}
            _ => reader.skip_value()?,
        }
        Ok(())
    })?;
    let error = ServiceError {
        code,
        message,
        // The request itself succeeded.
        status: 200,
        request_id: reply.request_id.clone(),
        body: Bytes::new(),
        in_doubt: false,
        effort: reply.effort,
    };
    Ok(explain(error, item))
}

impl Operation for BatchExecute {
    type Output = Vec<Outcome>;

    fn start(&mut self) -> Step<Self::Output> {
        self.advance()
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Self::Output>> {
        if let Err(error) = self.read(&reply) {
            return self.give_up(reply::unreadable(OPERATION, &error));
        }
        if self.chunk.is_empty() {
            return Ok(self.advance());
        }
        Ok(match self.backoff.next_wait() {
            Some(wait) => Step::CallAfter(wait, self.call()),
            // Their refusals are their answers.
            None => self.advance(),
        })
    }

    fn fail(&mut self, error: Error) -> Result<Step<Self::Output>> {
        if is_throttling(&error)
            && let Some(wait) = self.backoff.next_wait()
        {
            return Ok(Step::CallAfter(wait, self.call()));
        }
        self.give_up(error)
    }
}
