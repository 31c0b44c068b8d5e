//! `Query`, `Page` and `Cursor`: what is asked for, one reply of it, and where to go on.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::bridge::Limits;
use crate::codec::Plan;
use crate::ops::pages::{self, Pages};
use crate::py::exceptions::{self, Context};
use crate::py::operation::Operation;
use crate::wire::reader::Reader;

/// A query or scan as a value: each page of it is an operation, and so is its count.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Query {
    pub(super) pages: Pages,
    pub(super) operation: &'static str,
    pub(super) table: Arc<str>,
    pub(super) plan: Arc<Plan>,
    pub(super) limits: Option<Arc<Limits>>,
}

impl Query {
    fn context(&self) -> Context {
        Context {
            operation: self.operation,
            table: Arc::clone(&self.table),
            plan: Arc::clone(&self.plan),
            key: None,
            entries: None,
            limits: self.limits.clone(),
        }
    }
}

#[pymethods]
impl Query {
    /// The operation that reads the first page, or the one at the cursor.
    #[pyo3(signature = (cursor=None))]
    fn page(&self, cursor: Option<&Cursor>) -> Operation {
        let fetch = self.pages.page(cursor.map(|cursor| cursor.0.clone()));
        Operation::new(fetch, self.context(), |py, context, page| {
            let page = Page {
                page,
                context: context.clone_for(py),
            };
            Ok(Py::new(py, page)?.into_any())
        })
    }

    /// The operation that counts the items of all pages.
    fn count(&self) -> Operation {
        Operation::new(self.pages.count(None), self.context(), |py, _, count| {
            Ok(count.into_pyobject(py)?.into_any().unbind())
        })
    }
}

/// Where a query goes on after a page.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Cursor(pages::Cursor);

/// One page: an iterator of models, each decoded when it is asked for. After an item that was refused it goes on with
/// the next one.
#[pyclass(module = "oxidyn._core")]
pub struct Page {
    page: pages::Page,
    context: Context,
}

#[pymethods]
impl Page {
    fn __iter__(page: PyRef<'_, Self>) -> PyRef<'_, Self> {
        page
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let found = self
            .page
            .next_item()
            .map_err(|error| exceptions::raise(py, error, &self.context))?;
        let Some(start) = found else {
            return Ok(None);
        };
        let mut reader = Reader::new(self.page.body());
        reader.seek(start);
        match self.context.plan.decode_item(py, &mut reader) {
            Ok(item) => {
                let end = reader.position();
                self.page.item_ended(end);
                Ok(Some(item))
            }
            Err(error) => {
                let error = exceptions::with_context(py, error, &self.context, self.page.request_id());
                reader.seek(start);
                Err(match self.context.plan.key_of_item(py, &mut reader) {
                    Some(key) => exceptions::with_key(py, error, &key),
                    None => error,
                })
            }
        }
    }

    /// Where to go on; None when there is no more, or no more is wanted.
    #[getter]
    fn next(&self, py: Python<'_>) -> PyResult<Option<Cursor>> {
        let cursor = self
            .page
            .next_cursor()
            .map_err(|error| exceptions::raise(py, error, &self.context))?;
        Ok(cursor.map(Cursor))
    }
}
