//! How an instance is made of its fields: as pydantic-core makes it, of values that decoding has already checked. Hot.

use pyo3::PyTraverseError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PySet, PyString, PyTuple};

use super::decode::Others;
use super::fields_set::{FieldsSets, Seen};
use super::{Model, kept};
use crate::codec::ffi::{DictWalk, Slots, new_instance, set_attribute, set_instance_dict};
use crate::codec::python;
use crate::codec::state::{Outcome, Refusal};

pub(super) enum Kind {
    Model {
        post_init: Option<Py<PyString>>,
        fields_sets: FieldsSets,
        /// Those of the set of fields, of private attributes and of extras, where there are no extras and the class has the
        /// slot for them as `BaseModel` made it.
        slots: Option<Slots<3>>,
    },
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
            Self::Model { slots, .. } => slots.as_ref().map_or(Ok(()), |slots| slots.traverse(visit)),
            Self::TypedDict => Ok(()),
        }
    }
}

impl Model {
    #[inline]
    pub(super) fn build_instance<'py>(
        &self,
        dict: Bound<'py, PyDict>,
        seen: &Seen,
        others: Others<'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let py = dict.py();
        match &self.kind {
            Kind::TypedDict => {
                if let Some(extras) = &others.extras {
                    dict.update(extras.as_mapping())?;
                }
                Ok(dict.into_any())
            }
            Kind::Model {
                post_init,
                fields_sets,
                slots,
            } => {
                let instance = new_instance(self.class.bind(py), self.no_arguments.bind(py))?;
                if !others.kept.is_empty() {
                    kept::put(others.kept, &dict)?;
                }
                set_instance_dict(&instance, &dict)?;
                let none = py.None().into_bound(py);
                let fields_set = self.fields_set(py, fields_sets, seen)?;
                let are_set = slots
                    .as_ref()
                    .is_some_and(|slots| slots.set(&instance, [&fields_set, &none, &none]));
                if !are_set {
                    let extras = others.extras.or_else(|| self.extras.as_ref().map(|_| PyDict::new(py)));
                    set_extras(&instance, &fields_set, extras)?;
                    python::model_fields_set(py)?.set(&instance, fields_set)?;
                    python::model_private(py)?.set(&instance, none.clone())?;
                }
                if let Some(post_init) = post_init {
                    instance
                        .call_method1(post_init, (none,))
                        .map_err(|error| Refusal::from_user_code(py, error))?;
                }
                Ok(instance)
            }
            Kind::Dataclass { slots, post_init } => {
                let instance = new_instance(self.class.bind(py), self.no_arguments.bind(py))?;
                if let Some(extras) = &others.extras {
                    dict.update(extras.as_mapping())?;
                }
                if !others.kept.is_empty() {
                    kept::put(others.kept, &dict)?;
                }
                if *slots {
                    for (name, value) in DictWalk::new(&dict) {
                        set_attribute(&instance, name.cast::<PyString>().map_err(PyErr::from)?, &value)?;
                    }
                } else {
                    set_instance_dict(&instance, &dict)?;
                }
                if let Some(arguments) = post_init {
                    instance
                        .call_method1(intern!(py, "__post_init__"), arguments.bind(py).clone())
                        .map_err(|error| Refusal::from_user_code(py, error))?;
                }
                Ok(instance)
            }
        }
    }
}

/// `__pydantic_extra__` is a dict where extras are allowed, and their names count as set. Where an annotation with a default
/// gives them a type, it hides the slot, and Pydantic's way of setting it finds another place.
#[cold]
fn set_extras<'py>(
    instance: &Bound<'py, PyAny>,
    fields_set: &Bound<'py, PyAny>,
    extras: Option<Bound<'py, PyDict>>,
) -> PyResult<()> {
    let py = instance.py();
    let name = intern!(py, "__pydantic_extra__");
    let Some(extras) = extras else {
        return set_attribute(instance, name, py.None().bind(py));
    };
    for (name, _) in DictWalk::new(&extras) {
        fields_set.cast::<PySet>()?.add(name)?;
    }
    set_attribute(instance, name, &extras)
}
