//! What a write asks of the item that is stored now, and what its refusal means to the caller.

use std::sync::Arc;

use super::body::Body;
use super::reply;
use crate::error::{ConditionFailure, ConditionMeaning, Error, Result};
use crate::expr::ast::{Condition, Path};

/// The condition of a write. The default asks for nothing.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    condition: Option<Condition>,
    meaning: Meaning,
}

impl Guard {
    /// There must be no item yet. A partition attribute tells, since every item has it.
    #[must_use]
    pub fn absent(partition: Arc<str>) -> Self {
        Self {
            condition: Some(Condition::NotExists(Path::attribute(partition))),
            meaning: Meaning::Exists,
        }
    }

    /// There must be an item already.
    #[must_use]
    pub fn present(partition: Arc<str>) -> Self {
        Self {
            condition: Some(Condition::Exists(Path::attribute(partition))),
            meaning: Meaning::NotFoundOrCondition,
        }
    }

    /// The caller's condition must hold as well.
    #[must_use]
    pub fn with(mut self, condition: Option<Condition>) -> Self {
        if condition.is_some() {
            self.meaning = match self.meaning {
                Meaning::Nothing => Meaning::Condition,
                Meaning::Exists => Meaning::ExistsOrCondition,
                other => other,
            };
        }
        self.condition = Condition::both(self.condition, condition);
        self
    }

    /// Write the condition, and ask for the item that stands against it.
    pub(super) fn write(&self, body: &mut Body) -> Result<()> {
        if let Some(condition) = &self.condition {
            body.condition("ConditionExpression", condition)?;
            body.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
        }
        Ok(())
    }

    /// The meaning of a failed write's error.
    pub(super) fn meaning(&self) -> Meaning {
        self.meaning
    }
}

/// What is kept of a guard once its condition is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Meaning {
    /// There is no condition.
    #[default]
    Nothing,
    Condition,
    Exists,
    ExistsOrCondition,
    NotFoundOrCondition,
}

impl Meaning {
    pub fn is_conditional(self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// The error in the caller's terms.
    pub fn explain(self, operation: &str, error: Error) -> Error {
        let Error::Service(error) = error else {
            return error;
        };
        if error.code != "ConditionalCheckFailedException" {
            return Error::Service(error);
        }
        let item = match reply::json(&error.body, "Item", operation) {
            Ok(item) => item,
            Err(unreadable) => return unreadable,
        };
        let meaning = match (self, &item) {
            (Self::Exists, _) | (Self::ExistsOrCondition, Some(_)) => ConditionMeaning::ItemExists,
            (Self::NotFoundOrCondition, None) => ConditionMeaning::ItemNotFound,
            _ => ConditionMeaning::ConditionFailed,
        };
        Error::Condition(ConditionFailure {
            meaning,
            item,
            request_id: error.request_id,
        })
    }
}
