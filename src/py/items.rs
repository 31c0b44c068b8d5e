//! `Items`: the items of one page after the other, without a step of Python's between two items.

use std::sync::{Mutex, PoisonError};

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyIterator;

/// An iterator over pages' items. After an item that was refused it goes on with the next one of its page, and after a
/// page that could not be had it asks again.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Items {
    /// Gives the next page; None behind the last.
    turn: Py<PyAny>,
    /// Not locked while it is asked for an item, which may run the caller's code.
    page: Mutex<Option<Py<PyIterator>>>,
}

#[pymethods]
impl Items {
    #[new]
    fn new(turn: Py<PyAny>) -> Self {
        Self {
            turn,
            page: Mutex::default(),
        }
    }

    fn __iter__(items: PyRef<'_, Self>) -> PyRef<'_, Self> {
        items
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            if let Some(mut page) = self.page(py)
                && let Some(item) = page.next()
            {
                return item.map(Some);
            }
            let page = self.turn.bind(py).call0()?;
            if page.is_none() {
                return Ok(None);
            }
            let page = page.try_iter()?.unbind();
            *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.turn)?;
        match self.page.try_lock() {
            Ok(page) => visit.call(&*page),
            Err(_) => Ok(()),
        }
    }
}

impl Items {
    fn page<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyIterator>> {
        let page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        page.as_ref().map(|page| page.bind(py).clone())
    }
}
