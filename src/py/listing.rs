//! Results of many items, made one by one, so that a large one is made in slices.

use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::bridge::{Rest, Slice};
use crate::py::exceptions::Context;

/// What an operation's output is turned into.
pub enum Finished {
    Value(Py<PyAny>),
    Making(Box<dyn Making>),
}

/// The making of a result. Its errors have the context already, and end it.
pub trait Making: Send + 'static {
    /// Go on until the slice is spent; the result once there is nothing left to do.
    fn go_on(&mut self, py: Python<'_>, context: &Context, slice: &mut Slice) -> PyResult<Option<Py<PyAny>>>;
}

/// Many items of one output.
pub trait Listing: Send + 'static {
    /// The next item, and how many bytes it is made of; `None` behind the last.
    fn next(&mut self, py: Python<'_>, context: &Context) -> PyResult<Option<(Py<PyAny>, usize)>>;

    /// What the caller gets of all the items.
    fn end(&mut self, items: Bound<'_, PyList>, _context: &Context) -> PyResult<Py<PyAny>> {
        Ok(items.into_any().unbind())
    }
}

/// The making of a listing.
pub struct Items<L> {
    listing: L,
    items: Py<PyList>,
}

impl<L> Items<L> {
    pub fn new(py: Python<'_>, listing: L) -> Self {
        Self {
            listing,
            items: PyList::empty(py).unbind(),
        }
    }
}

impl<L: Listing> Making for Items<L> {
    fn go_on(&mut self, py: Python<'_>, context: &Context, slice: &mut Slice) -> PyResult<Option<Py<PyAny>>> {
        let items = self.items.bind(py);
        while let Some((item, bytes)) = self.listing.next(py, context)? {
            items.append(item)?;
            if slice.is_spent_by(bytes) {
                return Ok(None);
            }
        }
        self.listing.end(items.clone(), context).map(Some)
    }
}

/// A making under way; its owner has the context.
pub struct UnderWay<O> {
    pub making: Box<dyn Making>,
    pub owner: O,
}

impl<O: AsRef<Context> + Send> Rest for UnderWay<O> {
    fn go_on(&mut self, py: Python<'_>, slice: &mut Slice) -> PyResult<Option<Py<PyAny>>> {
        self.making.go_on(py, self.owner.as_ref(), slice)
    }
}
