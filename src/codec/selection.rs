//! What is read of a table's items: all that its plan knows, or a selection. A selection is a smaller model, or parts
//! that come back as a tuple.

use std::ops::Deref;
use std::sync::Arc;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyTuple;

use super::agreement;
use super::key_spec::KeyAttribute;
use super::part::{Found, Part};
use super::plan::Plan;
use super::python;
use super::state::{Line, Outcome, Refusal};
use crate::expr::ast::Path;
use crate::expr::projection;
use crate::wire::reader::Reader;
use crate::wire::writer;

/// A plan, with what is read of its items.
#[derive(Clone)]
pub struct Reading {
    plan: Arc<Plan>,
    selection: Option<Arc<Selection>>,
    /// Replies hold whole items all the same.
    of_whole_items: bool,
}

/// What a projection asks for, and what it is read as.
pub struct Selection {
    shape: Shape,
    /// What a projection asks for, with the table's key, by which the items of a reply are told apart: no path lies in
    /// another.
    asked: Vec<Path>,
}

enum Shape {
    Model(Arc<Plan>),
    Parts(Box<[Part]>),
}

impl Reading {
    pub fn whole(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            selection: None,
            of_whole_items: true,
        }
    }

    pub fn selected(plan: Arc<Plan>, selection: Arc<Selection>) -> Self {
        Self {
            plan,
            selection: Some(selection),
            of_whole_items: false,
        }
    }

    /// The same, taken out of whole items.
    #[must_use]
    pub fn of_whole_items(self) -> Self {
        Self {
            of_whole_items: true,
            ..self
        }
    }

    /// The plan of the whole items.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// What items are read as.
    pub fn class<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self.selection.as_ref().map(|selection| &selection.shape) {
            None => self.plan.model(py).clone(),
            Some(Shape::Model(smaller)) => smaller.model(py).clone(),
            Some(Shape::Parts(_)) => py.get_type::<PyTuple>().into_any(),
        }
    }

    /// Whether items have a JSON of their own: a tuple of parts has not.
    pub fn has_json_of_items(&self) -> bool {
        self.plan_of_items().is_some()
    }

    /// Append the JSON that a page has of the item at the reader's position, where items have one.
    pub fn push_json_in_page(&self, py: Python<'_>, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> PyResult<()> {
        let plan = self.plan_of_items().expect("asked before the first item");
        plan.push_json_in_page(py, reader, out)
    }

    /// The plan that reads items as they are.
    fn plan_of_items(&self) -> Option<&Plan> {
        match self.selection.as_ref().map(|selection| &selection.shape) {
            None => Some(&*self.plan),
            // It would take what is there for the item's key alone.
            Some(Shape::Model(smaller)) if smaller.root().has_extras() => None,
            Some(Shape::Model(smaller)) => Some(smaller),
            Some(Shape::Parts(_)) => None,
        }
    }

    /// Read one item at the reader's position. Where it is refused, the reader is left inside it.
    pub fn decode_item(&self, py: Python<'_>, reader: &mut Reader<'_>) -> PyResult<Py<PyAny>> {
        match &self.selection {
            None => self.plan.decode_item(py, reader),
            Some(selection) => selection.decode_item(py, self, reader),
        }
    }
}

impl Deref for Reading {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.plan
    }
}

impl Selection {
    /// A smaller model. SchemaError where it cannot be read from what `plan` writes.
    pub fn of_model(py: Python<'_>, plan: &Plan, smaller: Arc<Plan>) -> PyResult<Self> {
        agreement::check(py, plan, &smaller)?;
        if smaller.root().fields.is_empty() {
            let message = format!("{} has no fields, so there is nothing to select.", smaller.title());
            return Err(python::schema_error(py)?
                .call1((message,))
                .map_or_else(|error| error, PyErr::from_value));
        }
        let attributes = smaller.root().fields.iter();
        let asked = attributes.map(|field| Path::attribute(&*field.stored)).collect();
        Ok(Self::new(plan, Shape::Model(smaller), asked))
    }

