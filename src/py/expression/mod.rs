//! Python's conditions and actions -> `expr::ast`, with every value written by its own field's codec. What can be refused
//! without the plan (None, conditions as values, an empty `is_in`) never comes here: see `python/oxidyn/expressions.py`.
//!
//! | file | what it holds |
//! |---|---|
//! | `condition` | conditions |
//! | `comparison` | two stored things compared: fields and sizes |
//! | `update` | actions |
//! | `source` | what a `set` writes: values, fields, what is computed of them |
//! | `subject` | references and sizes, and where they lie |

mod comparison;
mod condition;
mod source;
mod subject;
mod update;

pub use condition::condition;
pub use subject::path;
pub use update::actions;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::py::exceptions;

/// The tuple of an expression: its operator, then its operands.
struct Node<'py>(Bound<'py, PyTuple>);

impl<'py> Node<'py> {
    fn of(expression: &Bound<'py, PyAny>) -> PyResult<Self> {
        let node = expression.getattr(intern!(expression.py(), "__oxidyn_node__"))?;
        Ok(Self(node.cast_into()?))
    }

    fn operator(&self) -> PyResult<Bound<'py, PyString>> {
        Ok(self.0.get_item(0)?.cast_into()?)
    }

    fn operand(&self, place: usize) -> PyResult<Bound<'py, PyAny>> {
        self.0.get_item(place)
    }

    fn operands(&self) -> impl Iterator<Item = Bound<'py, PyAny>> {
        self.0.iter().skip(1)
    }
}

/// How an expression is spelled: `User.address.city`. Reprs show no values.
fn name(expression: &Bound<'_, PyAny>) -> String {
    expression
        .repr()
        .map_or_else(|_| "the field".to_owned(), |text| text.to_string())
}

#[cold]
fn refuse(py: Python<'_>, message: String) -> PyErr {
    exceptions::plain(py, "InvalidExpression", message)
}
