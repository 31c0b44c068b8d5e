//! `Query`, `Page` and `Cursor`: what is asked for, one reply of it, and where to go on.

use std::sync::{Arc, OnceLock};

use pyo3::PyTraverseError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyList};

use crate::bridge::{self, Limits, Slice};
use crate::codec::{Reading, python};
use crate::ops::cursor::{Cursors, StartKey};
use crate::ops::fill::{FillPage, Filled};
use crate::ops::hydrate::{Hydrated, Hydration};
use crate::ops::pages::{self, Pages};
use crate::ops::token::CursorKey;
use crate::py::exceptions::{self, Context};
use crate::py::filled;
use crate::py::listing::Making;
use crate::py::operation::Operation;
use crate::py::parallel_scan::ParallelScan;
use crate::wire::reader::Reader;

/// A query or scan as a value: each page of it is an operation, and so is its count.
#[derive(Clone)]
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Query {
    pub(super) pages: Pages,
    pub(super) operation: &'static str,
    pub(super) table: Arc<str>,
    pub(super) plan: Reading,
    pub(super) limits: Option<Arc<Limits>>,
    pub(super) start_key: Arc<StartKey>,
    pub(super) cursor_key: Option<CursorKey>,
    pub(super) page_class: PageClass,
    /// Where the items are read that the index holds only in part.
    pub(super) hydration: Option<Arc<Hydration>>,
    /// Why it gives no items but only their number.
    pub(super) refusal: Option<String>,
}

impl Query {
    pub(super) fn context(&self) -> Context {
        Context {
            operation: self.operation,
            table: Arc::clone(&self.table),
            plan: self.plan.clone(),
            key: None,
            entries: None,
            limits: self.limits.clone(),
        }
    }

    pub(super) fn cursors(&self) -> Cursors<'_> {
        Cursors {
            pages: &self.pages,
            start_key: &self.start_key,
            key: self.cursor_key.as_ref(),
        }
    }
}

/// `Page[Model]`, made with a table's first page and held by the table: Pydantic itself keeps it no longer than it is in
/// use, and to make it takes half a millisecond.
#[derive(Clone, Default)]
pub struct PageClass(Arc<OnceLock<Py<PyAny>>>);

impl PageClass {
    /// A page of items that were read already, so without validating them once more.
    pub(super) fn make(
        &self,
        py: Python<'_>,
        plan: &Reading,
        items: &Bound<'_, PyList>,
        cursor: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let class = match self.0.get() {
            Some(class) => class,
            None => {
                let class = python::page(py)?.get_item(plan.class(py))?.unbind();
                self.0.get_or_init(|| class)
            }
        };
        let members = PyDict::new(py);
        members.set_item(intern!(py, "items"), items)?;
        members.set_item(intern!(py, "cursor"), cursor)?;
        class.call_method(py, intern!(py, "model_construct"), (), Some(&members))
    }

    /// Offered to the collector by the table alone, while nothing else in Rust holds it.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.get() {
            Some(class) if Arc::strong_count(&self.0) == 1 => visit.call(class),
            _ => Ok(()),
        }
    }
}

impl Query {
    /// Refuse to read items where there are none to be had.
    fn check_items(&self, py: Python<'_>, context: &Context) -> PyResult<()> {
        match &self.refusal {
            None => Ok(()),
            Some(refusal) => Err(exceptions::new(
                py,
                "InvalidExpression",
                refusal.clone(),
                context,
                None,
                &[],
            )),
        }
    }

