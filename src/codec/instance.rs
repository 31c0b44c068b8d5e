//! Instances of models and dataclasses where no type is declared, or under `SerializeAsAny` another one: stored by what
//! their own class says. Its plan is compiled when the first one turns up, and kept by the plan that met it, so that both
//! go together.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyType};

use super::builder::Builder;
use super::definitions::Definitions;
use super::node::Node;
use super::options::{PlanOptions, Unset};
use super::python;
use super::state::{Encoding, Outcome, Refusal};

/// More classes than one table's items hold; a program that makes classes up may not fill memory with them.
const MOST_CLASSES: usize = 64;

/// The classes whose instances were met.
#[derive(Default)]
pub struct Classes {
    /// The table's.
    unset: Unset,
    known: Mutex<Vec<(Py<PyType>, Arc<Class>)>>,
}

struct Class {
    node: Node,
    definitions: Definitions,
}

/// Append an instance of a model or a dataclass. False: it is none.
#[cold]
#[inline(never)]
pub fn encode_instance(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<bool> {
    let py = value.py();
    let type_ = value.get_type();
    let has_fields =
        value.is_instance(python::base_model(py)?)? || type_.hasattr(pyo3::intern!(py, "__dataclass_fields__"))?;
    if !has_fields {
        return Ok(false);
    }
    let class = match state.definitions.classes.find(&type_) {
        Some(class) => class,
        None => {
            let class = Arc::new(Class::compile(&type_, state.definitions.classes.unset)?);
            state.definitions.classes.keep(&type_, Arc::clone(&class));
            class
        }
    };
    class.node.encode(
        value,
        &mut Encoding {
            out: state.out,
            definitions: &class.definitions,
            depth: state.depth,
        },
    )?;
    Ok(true)
}

impl Classes {
    pub fn new(options: &PlanOptions) -> Self {
        Self {
            unset: options.unset,
            known: Mutex::default(),
        }
    }

    fn find(&self, type_: &Bound<'_, PyType>) -> Option<Arc<Class>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(known, _)| known.is(type_));
        found.map(|(_, class)| Arc::clone(class))
    }

    /// Another thread may have kept one meanwhile; either will do.
    fn keep(&self, type_: &Bound<'_, PyType>, class: Arc<Class>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = if known.len() == MOST_CLASSES {
            std::mem::take(&mut *known)
        } else {
            Vec::new()
        };
        known.push((type_.clone().unbind(), class));
        // What is forgotten may run user code when it goes, which may come here again.
        drop(known);
        drop(forgotten);
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The collector runs on a thread that may hold the lock. What is not offered this time is kept.
        let Ok(known) = self.known.try_lock() else {
            return Ok(());
        };
        known.iter().try_for_each(|(type_, class)| {
            visit.call(type_)?;
            if Arc::strong_count(class) == 1 {
                class.node.traverse(visit)?;
                class.definitions.traverse(visit)?;
            }
            Ok(())
        })
    }
}

impl Class {
    fn compile(type_: &Bound<'_, PyType>, unset: Unset) -> Outcome<Self> {
        let py = type_.py();
        Self::build(type_, unset).map_err(|error| {
            let is_about_types = [python::schema_error(py), python::pydantic_user_error(py)]
                .into_iter()
                .any(|class| class.is_ok_and(|class| error.matches(py, class).unwrap_or(false)));
            if is_about_types {
                Refusal::new(
                    "value_type",
                    format!(
                        "found an instance of a class that cannot be stored: {}",
                        error.value(py)
                    ),
                )
            } else {
                error.into()
            }
        })
    }

    fn build(type_: &Bound<'_, PyType>, unset: Unset) -> PyResult<Self> {
        let py = type_.py();
        let schema = python::type_adapter(py)?.call1((type_,))?.getattr("core_schema")?;
        // Pydantic has something else in place of a schema that it cannot make yet.
        let Ok(schema) = schema.cast_into::<PyDict>() else {
            let name = type_.name()?;
            let message = format!("{name} refers to types that are not defined where it is");
            return Err(PyErr::from_value(python::schema_error(py)?.call1((message,))?));
        };
        let options = PlanOptions {
            title: type_.name()?.to_string(),
            unset,
            ..PlanOptions::default()
        };
        let mut builder = Builder::new(py, &options, &schema)?;
        let root = builder.resolve(&schema)?;
        let node = builder.build(&root)?;
        builder.finish_definitions()?;
        Ok(Self {
            node,
            definitions: builder.definitions,
        })
    }
}
