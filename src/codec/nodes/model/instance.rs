//! How an instance is made of its fields: as pydantic-core makes it, of values that decoding has already checked. Only
//! a custom `__init__` has them handed to Pydantic. Hot.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::Model;
use super::fields_set::{FieldsSets, Seen};
use crate::codec::ffi::{DictWalk, new_instance, set_attribute, set_instance_dict, set_slot};
use crate::codec::python;
use crate::codec::state::{Outcome, Refusal};

pub(super) enum Kind {
    Model {
        post_init: Option<Py<PyString>>,
        fields_sets: FieldsSets,
    },
    /// A model whose own `__init__` takes the values.
    Initialized,
    Dataclass {
        slots: bool,
        /// What `__post_init__` takes: the defaults of the init-only fields.
        post_init: Option<Py<PyTuple>>,
    },
    TypedDict,
}

impl Kind {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Dataclass { post_init, .. } => visit.call(post_init),
            Self::Model { .. } | Self::Initialized | Self::TypedDict => Ok(()),
        }
    }
}

impl Model {
    #[inline]
    pub(super) fn build_instance<'py>(&self, dict: Bound<'py, PyDict>, seen: &Seen) -> Outcome<Bound<'py, PyAny>> {
        let py = dict.py();
        match &self.kind {
            Kind::TypedDict => Ok(dict.into_any()),
            Kind::Initialized => {
                let values = PyDict::new(py);
                for (index, field) in self.fields.iter().enumerate() {
                    if seen.has(index) {
                        values.set_item(&field.input_name, dict.get_item(&field.name)?)?;
                    }
                }
                self.own.validate(values.as_any(), false)
            }
            Kind::Model { post_init, fields_sets } => {
                let instance = new_instance(self.class.bind(py), self.no_arguments.bind(py))?;
                set_instance_dict(&instance, &dict)?;
                let none = py.None().into_bound(py);
                set_slot(python::model_extra(py)?, &instance, &none)?;
                set_slot(
                    python::model_fields_set(py)?,
                    &instance,
                    &self.fields_set(py, fields_sets, seen)?,
                )?;
                set_slot(python::model_private(py)?, &instance, &none)?;
                if let Some(post_init) = post_init {
                    instance
                        .call_method1(post_init, (none,))
                        .map_err(|error| Refusal::from_user_code(py, error))?;
                }
                Ok(instance)
            }
            Kind::Dataclass { slots, post_init } => {
                let instance = new_instance(self.class.bind(py), self.no_arguments.bind(py))?;
                if *slots {
                    for (name, value) in DictWalk::new(&dict) {
                        set_attribute(&instance, name.cast::<PyString>().map_err(PyErr::from)?, &value)?;
                    }
                } else {
                    set_instance_dict(&instance, &dict)?;
                }
                if let Some(arguments) = post_init {
                    instance
                        .call_method1(pyo3::intern!(py, "__post_init__"), arguments.bind(py).clone())
                        .map_err(|error| Refusal::from_user_code(py, error))?;
                }
                Ok(instance)
            }
        }
    }
}
