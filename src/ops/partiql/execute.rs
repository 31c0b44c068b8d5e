//! ExecuteStatement: one statement, all its pages.

use bytes::Bytes;

use super::{CONDITION_FAILED, Statement, explain};
use crate::error::{Error, Result};
use crate::ops::body::member;
use crate::ops::{Operation, Step, StoredItem, reply};
use crate::transport::{Call, Reply};
use crate::wire::reader::{self, Reader};
use crate::wire::writer;

const OPERATION: &str = "ExecuteStatement";

/// One statement. Its items come together, over as many pages as there are.
#[derive(Debug, Clone)]
pub struct Execute {
    /// The body without its closing bracket.
    head: Bytes,
    is_resumable: bool,
    /// Items wanted in all.
    limit: Option<u64>,
    found: Vec<StoredItem>,
    /// The JSON of the token by which the request under way goes on after a page.
    token: Option<Bytes>,
}

/// What a statement found, in DynamoDB's order.
pub type Found = Vec<StoredItem>;

impl Execute {
    #[must_use]
    pub fn new(statement: &Statement, consistent: bool, limit: Option<u64>) -> Self {
        let mut head = vec![b'{'];
        statement.write(consistent, &mut head);
        Self {
            head: head.into(),
            is_resumable: statement.is_resumable,
            // A write gives one item at most, and has no such option.
            limit: limit.filter(|_| statement.kind.is_read()),
            found: Vec::new(),
            token: None,
        }
    }

    fn call(&self) -> Call {
        let mut body = self.head.to_vec();
        match (&self.token, self.limit) {
            // DynamoDB's own `Limit` counts what it looks at, and whether a condition leaves some out is not known. So
            // the first page asks for no more than is wanted, and when that was not enough the rest is read in whole
            // pages: as many small ones as there are items would cost more.
            (None, Some(limit)) if self.is_resumable => {
                let limit = i64::from(i32::try_from(limit).unwrap_or(i32::MAX));
                writer::push_integer(member(&mut body, "Limit"), limit);
            }
            (Some(token), _) => member(&mut body, "NextToken").extend_from_slice(token),
            (None, _) => {}
        }
        body.push(b'}');
        Call {
            operation: OPERATION,
            body: body.into(),
        }
    }

    fn is_satisfied(&self) -> bool {
        self.limit.is_some_and(|limit| self.found.len() as u64 >= limit)
    }

    /// Take a page's items, and give the JSON of the next one's token.
    fn read(&mut self, reply: &Reply) -> reader::Result<Option<Bytes>> {
        let mut token = None;
        reply::members(&mut Reader::new(&reply.body), |name, reader| match name {
            "Items" if !reader.try_null() => reply::elements(reader, |reader| {
                reader.peek();
                if !self.is_satisfied() {
                    self.found.push(StoredItem {
                        body: reply.body.clone(),
                        start: reader.position(),
                        request_id: reply.request_id.clone(),
                    });
                }
                reader.skip_value()
            }),
            "NextToken" if !reader.try_null() => {
                let value = reader.raw_value()?;
                let next = reply.body.slice(value);
                if self.token.as_ref() == Some(&next) {
                    // It would be asked for again for ever.
                    return Err(reader.error("a NextToken behind the one that it was asked by"));
                }
                token = Some(next);
                Ok(())
            }
            "Items" | "NextToken" => Ok(()),
            _ => reader.skip_value(),
        })?;
        Ok(token)
    }
}

impl Operation for Execute {
    type Output = Found;

    fn start(&mut self) -> Step<Found> {
        Step::Call(self.call())
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Found>> {
        let token = self
            .read(&reply)
            .map_err(|error| reply::unreadable(OPERATION, &error))?;
        Ok(match token {
            Some(token) if !self.is_satisfied() => {
                self.token = Some(token);
                Step::Call(self.call())
            }
            _ => Step::Done(std::mem::take(&mut self.found)),
        })
    }

    fn fail(&mut self, error: Error) -> Result<Step<Found>> {
        let Error::Service(mut error) = error else {
            return Err(error);
        };
        if self.token.is_some() && !self.is_resumable {
            error.message.push_str(
                ". There is more than one page, and DynamoDB goes on after the first only where no parameter is a list \
                 or a map: write that one into the text, or narrow the statement to one page (1 MB)",
            );
        }
        let item = match error.code.as_str() {
            CONDITION_FAILED => reply::json(&error.body, "Item", OPERATION)?,
            _ => None,
        };
        Err(explain(error, item))
    }
}
