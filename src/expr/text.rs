//! Expression text while it grows, and DynamoDB's limits of it: checked with each part, so that a huge expression is
//! never written out.

use std::sync::Arc;

use super::ast::{Comparison, Path, Value};
use super::placeholders::Placeholders;
use crate::error::{Error, Result};
use crate::limits;

pub(super) struct Text<'a> {
    /// What the expression is, for errors: "condition".
    what: &'static str,
    out: &'a mut String,
    placeholders: &'a mut Placeholders,
    operators: usize,
}

impl<'a> Text<'a> {
    pub fn new(what: &'static str, out: &'a mut String, placeholders: &'a mut Placeholders) -> Self {
        Self {
            what,
            out,
            placeholders,
            operators: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.out.len()
    }

    pub fn truncate(&mut self, length: usize) {
        self.out.truncate(length);
    }

    pub fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Append what DynamoDB counts as an operator: a comparison, AND, OR, NOT, BETWEEN, IN, a function, plus, minus.
    pub fn operator(&mut self, text: &str) {
        self.operators += 1;
        self.out.push_str(text);
    }

    pub fn comparison(&mut self, comparison: Comparison) {
        self.operator(" ");
        self.push(comparison.symbol());
        self.push(" ");
    }

    pub fn name(&mut self, name: &Arc<str>) {
        self.placeholders.name(self.out, name);
    }

    pub fn path(&mut self, path: &Path) {
        self.placeholders.path(self.out, path);
    }

    pub fn value(&mut self, value: &Value) {
        self.placeholders.value(self.out, value);
    }

    /// Refuse what DynamoDB would refuse for its size.
    pub fn check(&self) -> Result<()> {
        let (found, expected) = if self.out.len() > limits::EXPRESSION_BYTES {
            ("text", format!("{} bytes", limits::EXPRESSION_BYTES))
        } else if self.operators > limits::EXPRESSION_OPERATORS {
            ("operators and functions", limits::EXPRESSION_OPERATORS.to_string())
        } else if self.placeholders.exceed(limits::EXPRESSION_VARIABLES_BYTES) {
            (
                "names and values",
                format!("{} bytes", limits::EXPRESSION_VARIABLES_BYTES),
            )
        } else {
            return Ok(());
        };
        Err(Error::Expression(format!(
            "the {} has more {found} than the {expected} that DynamoDB takes in one expression: split the request into \
             several, or ask for less in each",
            self.what
        )))
    }
}
