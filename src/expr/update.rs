//! The grammar of UpdateExpression.

use std::fmt;

use super::ast::{Action, Path, Source, Value};
use super::placeholders::Placeholders;
use super::text::Text;
use crate::error::{Error, Result};
use crate::limits;
use crate::wire::Tag;

/// Append the actions as `SET … REMOVE … ADD … DELETE …`, each clause once, in the order in which they were given.
pub fn write(text: &mut String, actions: &[Action], placeholders: &mut Placeholders) -> Result<()> {
    if actions.is_empty() {
        let message = "the update has no action: give at least one of set, add and remove";
        return Err(Error::Expression(message.to_owned()));
    }
    check_overlaps(actions, |action| actions[action].path())?;
    let mut text = Text::new("update", text, placeholders);
    text.clause("SET ", actions, |text, action| {
        let Action::Set(path, source) = action else {
            return Ok(false);
        };
        text.path(path);
        text.push(" = ");
        text.source(source, 0)?;
        Ok(true)
    })?;
    text.clause("REMOVE ", actions, |text, action| {
        let Action::Remove(path) = action else { return Ok(false) };
        text.path(path);
        Ok(true)
    })?;
    text.clause("ADD ", actions, |text, action| {
        let Action::Add(path, value) = action else {
            return Ok(false);
        };
        check_addable(path, value)?;
        text.change(path, value);
        Ok(true)
    })?;
    text.clause("DELETE ", actions, |text, action| {
        let Action::Delete(path, value) = action else {
            return Ok(false);
        };
        check_deletable(path, value)?;
        text.change(path, value);
        Ok(true)
    })
}

impl Text<'_> {
    /// Append one clause, unless no action belongs to it; `write` says whether an action does.
    fn clause(
        &mut self,
        keyword: &str,
        actions: &[Action],
        mut write: impl FnMut(&mut Self, &Action) -> Result<bool>,
    ) -> Result<()> {
        let start = self.len();
        let mut separator = keyword;
        for action in actions {
            let end = self.len();
            if end == start && start > 0 {
                self.push(" ");
            }
            self.push(separator);
            if write(self, action)? {
                separator = ", ";
                self.check()?;
            } else {
                self.truncate(end);
            }
        }
        Ok(())
    }

    fn change(&mut self, path: &Path, value: &Value) {
        self.path(path);
        self.push(" ");
        self.value(value);
    }

    fn source(&mut self, source: &Source, depth: usize) -> Result<()> {
        // Each level is an operator or a function, so a deeper one is refused by DynamoDB anyway; here it must not end
        // the stack.
        if depth > limits::EXPRESSION_OPERATORS {
            return Err(Error::Expression(format!(
                "the value of a set is nested deeper than the {} operators that DynamoDB allows in one expression",
                limits::EXPRESSION_OPERATORS
            )));
        }
        match source {
            Source::Value(value) => self.value(value),
            Source::Path(path) => self.path(path),
            Source::IfNotExists(path, other) => {
                self.operator("if_not_exists(");
                self.path(path);
                self.push(", ");
                self.source(other, depth + 1)?;
                self.push(")");
            }
            Source::Appended(first, second) => {
                self.operator("list_append(");
                self.source(first, depth + 1)?;
                self.push(", ");
                self.source(second, depth + 1)?;
                self.push(")");
            }
            Source::Plus(left, right) => self.sum(left, " + ", right, depth)?,
            Source::Minus(left, right) => self.sum(left, " - ", right, depth)?,
        }
        Ok(())
    }

    fn sum(&mut self, left: &Source, operator: &str, right: &Source, depth: usize) -> Result<()> {
        self.addend(left, depth)?;
        self.operator(operator);
        self.addend(right, depth)
    }

    /// DynamoDB's grammar has one operator in a sum, and brackets round a sum in it.
    fn addend(&mut self, source: &Source, depth: usize) -> Result<()> {
        let is_sum = matches!(source, Source::Plus(..) | Source::Minus(..));
        if is_sum {
            self.push("(");
        }
        self.source(source, depth + 1)?;
        if is_sum {
            self.push(")");
        }
        Ok(())
    }
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

fn check_deletable(path: &Path, value: &Value) -> Result<()> {
    if matches!(value.tag, Tag::SS | Tag::NS | Tag::BS) {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{path}: delete needs a set (SS, NS or BS on the wire), found {}",
        value.tag.name()
    )))
}

/// DynamoDB refuses two actions on one path, and an action inside what another one replaces. The message has the names
/// that the caller gives to the actions.
pub fn check_overlaps<N: fmt::Display>(actions: &[Action], name: impl Fn(usize) -> N) -> Result<()> {
    let path = |action: usize| &actions[action].path().0;
    if has_own_roots(actions) {
        return Ok(());
    }
    let mut order: Vec<usize> = (0..actions.len()).collect();
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

/// Whether the actions are few, as they are nearly always, and each is on another attribute of the item: then no two
/// overlap, and nothing needs to be sorted.
fn has_own_roots(actions: &[Action]) -> bool {
    const FEW: usize = 8;
    actions.len() <= FEW
        && actions.iter().enumerate().all(|(place, action)| {
            actions[..place]
                .iter()
                .all(|other| other.path().root() != action.path().root())
        })
}