    /// Parts, by the paths of their references.
    pub fn of_parts(py: Python<'_>, plan: &Plan, paths: &[Bound<'_, PyTuple>]) -> PyResult<Self> {
        let parts = paths.iter().map(|path| Part::resolve(py, plan, path));
        let mut parts = parts.collect::<PyResult<Box<[Part]>>>()?;
        let asked = projection::covering(parts.iter().map(|part| part.asked().clone()));
        for part in &mut parts {
            part.count_places(&asked);
        }
        Ok(Self::new(plan, Shape::Parts(parts), asked))
    }

    fn new(plan: &Plan, shape: Shape, selected: Vec<Path>) -> Self {
        let is_selected = |key: &&KeyAttribute| {
            let mut roots = selected.iter().filter_map(Path::root);
            roots.any(|root| **root == *key.attribute)
        };
        let key = plan.key_spec().table().filter(|key| !is_selected(key));
        let key = key.map(|key| Path::attribute(key.attribute.as_str()));
        Self {
            shape,
            asked: key.chain(selected.iter().cloned()).collect(),
        }
    }

    /// What a projection asks for.
    pub fn asked(&self) -> &[Path] {
        &self.asked
    }

    /// The attributes of which it takes anything.
    pub fn attributes(&self) -> Arc<[Arc<str>]> {
        self.asked.iter().filter_map(Path::root).cloned().collect()
    }

    fn decode_item(&self, py: Python<'_>, reading: &Reading, reader: &mut Reader<'_>) -> PyResult<Py<PyAny>> {
        let read = match &self.shape {
            Shape::Model(smaller) if !smaller.root().has_extras() => return smaller.decode_item(py, reader),
            Shape::Model(smaller) => match own_attributes(smaller, reader) {
                Ok(item) => return smaller.decode_item(py, &mut Reader::new(&item)),
                Err(refusal) => Err(refusal),
            },
            Shape::Parts(parts) => decode_parts(py, reading, parts, reader),
        };
        match read {
            Ok(values) => Ok(values.into_any().unbind()),
            Err(refusal) => Err(refusal.into_error(py, reading.title())),
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.shape {
            Shape::Model(plan) if Arc::strong_count(plan) == 1 => plan.traverse(visit),
            Shape::Model(_) => Ok(()),
            Shape::Parts(parts) => parts.iter().try_for_each(|part| part.traverse(visit)),
        }
    }
}

/// Of the item at the reader's position the attributes that are fields: others are there for their key alone.
fn own_attributes(plan: &Plan, reader: &mut Reader<'_>) -> Outcome<Vec<u8>> {
    let mut item = vec![b'{'];
    let mut more = reader.begin_object()?;
    while more {
        let name = reader.key()?;
        let value = reader.raw_value()?;
        if plan.root().fields.iter().any(|field| *field.stored == *name) {
            writer::push_separator(&mut item);
            writer::push_key(&mut item, &name);
            item.extend_from_slice(&reader.bytes()[value]);
        }
        more = reader.next_member()?;
    }
    item.push(b'}');
    Ok(item)
}

fn decode_parts<'py>(
    py: Python<'py>,
    reading: &Reading,
    parts: &[Part],
    reader: &mut Reader<'_>,
) -> Outcome<Bound<'py, PyTuple>> {
    let options = reading.options();
    // What is not found is a whole attribute that is not there.
    let mut found: Vec<Outcome<Found<'py>>> = parts.iter().map(|_| Ok(Found::AbsentAt(1))).collect();
    let mut more = reader.begin_object()?;
    while more {
        let name = reader.key()?;
        reader.peek();
        let start = reader.position();
        let mut end = None;
        for (place, part) in parts.iter().enumerate().filter(|(_, part)| **part.root() == *name) {
            reader.seek(start);
            found[place] = part.read(py, options, part.way(reading.of_whole_items), reader);
            if part.is_attribute() && found[place].is_ok() {
                end = Some(reader.position());
            }
        }
        match end {
            Some(end) => reader.seek(end),
            None => {
                reader.seek(start);
                reader.skip_value()?;
            }
        }
        more = reader.next_member()?;
    }
    let mut values = Vec::with_capacity(parts.len());
    let mut refused: Vec<Line> = Vec::new();
    for (part, found) in parts.iter().zip(found) {
        let value = found.and_then(|found| match found {
            Found::Value(value) => Ok(value),
            Found::AbsentAt(depth) => part.stand_in(py, depth),
        });
        match value {
            Ok(value) => values.push(value),
            Err(refusal) => part.refused(py, refusal).gather(&mut refused)?,
        }
    }
    if !refused.is_empty() {
        return Err(Box::new(Refusal::Lines(refused)));
    }
    Ok(PyTuple::new(py, values)?)
}
