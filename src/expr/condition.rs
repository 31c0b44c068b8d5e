//! The grammar of ConditionExpression and FilterExpression.

use std::cmp::Ordering;

use super::ast::{Comparison, Condition, Operand, Path, Value};
use super::order;
use super::placeholders::Placeholders;
use super::text::Text;
use crate::error::{Error, Result};
use crate::limits;
use crate::wire::Tag;

/// Append the condition's text. NOT binds tighter than AND, and AND tighter than OR; brackets stand only where they are
/// needed, since DynamoDB refuses doubled ones.
pub fn write(text: &mut String, condition: &Condition, placeholders: &mut Placeholders) -> Result<()> {
    let mut text = Text::new("condition", text, placeholders);
    text.condition(condition, Binding::Or, 0)
}

/// What the place of a condition binds by: a condition that binds more loosely needs brackets there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
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
                self.operator("NOT (");
                self.condition(inner, Binding::Or, depth + 1)?;
                self.push(")");
            }
            Condition::Compare(left, comparison, right) => {
                if comparison.is_order() {
                    check_operand(left, comparison.symbol(), right)?;
                    check_operand(right, comparison.symbol(), left)?;
                }
                self.compare(left, *comparison, right);
            }
            Condition::Between(operand, low, high) => self.between(operand, low, high, place)?,
            Condition::In(operand, choices) => self.is_in(operand, choices)?,
            Condition::Exists(path) => self.function("attribute_exists(", path, None),
            Condition::NotExists(path) => self.function("attribute_not_exists(", path, None),
            Condition::HasType(path, tag) => self.function("attribute_type(", path, Some(&Operand::Value(tag.clone()))),
            Condition::BeginsWith(path, prefix) => {
                if let Operand::Value(prefix) = prefix {
                    check_prefix(path, prefix)?;
                }
                self.function("begins_with(", path, Some(prefix));
            }
            Condition::Contains(path, part) => self.function("contains(", path, Some(part)),
        }
        self.check()
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
            self.push("(");
        }
        self.condition(first, binding, depth + 1)?;
        for part in rest {
            self.operator(joint);
            self.condition(part, binding, depth + 1)?;
        }
        if bracketed {
            self.push(")");
        }
        Ok(())
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Size(path) => self.function("size(", path, None),
            Operand::Value(value) => self.value(value),
        }
    }

    fn compare(&mut self, left: &Operand, comparison: Comparison, right: &Operand) {
        self.operand(left);
        self.comparison(comparison);
        self.operand(right);
    }

    fn between(&mut self, operand: &Operand, low: &Operand, high: &Operand, place: Binding) -> Result<()> {
        if let (Operand::Value(low), Operand::Value(high)) = (low, high) {
            check_range(operand, low, high)?;
            if order::compare(low, high) == Some(Ordering::Greater) {
                // Nothing lies between, and DynamoDB refuses such a BETWEEN; two comparisons say the same.
                let bound = |comparison, value: &Value| Condition::compare(operand.clone(), comparison, value.clone());
                let nothing = Condition::all([
                    bound(Comparison::GreaterOrEqual, low),
                    bound(Comparison::LessOrEqual, high),
                ]);
                return self.condition(&nothing, place, 0);
            }
        }
        self.operand(operand);
        self.operator(" BETWEEN ");
        self.operand(low);
        self.push(" AND ");
        self.operand(high);
        Ok(())
    }

    fn is_in(&mut self, operand: &Operand, choices: &[Operand]) -> Result<()> {
        if choices.is_empty() {
            return Err(Error::Expression(format!(
                "{operand}: is_in was given no value, so it can never hold: leave the request out"
            )));
        }
        if choices.len() > limits::IN_OPERANDS {
            return Err(Error::Expression(format!(
                "{operand}: is_in was given {} values, and DynamoDB takes at most {}: \
                 join several with any_of, or ask several times",
                choices.len(),
                limits::IN_OPERANDS
            )));
        }
        self.operand(operand);
        self.operator(" IN (");
        for (position, choice) in choices.iter().enumerate() {
            if position > 0 {
                self.push(", ");
            }
            self.operand(choice);
        }
        self.push(")");
        Ok(())
    }

    /// `open` is the function's name with its bracket.
    fn function(&mut self, open: &str, path: &Path, operand: Option<&Operand>) {
        self.operator(open);
        self.path(path);
        if let Some(operand) = operand {
            self.push(", ");
            self.operand(operand);
        }
        self.push(")");
    }
}

/// As `check_ordered`; what a path holds only the item knows.
fn check_operand(asked: &Operand, operator: &str, operand: &Operand) -> Result<()> {
    match operand {
        Operand::Value(value) => check_ordered(asked, operator, value),
        Operand::Path(_) | Operand::Size(_) => Ok(()),
    }
}

/// Only S, N and B have an order. `asked` is what the value is compared with, for errors.
pub(super) fn check_ordered(asked: impl std::fmt::Display, operator: &str, value: &Value) -> Result<()> {
    if matches!(value.tag, Tag::S | Tag::N | Tag::B) {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{asked}: {operator} needs a value that has an order (S, N or B on the wire), found {}",
        value.tag.name()
    )))
}

/// The ends of a range have an order, and the same one.
pub(super) fn check_range(asked: impl std::fmt::Display, low: &Value, high: &Value) -> Result<()> {
    check_ordered(&asked, "a range", low)?;
    check_ordered(&asked, "a range", high)?;
    if low.tag == high.tag {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{asked}: the ends of a range must be of one type, found {} and {} on the wire",
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
