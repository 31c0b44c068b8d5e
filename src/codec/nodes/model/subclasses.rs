//! `SerializeAsAny`: an instance of a subclass is stored with all the fields of its own class.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyType;

use crate::codec::options::PlanOptions;
use crate::codec::plan::Plan;
use crate::codec::python;
use crate::codec::state::{Encoding, Outcome};

/// More classes than a program has of one base, fewer than one that makes them could fill.
const MOST: usize = 64;

pub(super) struct Subclasses {
    options: PlanOptions,
    /// Each class is compiled when the first instance of it is met.
    plans: Mutex<Vec<(Py<PyType>, Arc<Plan>)>>,
}

impl Subclasses {
    /// `options` are the table's; its keys are none of these classes' fields.
    pub(super) fn new(options: &PlanOptions) -> Self {
        Self {
            options: PlanOptions {
                load: options.load,
                unset: options.unset,
                unknown: options.unknown,
                any_numbers: options.any_numbers,
                ..PlanOptions::default()
            },
            plans: Mutex::default(),
        }
    }

    #[cold]
    pub(super) fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        self.plan(&value.get_type())?.encode_inside(value, state)
    }

    fn plan(&self, class: &Bound<'_, PyType>) -> PyResult<Arc<Plan>> {
        {
            let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, plan)) = plans.iter().find(|(known, _)| known.is(class)) {
                return Ok(Arc::clone(plan));
            }
        }
        let py = class.py();
        let schema = python::complete_schema(py)?.call1((class,))?;
        let options = PlanOptions {
            title: class.name()?.to_string(),
            ..self.options.clone()
        };
        let plan = Arc::new(Plan::compile(py, &schema, class, options)?);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() == MOST {
            plans.remove(0);
        }
        plans.push((class.clone().unbind(), Arc::clone(&plan)));
        Ok(plan)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // As in the plan itself: what is not offered this time is kept.
        let Ok(plans) = self.plans.try_lock() else {
            return Ok(());
        };
        for (class, plan) in plans.iter() {
            visit.call(class)?;
            if Arc::strong_count(plan) == 1 {
                plan.traverse(visit)?;
            }
        }
        Ok(())
    }
}
