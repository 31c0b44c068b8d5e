//! The grammar of ConditionExpression and FilterExpression.

use std::cmp::Ordering;

use super::ast::{Condition, Path, Value};
use super::order;
use super::placeholders::{Placeholders, check_size};
use crate::error::{Error, Result};
use crate::limits;
use crate::wire::Tag;

/// Append the condition's text. NOT binds tighter than AND, and AND tighter than OR; brackets stand only where they are
/// needed, since DynamoDB refuses doubled ones.
pub fn write(text: &mut String, condition: &Condition, placeholders: &mut Placeholders) -> Result<()> {
    Text { text, placeholders }.condition(condition, Binding::Or, 0)
}

/// What the place of a condition binds by: a condition that binds more loosely needs brackets there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
}

struct Text<'a> {
    text: &'a mut String,
    placeholders: &'a mut Placeholders,
}

impl Text<'_> {
    fn condition(&mut self, condition: &Condition, place: Binding, depth: usize) -> Result<()> {
        // Each level has an operator, so a deeper tree is refused by DynamoDB anyway; here it must not end the stack.
        if depth > limits::EXPRESSION_OPERATORS {
            return Err(Error::Expression(format!(
                "the condition is nested deeper than the {} operators that DynamoDB allows in one expression: \
                 use all_of, any_of or is_in for long chains",
                limits::EXPRESSION_OPERATORS
            )));
        }
        match condition {
            Condition::And(parts) => self.joined(parts, " AND ", Binding::And, place, depth)?,
            Condition::Or(parts) => self.joined(parts, " OR ", Binding::Or, place, depth)?,
            Condition::Not(inner) => {
                self.text.push_str("NOT (");
                self.condition(inner, Binding::Or, depth + 1)?;
                self.text.push(')');
            }
            Condition::Compare(path, comparison, value) => {
                if comparison.is_order() {
                    check_ordered(path, comparison.symbol(), value)?;
                }
                self.comparison(path, comparison.symbol(), value);
            }
            Condition::Between(path, low, high) => self.between(path, low, high)?,
            Condition::In(path, values) => self.is_in(path, values)?,
            Condition::Exists(path) => self.function("attribute_exists", path, None),
            Condition::NotExists(path) => self.function("attribute_not_exists", path, None),
            Condition::BeginsWith(path, prefix) => {
                check_prefix(path, prefix)?;
                self.function("begins_with", path, Some(prefix));
            }
        }
        check_size(self.text)
    }

    fn joined(
        &mut self,
        parts: &[Condition],
        joint: &str,
        binding: Binding,
        place: Binding,
        depth: usize,
    ) -> Result<()> {
        let (first, rest) = match parts {
            [] => {
                let message = "all_of or any_of was given no condition: leave it out, or give at least one";
                return Err(Error::Expression(message.to_owned()));
            }
            [only] => return self.condition(only, place, depth + 1),
            [first, rest @ ..] => (first, rest),
        };
        let bracketed = binding < place;
        if bracketed {
            self.text.push('(');
        }
        self.condition(first, binding, depth + 1)?;
        for part in rest {
            self.text.push_str(joint);
            self.condition(part, binding, depth + 1)?;
        }
        if bracketed {
            self.text.push(')');
        }
        Ok(())
    }

    fn comparison(&mut self, path: &Path, symbol: &str, value: &Value) {
        self.placeholders.path(self.text, path);
        self.text.push(' ');
        self.text.push_str(symbol);
        self.text.push(' ');
        self.placeholders.value(self.text, value);
    }

    fn between(&mut self, path: &Path, low: &Value, high: &Value) -> Result<()> {
        check_range(path, low, high)?;
        if order::compare(low, high) == Some(Ordering::Greater) {
            // Nothing lies between, and DynamoDB refuses such a BETWEEN; two comparisons say the same.
            self.comparison(path, ">=", low);
            self.text.push_str(" AND ");
            self.comparison(path, "<=", high);
        } else {
            self.comparison(path, "BETWEEN", low);
            self.text.push_str(" AND ");
            self.placeholders.value(self.text, high);
        }
        Ok(())
    }

    fn is_in(&mut self, path: &Path, values: &[Value]) -> Result<()> {
        if values.is_empty() {
            return Err(Error::Expression(format!(
                "{path}: is_in was given no value, so it can never hold: leave the request out"
            )));
        }
        if values.len() > limits::IN_OPERANDS {
            return Err(Error::Expression(format!(
                "{path}: is_in was given {} values, and DynamoDB takes at most {}: \
                 join several with any_of, or ask several times",
                values.len(),
                limits::IN_OPERANDS
            )));
        }
        self.placeholders.path(self.text, path);
        self.text.push_str(" IN (");
        for (position, value) in values.iter().enumerate() {
            if position > 0 {
                self.text.push_str(", ");
            }
            self.placeholders.value(self.text, value);
        }
        self.text.push(')');
        Ok(())
    }

    fn function(&mut self, name: &str, path: &Path, operand: Option<&Value>) {
        self.text.push_str(name);
        self.text.push('(');
        self.placeholders.path(self.text, path);
        if let Some(operand) = operand {
            self.text.push_str(", ");
            self.placeholders.value(self.text, operand);
        }
        self.text.push(')');
    }
}

/// Only S, N and B have an order.
pub(super) fn check_ordered(path: &Path, operator: &str, value: &Value) -> Result<()> {
    if matches!(value.tag, Tag::S | Tag::N | Tag::B) {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{path}: {operator} needs a value that has an order (S, N or B on the wire), found {}",
        value.tag.name()
    )))
}

/// The ends of a range have an order, and the same one.
pub(super) fn check_range(path: &Path, low: &Value, high: &Value) -> Result<()> {
    check_ordered(path, "a range", low)?;
    check_ordered(path, "a range", high)?;
    if low.tag == high.tag {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{path}: the ends of a range must be of one type, found {} and {} on the wire",
        low.tag.name(),
        high.tag.name()
    )))
}

/// Only text and bytes begin with something.
pub(super) fn check_prefix(path: &Path, prefix: &Value) -> Result<()> {
    if matches!(prefix.tag, Tag::S | Tag::B) {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{path}: begins_with needs text or bytes (S or B on the wire), found {}",
        prefix.tag.name()
    )))
}
