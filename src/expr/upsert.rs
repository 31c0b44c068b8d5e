//! What an update must hold to be an upsert: of a missing item UpdateItem makes one, of the key and the actions alone.

use std::sync::Arc;

use super::ast::{Action, Path, Source};
use crate::error::{Error, Result};

/// Refuse what could not be done to a missing item, or would leave it without an attribute that every later read asks
/// for. `required` holds such attributes beside the table's key, each with its field's name.
pub fn check(actions: &[Action], required: &[(Arc<str>, Arc<str>)], title: &str) -> Result<()> {
    actions.iter().try_for_each(check_action)?;
    let is_given = |attribute: &Arc<str>| {
        actions.iter().any(|action| match action {
            Action::Set(path, _) | Action::Add(path, _) => path.as_attribute() == Some(attribute),
            Action::Remove(_) | Action::Delete(..) => false,
        })
    };
    let lacking: Vec<&str> = required
        .iter()
        .filter(|(attribute, _)| !is_given(attribute))
        .map(|(_, field)| &**field)
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "the upsert could create an item of {title} without {}, which the model requires: give it a value that does not come \
         from the stored item (set to a value, add, if_not_exists), or use update(), which creates nothing",
        lacking.join(", ")
    )))
}

/// Refuse an action that DynamoDB refuses where there is no item.
fn check_action(action: &Action) -> Result<()> {
    let path = action.path();
    if path.as_attribute().is_none() {
        return Err(Error::Expression(format!(
            "the upsert has an action on {path}, which lies inside an attribute that a missing item has not, so DynamoDB \
             would refuse it there: set the attribute as a whole, or use update() on an item that exists"
        )));
    }
    match action {
        Action::Set(_, source) => match read_by(source) {
            Some(read) => Err(Error::Expression(format!(
                "the upsert sets {path} to what is computed of {read}, which a missing item has not, so DynamoDB would \
                 refuse it there: give {read} a value for that case with if_not_exists(), or use update() on an item that \
                 exists"
            ))),
            None => Ok(()),
        },
        Action::Remove(_) | Action::Add(..) | Action::Delete(..) => Ok(()),
    }
}

/// What is read of the item where it has none of the attributes.
fn read_by(source: &Source) -> Option<&Path> {
    match source {
        Source::Value(_) => None,
        Source::Path(path) => Some(path),
        Source::IfNotExists(_, other) => read_by(other),
        Source::Appended(first, second) | Source::Plus(first, second) | Source::Minus(first, second) => {
            read_by(first).or_else(|| read_by(second))
        }
    }
}