    /// The operation that reads up to `size` items from the cursor on.
    fn filling<F>(&self, py: Python<'_>, size: u64, after: Option<&str>, make: F) -> PyResult<Operation>
    where
        F: Fn(Python<'_>, &Self, Filled) -> Box<dyn Making> + Send + Sync + 'static,
    {
        let context = self.context();
        self.check_items(py, &context)?;
        let from = after.map(|after| self.cursors().read(after)).transpose();
        let from = from.map_err(|error| exceptions::raise(py, error, &context))?;
        let fill = |pages: &Pages| FillPage::new(pages, size, from, self.cursor_key.is_none());
        let query = self.clone();
        let make = move |py: Python<'_>, _: &Context, filled| Ok(make(py, &query, filled));
        Ok(match &self.hydration {
            None => Operation::making(fill(&self.pages), context, make),
            Some(hydration) => {
                let fill = fill(&self.pages.hydrating());
                Operation::making(Hydrated::new(fill, Arc::clone(hydration)), context, make)
            }
        })
    }
}

#[pymethods]
impl Query {
    /// Why it gives no items but only their number.
    #[getter]
    fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// The same with no more items than these.
    fn at_most(&self, limit: u64) -> Self {
        Self {
            pages: self.pages.at_most(limit),
            ..self.clone()
        }
    }

    /// The operation that reads the first page, or the one at the cursor.
    #[pyo3(signature = (cursor=None))]
    fn page(&self, py: Python<'_>, cursor: Option<&Cursor>) -> PyResult<Operation> {
        let context = self.context();
        self.check_items(py, &context)?;
        let cursor = cursor.map(|cursor| cursor.0.clone());
        Ok(match &self.hydration {
            None => Operation::new(self.pages.page(cursor), context, handed_over),
            Some(hydration) => {
                let pages = self.pages.hydrating().page(cursor);
                Operation::new(Hydrated::new(pages, Arc::clone(hydration)), context, handed_over)
            }
        })
    }

    /// The operation that reads a `Page` of up to `size` items, from the cursor on.
    #[pyo3(signature = (size, after=None))]
    fn fill(&self, py: Python<'_>, size: u64, after: Option<&str>) -> PyResult<Operation> {
        self.filling(py, size, after, filled::page)
    }

    /// The operation that reads the same page as JSON.
    #[pyo3(signature = (size, after=None))]
    fn fill_json(&self, py: Python<'_>, size: u64, after: Option<&str>) -> PyResult<Operation> {
        self.filling(py, size, after, filled::json)
    }

    /// One reading of all items in segments, from the cursor on.
    #[pyo3(signature = (segments, after=None))]
    fn parallel(&self, py: Python<'_>, segments: usize, after: Option<&str>) -> PyResult<ParallelScan> {
        ParallelScan::new(py, self.clone(), segments, after)
    }

    /// The operation that counts the items of all pages.
    fn count(&self) -> Operation {
        Operation::new(self.pages.count(None), self.context(), |py, _, count| {
            Ok(count.into_pyobject(py)?.into_any().unbind())
        })
    }
}

fn handed_over(py: Python<'_>, context: &Context, page: pages::Page) -> PyResult<Py<PyAny>> {
    let page = Page {
        reply: page,
        context: context.clone_for(py),
        slice: Some(Slice::new()),
    };
    Ok(Py::new(py, page)?.into_any())
}

/// Where a query goes on after a page.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Cursor(pages::Cursor);

/// One page: an iterator of models, each decoded when it is asked for, which ends with each slice; `turn` then goes on.
/// After an item that was refused it goes on with the next one.
#[pyclass(module = "oxidyn._core")]
pub struct Page {
    reply: pages::Page,
    context: Context,
    /// None where one has ended.
    slice: Option<Slice>,
}

#[pymethods]
impl Page {
    fn __iter__(page: PyRef<'_, Self>) -> PyRef<'_, Self> {
        page
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some(slice) = &mut self.slice else {
            return Ok(None);
        };
        let Some((item, bytes)) = next_item(py, &mut self.reply, &self.context)? else {
            return Ok(None);
        };
        if slice.is_spent_by(bytes) {
            self.slice = None;
        }
        Ok(Some(item))
    }

    /// Begin the next slice; False behind the last.
    fn turn(&mut self) -> bool {
        let was_spent = self.slice.is_none();
        self.slice = Some(Slice::new());
        was_spent
    }

    /// As `turn`, once the loop has turned.
    fn turn_awaited(slf: Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let truth = |py: Python<'_>, more: bool| more.into_pyobject(py).map(|more| more.to_owned().into_any().unbind());
        if slf.borrow().slice.is_some() {
            return bridge::ready(py, Ok(truth(py, false)?));
        }
        let page = slf.unbind();
        bridge::turn(py, move |py| {
            page.borrow_mut(py).turn();
            Ok(truth(py, true)?)
        })
    }

    /// Where to go on; None when there is no more, or no more is wanted.
    #[getter]
    fn next(&self, py: Python<'_>) -> PyResult<Option<Cursor>> {
        let cursor = self
            .reply
            .next_cursor()
            .map_err(|error| exceptions::raise(py, error, &self.context))?;
        Ok(cursor.map(Cursor))
    }
}

/// The next item of a page as a model, and its size; None behind the last. After an item that was refused it is the one
/// behind.
pub fn next_item(py: Python<'_>, page: &mut pages::Page, context: &Context) -> PyResult<Option<(Py<PyAny>, usize)>> {
    take_item(py, page, context, |reader| context.plan.decode_item(py, reader))
}

/// What `read` makes of the next item of a page, and the item's size; None behind the last. After an item that was refused
/// it is the one behind.
pub fn take_item<T>(
    py: Python<'_>,
    page: &mut pages::Page,
    context: &Context,
    read: impl FnOnce(&mut Reader<'_>) -> PyResult<T>,
) -> PyResult<Option<(T, usize)>> {
    let found = page
        .next_item()
        .map_err(|error| exceptions::raise(py, error, context))?;
    let Some(start) = found else {
        return Ok(None);
    };
    let mut reader = Reader::new(page.body());
    reader.seek(start);
    match read(&mut reader) {
        Ok(item) => {
            let end = reader.position();
            page.item_ended(end);
            Ok(Some((item, end - start)))
        }
        Err(error) => {
            let error = exceptions::with_context(py, error, context, page.request_id());
            reader.seek(start);
            Err(match context.plan.key_of_item(py, &mut reader) {
                Some(key) => exceptions::with_key(py, error, &key),
                None => error,
            })
        }
    }
}
