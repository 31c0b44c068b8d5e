//! References and sizes, told from values by their classes, and where they lie.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

use super::{name, refuse};
use crate::codec::{Part, Plan, Target};
use crate::expr::ast::Operand;

/// What a condition is about, or compares with: no value.
pub(super) enum Subject<'py> {
    Field(Field<'py>),
    Size(Field<'py>),
}

impl<'py> Subject<'py> {
    /// None for a value.
    pub fn of(plan: &Plan, operand: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        let py = operand.py();
        if operand.is_exact_instance(reference_class(py)?) {
            return Ok(Some(Self::Field(Field::of(plan, operand)?)));
        }
        if !operand.is_exact_instance(size_class(py)?) {
            return Ok(None);
        }
        let field = Field::of(plan, &operand.getattr(intern!(py, "__oxidyn_ref__"))?)?;
        if field.target.has_size() {
            return Ok(Some(Self::Size(field)));
        }
        Err(refuse(
            py,
            format!(
                "size() works on text, bytes and collections, and {} is none of them.",
                field.name()
            ),
        ))
    }

    pub fn operand(&self) -> Operand {
        match self {
            Self::Field(field) => Operand::Path(field.target.path.clone()),
            Self::Size(field) => Operand::Size(field.target.path.clone()),
        }
    }
}

/// A reference, and where it lies.
pub(super) struct Field<'py> {
    pub reference: Bound<'py, PyAny>,
    pub target: Arc<Target>,
}

impl<'py> Field<'py> {
    pub fn of(plan: &Plan, reference: &Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(Self {
            target: target(plan, reference, Part::Whole)?,
            reference: reference.clone(),
        })
    }

    /// Any one element of the list or set.
    pub fn element(&self, plan: &Plan) -> PyResult<Arc<Target>> {
        target(plan, &self.reference, Part::Element)
    }

    pub fn name(&self) -> String {
        name(&self.reference)
    }
}

fn target(plan: &Plan, reference: &Bound<'_, PyAny>, part: Part) -> PyResult<Arc<Target>> {
    match plan.known_target(reference, part) {
        Some(known) => Ok(known),
        None => plan.target(reference, &path(plan, reference)?, part),
    }
}

/// The reference's path, where it is one of the table's model.
pub fn path<'py>(plan: &Plan, reference: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    let py = reference.py();
    let model = reference.getattr(intern!(py, "__oxidyn_model__"))?;
    let own = plan.model(py);
    // Two spellings of one generic alias (`Event[int]`) are equal, and not always the same object.
    if !model.is(own) && !model.eq(own)? && !related(&model, own)? {
        return Err(refuse(
            py,
            format!(
                "{} is a field of another model: this table stores {}.",
                name(reference),
                plan.title()
            ),
        ));
    }
    Ok(reference.getattr(intern!(py, "__oxidyn_path__"))?.cast_into()?)
}

/// A table of a subclass takes conditions told on its base, and the other way round.
fn related(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<bool> {
    match (a.cast::<PyType>(), b.cast::<PyType>()) {
        (Ok(a), Ok(b)) => {
            let (a_bases, b_bases) = (a.mro(), b.mro());
            Ok(a_bases.contains(b)? || b_bases.contains(a)?)
        }
        _ => Ok(false),
    }
}

macro_rules! classes {
    ($($function:ident = $name:literal;)*) => {$(
        pub(super) fn $function(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
            static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CLASS.import(py, "oxidyn.expressions", $name)
        }
    )*};
}

classes! {
    reference_class = "Ref";
    size_class = "Size";
    computed_class = "Computed";
}
