//! A filled page as the caller's `Page`, or as the JSON of one; both in slices.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::bridge::Slice;
use crate::ops::fill::Filled;
use crate::py::exceptions::{self, Context};
use crate::py::listing::{Items, Listing, Making};
use crate::py::pages::{Query, next_item, take_item};
use crate::wire::writer;

/// The making of the `Page`.
pub fn page(py: Python<'_>, query: &Query, filled: Filled) -> Box<dyn Making> {
    Box::new(Items::new(py, Models::new(query, filled, false)))
}

/// The making of the JSON of that `Page`, by alias.
pub fn json(py: Python<'_>, query: &Query, filled: Filled) -> Box<dyn Making> {
    if !query.plan.has_json_of_items() {
        return Box::new(Items::new(py, Models::new(query, filled, true)));
    }
    let replied: usize = filled.replies.iter().map(|reply| reply.body().len()).sum();
    let mut json = Vec::with_capacity(replied);
    json.extend_from_slice(br#"{"items":["#);
    Box::new(Printed {
        query: query.clone(),
        filled,
        reply: 0,
        json,
    })
}

struct Models {
    query: Query,
    filled: Filled,
    /// The reply whose items are decoded.
    reply: usize,
    is_json: bool,
}

impl Models {
    fn new(query: &Query, filled: Filled, is_json: bool) -> Self {
        Self {
            query: query.clone(),
            filled,
            reply: 0,
            is_json,
        }
    }
}

impl Listing for Models {
    fn next(&mut self, py: Python<'_>, context: &Context) -> PyResult<Option<(Py<PyAny>, usize)>> {
        while let Some(reply) = self.filled.replies.get_mut(self.reply) {
            match next_item(py, reply, context)? {
                None => self.reply += 1,
                found => return Ok(found),
            }
        }
        Ok(None)
    }

    fn end(&mut self, items: Bound<'_, PyList>, context: &Context) -> PyResult<Py<PyAny>> {
        let (py, query) = (items.py(), &self.query);
        let cursor = cursor_behind(py, query, context, &self.filled)?;
        let page = query.page_class.make(py, &query.plan, &items, cursor.as_deref())?;
        if !self.is_json {
            return Ok(page);
        }
        let options = PyDict::new(py);
        options.set_item(intern!(py, "by_alias"), true)?;
        let json = page.call_method(py, intern!(py, "model_dump_json"), (), Some(&options))?;
        let json = PyBytes::new(py, json.extract::<&str>(py)?.as_bytes());
        Ok(json.into_any().unbind())
    }
}

/// Items that are printed one by one, most of them without instances of their model.
struct Printed {
    query: Query,
    filled: Filled,
    /// The reply whose items are printed.
    reply: usize,
    json: Vec<u8>,
}

impl Making for Printed {
    fn go_on(&mut self, py: Python<'_>, context: &Context, slice: &mut Slice) -> PyResult<Option<Py<PyAny>>> {
        let json = &mut self.json;
        while let Some(reply) = self.filled.replies.get_mut(self.reply) {
            let printed = take_item(py, reply, context, |reader| {
                writer::push_separator(json);
                context.plan.push_json_in_page(py, reader, json)
            })?;
            match printed {
                None => self.reply += 1,
                Some(((), bytes)) if slice.is_spent_by(bytes) => return Ok(None),
                Some(_) => {}
            }
        }
        json.extend_from_slice(br#"],"cursor":"#);
        match cursor_behind(py, &self.query, context, &self.filled)? {
            Some(cursor) => writer::push_text(json, &cursor),
            None => json.extend_from_slice(b"null"),
        }
        json.push(b'}');
        Ok(Some(PyBytes::new(py, json).into_any().unbind()))
    }
}

/// What gets the page behind a filled one whose items are consumed.
fn cursor_behind(py: Python<'_>, query: &Query, context: &Context, filled: &Filled) -> PyResult<Option<String>> {
    let next = filled.next();
    let cursor = next.and_then(|next| next.map(|place| query.cursors().write(&place)).transpose());
    cursor.map_err(|error| exceptions::raise(py, error, context))
}
