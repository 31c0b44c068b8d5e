//! Whether a smaller model can be read from what a table's model writes: every field of it is one of the table's, by its
//! stored name, and their wire forms have something in common.

use std::collections::HashSet;
use std::ptr;

use pyo3::prelude::*;

use super::form::Quantity;
use super::marks::Epoch;
use super::node::Node;
use super::nodes::model::{Field, Model};
use super::plan::Plan;
use super::python;
use super::tags::Tags;
use crate::wire::Tag;

/// SchemaError names the field of the smaller model that has no counterpart, or another form.
pub fn check(py: Python<'_>, table: &Plan, smaller: &Plan) -> PyResult<()> {
    let mut comparison = Comparison {
        py,
        table,
        smaller,
        compared: HashSet::new(),
    };
    comparison.models(table.root(), smaller.root(), table.title(), smaller.title())
}

struct Comparison<'a, 'py> {
    py: Python<'py>,
    table: &'a Plan,
    smaller: &'a Plan,
    /// Pairs of models, which may be recursive.
    compared: HashSet<(*const Model, *const Model)>,
}

impl Comparison<'_, '_> {
    /// The models, and how they are told in errors.
    fn models(&mut self, wide: &Model, narrow: &Model, wide_name: &str, narrow_name: &str) -> PyResult<()> {
        if !self.compared.insert((ptr::from_ref(wide), ptr::from_ref(narrow))) || wide.has_extras() {
            return Ok(());
        }
        for field in &narrow.fields {
            let name = format!("{narrow_name}.{}", field.name.bind(self.py));
            let mut stored = wide.fields.iter().chain(&wide.computed);
            match stored.find(|other| other.stored == field.stored) {
                Some(other) => {
                    let other_name = format!("{wide_name}.{}", other.name.bind(self.py));
                    self.nodes(&other.node, &field.node, &other_name, &name)?;
                }
                None => return Err(self.unknown(wide, field, wide_name, &name)),
            }
        }
        Ok(())
    }

    fn nodes(&mut self, wide: &Node, narrow: &Node, wide_name: &str, narrow_name: &str) -> PyResult<()> {
        let (wide, narrow) = (form(self.table, wide), form(self.smaller, narrow));
        let (written, read) = (wide.tags().without(Tag::Null), narrow.tags().without(Tag::Null));
        let only_null = written == Tags::NONE || read == Tags::NONE;
        if !only_null && !written.meets(read) {
            return Err(self.refusal(&format!(
                "{narrow_name} is stored as {}, and {wide_name} as {}, so it could never be read: give both the same type \
                 and markers",
                named(read),
                named(written)
            )));
        }
        match (wide, narrow) {
            (Node::Model(wide), Node::Model(narrow)) => {
                self.models(wide.model(), narrow.model(), wide_name, narrow_name)
            }
            (Node::List(wide), Node::List(narrow)) => self.nodes(
                wide.element(),
                narrow.element(),
                &format!("{wide_name}[…]"),
                &format!("{narrow_name}[…]"),
            ),
            (Node::Map(wide), Node::Map(narrow)) => self.nodes(
                wide.value(),
                narrow.value(),
                &format!("{wide_name}[…]"),
                &format!("{narrow_name}[…]"),
            ),
            _ => match (Quantity::of(wide), Quantity::of(narrow)) {
                (Some(Quantity::Instant(wide)), Some(Quantity::Instant(narrow)))
                    if (wide == Epoch::Milliseconds) != (narrow == Epoch::Milliseconds) =>
                {
                    Err(self.refusal(&format!(
                        "{narrow_name} and {wide_name} are numbers of different units, so it would be read as another \
                         time: mark both with the same Epoch"
                    )))
                }
                _ => Ok(()),
            },
        }
    }

    #[cold]
    fn unknown(&self, wide: &Model, field: &Field, wide_name: &str, name: &str) -> PyErr {
        let own = field.name.bind(self.py);
        let namesake = own.to_str().ok().and_then(|own| wide.field(self.py, own));
        self.refusal(&match namesake {
            Some(other) => format!(
                "{name} is stored as \"{}\", and {wide_name}.{own} as \"{}\": mark it with Attribute(name=\"{}\")",
                field.stored, other.stored, other.stored
            ),
            None => {
                let stored = wide.fields.iter().chain(&wide.computed);
                let known: Vec<&str> = stored.map(|field| &*field.stored).collect();
                format!(
                    "{name} is stored as \"{}\", which {wide_name} has not; it has {}",
                    field.stored,
                    known.join(", ")
                )
            }
        })
    }

    #[cold]
    fn refusal(&self, message: &str) -> PyErr {
        let message = format!(
            "{} cannot be selected from {}: {message}.",
            self.smaller.title(),
            self.table.title()
        );
        python::schema_error(self.py)
            .and_then(|class| class.call1((message,)))
            .map_or_else(|error| error, PyErr::from_value)
    }
}

/// What is stored, behind `| None`, functions and references.
fn form<'a>(plan: &'a Plan, mut node: &'a Node) -> &'a Node {
    loop {
        node = match node.innermost() {
            Node::Reference(reference) => plan.definitions().get(reference.number()),
            node => return node,
        }
    }
}

fn named(tags: Tags) -> String {
    let names: Vec<&str> = Tag::ALL
        .into_iter()
        .filter(|&tag| tags.has(tag))
        .map(Tag::name)
        .collect();
    names.join(" or ")
}
