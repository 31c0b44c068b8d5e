//! The grammar of UpdateExpression.

use std::fmt;

use super::ast::{Action, Path, Value};
use super::placeholders::{Placeholders, check_size};
use crate::error::{Error, Result};
use crate::wire::Tag;

/// Append the actions as `SET … REMOVE … ADD …`, each clause once, in the order in which they were given.
pub fn write(text: &mut String, actions: &[Action], placeholders: &mut Placeholders) -> Result<()> {
    if actions.is_empty() {
        let message = "the update has no action: give at least one of set, add and remove";
        return Err(Error::Expression(message.to_owned()));
    }
    check_overlaps(actions, |action| actions[action].path())?;
    clause(text, "SET ", actions, |text, action| {
        let Action::Set(path, value) = action else {
            return Ok(false);
        };
        placeholders.path(text, path);
        text.push_str(" = ");
        placeholders.value(text, value);
        Ok(true)
    })?;
    clause(text, "REMOVE ", actions, |text, action| {
        let Action::Remove(path) = action else { return Ok(false) };
        placeholders.path(text, path);
        Ok(true)
    })?;
    clause(text, "ADD ", actions, |text, action| {
        let Action::Add(path, value) = action else {
            return Ok(false);
        };
        check_addable(path, value)?;
        placeholders.path(text, path);
        text.push(' ');
        placeholders.value(text, value);
        Ok(true)
    })
}

/// Append one clause, unless no action belongs to it; `write` says whether an action does.
fn clause(
    text: &mut String,
    keyword: &str,
    actions: &[Action],
    mut write: impl FnMut(&mut String, &Action) -> Result<bool>,
) -> Result<()> {
    let start = text.len();
    let mut separator = keyword;
    for action in actions {
        let end = text.len();
        if end == start && start > 0 {
            text.push(' ');
        }
        text.push_str(separator);
        if write(text, action)? {
            separator = ", ";
            check_size(text)?;
        } else {
            text.truncate(end);
        }
    }
    Ok(())
}

fn check_addable(path: &Path, value: &Value) -> Result<()> {
    if matches!(value.tag, Tag::N | Tag::SS | Tag::NS | Tag::BS) {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{path}: add needs a number or a set (N, SS, NS or BS on the wire), found {}",
        value.tag.name()
    )))
}

/// DynamoDB refuses two actions on one path, and an action inside what another one replaces. The message has the names
/// that the caller gives to the actions.
pub fn check_overlaps<N: fmt::Display>(actions: &[Action], name: impl Fn(usize) -> N) -> Result<()> {
    let mut order: Vec<usize> = (0..actions.len()).collect();
    let path = |action: usize| &actions[action].path().0;
    // In this order a path stands right before those that begin with it.
    order.sort_by_key(|&action| path(action));
    let overlap = order.windows(2).find(|pair| path(pair[1]).starts_with(path(pair[0])));
    let Some(&[outer, inner]) = overlap else { return Ok(()) };
    Err(Error::Expression(if path(outer) == path(inner) {
        format!("the update has two actions on {}: keep one of them", name(outer))
    } else {
        format!(
            "the update has actions on both {} and {}, which lies inside it: keep one of them",
            name(outer),
            name(inner)
        )
    }))
}
