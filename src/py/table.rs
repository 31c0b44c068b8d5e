//! `Table`: a plan and a table's name. Each method makes the operation of its name, without I/O.

use std::iter::Enumerate;
use std::sync::Arc;

use bytes::Bytes;
use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::bridge::{Limits, Pace};
use crate::codec::{self, Reading, Selection, python};
use crate::expr::ast::{Action, Condition, Path};
use crate::expr::projection;
use crate::expr::split::{self, Candidate, Terms};
use crate::expr::upsert;
use crate::limits;
use crate::ops::batch_get::BatchGet;
use crate::ops::batch_write::{BatchWrite, Write};
use crate::ops::check::Check;
use crate::ops::delete::Delete;
use crate::ops::get::Get;
use crate::ops::guard::Guard;
use crate::ops::hydrate::Hydration;
use crate::ops::pages::{Bounds, Pages};
use crate::ops::put::Put;
use crate::ops::table::{CreateTable, DeleteTable, DescribeTable, Patience, WaitUntilActive};
use crate::ops::token::CursorKey;
use crate::ops::update::Update;
use crate::ops::{self, Returning, StoredItem};
use crate::py::client::Client;
use crate::py::exceptions::{self, Context};
use crate::py::explained::{Explained, told};
use crate::py::expression;
use crate::py::flag;
use crate::py::indexes::{Held, Indexes};
use crate::py::listing::Listing;
use crate::py::operation::Operation;
use crate::py::pages::{PageClass, Query};
use crate::py::plan::Plan;
use crate::py::rate_limit::RateLimit;
use crate::wire::reader::Reader;

/// One model's items in one table.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Table {
    plan: Py<Plan>,
    name: Arc<str>,
    /// The table's key attributes: partition, then sort.
    key_attributes: Vec<Arc<str>>,
    indexes: Arc<Indexes>,
    limits: Option<Arc<Limits>>,
    /// Attributes beside the key that every item must have, with their fields.
    required: Arc<[(Arc<str>, Arc<str>)]>,
    cursor_key: Option<CursorKey>,
    page_class: PageClass,
    /// What is read of items, where that is not all.
    selection: Option<Arc<Selection>>,
}

#[pymethods]
impl Table {
    /// `held`: what each index holds; `client`: whose calls the table is for, with its options.
    #[new]
    #[pyo3(signature = (plan, name, held, client=None, rate_limit=None))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 extracts arguments by value")]
    fn new(
        plan: &Bound<'_, Plan>,
        name: &str,
        held: Vec<Held>,
        client: Option<&Client>,
        rate_limit: Option<&RateLimit>,
    ) -> PyResult<Self> {
        let core = plan.get().core();
        let indexes = Indexes::new(plan.py(), core, &held)?;
        let name: Arc<str> = name.into();
        let key_attributes: Vec<Arc<str>> = indexes.candidates.table().key.attributes().cloned().collect();
        if let (Some(client), Some(partition)) = (client, key_attributes.first()) {
            client.telemetry().know(&name, partition);
        }
        Ok(Self {
            key_attributes,
            indexes: Arc::new(indexes),
            required: core.required_fields(plan.py()).into(),
            selection: None,
            plan: plan.clone().unbind(),
            limits: rate_limit.map(|limit| Arc::new(Limits::of_table(Arc::clone(&name), limit.shared()))),
            name,
            cursor_key: client.and_then(|client| client.cursor_key.clone()),
            page_class: PageClass::default(),
        })
    }

    /// The same table, read and written by another plan of the model.
    fn with_plan(&self, plan: &Bound<'_, Plan>) -> Self {
        Self {
            plan: plan.clone().unbind(),
            name: Arc::clone(&self.name),
            key_attributes: self.key_attributes.clone(),
            indexes: Arc::clone(&self.indexes),
            limits: self.limits.clone(),
            cursor_key: self.cursor_key.clone(),
            required: Arc::clone(&self.required),
            page_class: PageClass::default(),
            selection: None,
        }
    }

    /// The same table, of whose items no more is read than the smaller model of this plan.
    fn select_model(&self, smaller: &Bound<'_, Plan>) -> PyResult<Self> {
        let py = smaller.py();
        Ok(self.selecting(py, Selection::of_model(py, self.plan(), smaller.get().shared())?))
    }

    /// The same table, of whose items no more is read than the parts at these references, as a tuple.
    fn select_fields(&self, references: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let py = references.py();
        let paths = references
            .iter()
            .map(|reference| expression::path(self.plan(), &reference));
        let paths = paths.collect::<PyResult<Vec<_>>>()?;
        Ok(self.selecting(py, Selection::of_parts(py, self.plan(), &paths)?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.page_class.traverse(&visit)?;
        visit.call(&self.plan)?;
        match &self.selection {
            // As of a plan: what else in Rust holds it, holds its objects.
            Some(selection) if Arc::strong_count(selection) == 1 => selection.traverse(&visit),
            _ => Ok(()),
        }
    }

    #[pyo3(signature = (item, r#where=None))]
    fn put(&self, item: &Bound<'_, PyAny>, r#where: Option<&Bound<'_, PyAny>>) -> PyResult<Operation> {
        let context = self.context("PutItem", Some(item));
        let guard = Guard::default().with(self.condition(item.py(), r#where, &context)?);
        self.write_item(item, &guard, context)
    }

    fn create(&self, item: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let context = self.context("PutItem", Some(item));
        self.write_item(item, &Guard::absent(self.partition()), context)
    }

    #[pyo3(signature = (item, r#where=None))]
    fn replace(&self, item: &Bound<'_, PyAny>, r#where: Option<&Bound<'_, PyAny>>) -> PyResult<Operation> {
        let context = self.context("PutItem", Some(item));
        let guard = Guard::present(self.partition()).with(self.condition(item.py(), r#where, &context)?);
        self.write_item(item, &guard, context)
    }

    fn get(
        &self,
        key: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = flag::consistent)] consistent: bool,
    ) -> PyResult<Operation> {
        let context = self.context("GetItem", Some(key));
        let py = key.py();
        let key = self.key(key, &context)?;
        let get = Get::selecting(&self.name, &key, self.asked(), consistent);
        Ok(Operation::new(raised(py, &context, get)?, context, decode))
    }

    fn get_json(&self, key: &Bound<'_, PyAny>, consistent: bool) -> PyResult<Operation> {
        let context = self.context("GetItem", Some(key));
        let key = self.key(key, &context)?;
        Ok(Operation::new(
            Get::new(&self.name, &key, consistent),
            context,
            decode_json,
        ))
    }

    #[pyo3(signature = (key, actions, r#where=None, returning=None))]
    fn update(
        &self,
        key: &Bound<'_, PyAny>,
        actions: &Bound<'_, PyTuple>,
        r#where: Option<&Bound<'_, PyAny>>,
        returning: Option<&str>,
    ) -> PyResult<Operation> {
        let context = self.context("UpdateItem", Some(key));
        let actions = in_context(key.py(), &context, expression::actions(self.plan(), actions))?;
        self.update_item(
            key,
            &actions,
            Guard::present(self.partition()),
            r#where,
            returning,
            context,
        )
    }

    #[pyo3(signature = (key, actions, r#where=None, returning=None))]
    fn upsert(
        &self,
        key: &Bound<'_, PyAny>,
        actions: &Bound<'_, PyTuple>,
        r#where: Option<&Bound<'_, PyAny>>,
        returning: Option<&str>,
    ) -> PyResult<Operation> {
        let py = key.py();
        let context = self.context("UpdateItem", Some(key));
        let actions = in_context(py, &context, expression::actions(self.plan(), actions))?;
        raised(
            py,
            &context,
            upsert::check(&actions, &self.required, self.plan().title()),
        )?;
        self.update_item(key, &actions, Guard::default(), r#where, returning, context)
    }

    #[pyo3(signature = (key, r#where=None, returning=None))]
    fn delete(
        &self,
        key: &Bound<'_, PyAny>,
        r#where: Option<&Bound<'_, PyAny>>,
        returning: Option<&str>,
    ) -> PyResult<Operation> {
        let py = key.py();
        let context = self.context("DeleteItem", Some(key));
        let key = self.key(key, &context)?;
        let guard = Guard::default().with(self.condition(py, r#where, &context)?);
        let return_old = match returning {
            None => false,
            Some("old") => true,
            Some(_) => return Err(refused_returning(py, "None or \"old\"")),
        };
        let delete = raised(py, &context, Delete::new(&self.name, &key, &guard, return_old))?;
        Ok(Operation::new(delete, context, decode))
    }

    #[pyo3(signature = (condition, r#where, index, reverse, limit, page_size, consistent, hydrate))]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the query's own, passed by the one caller"
    )]
    fn query(
        &self,
        condition: &Bound<'_, PyAny>,
        r#where: Option<&Bound<'_, PyAny>>,
        index: Option<&str>,
        #[pyo3(from_py_with = flag::reverse)] reverse: bool,
        limit: Option<u64>,
        page_size: Option<u32>,
        #[pyo3(from_py_with = flag::consistent)] consistent: bool,
        #[pyo3(from_py_with = flag::hydrate)] hydrate: bool,
    ) -> PyResult<Query> {
        let py = condition.py();
        let context = self.context("Query", None);
        let condition = in_context(py, &context, expression::condition(self.plan(), condition))?;
        let filter = self.condition(py, r#where, &context)?;
        let terms = Terms {
            index,
            consistent,
            hydrate,
        };
        let planned = split::plan(&self.indexes.candidates, terms, condition, filter);
        let planned = raised(py, &context, planned)?;
        let query = ops::query::Query {
            table: &self.name,
            candidate: planned.candidate,
            split: &planned.split,
            selection: &self.asked_of(planned.candidate),
            reverse,
            consistent,
            bounds: Bounds { limit, page_size },
        };
        let pages = raised(py, &context, query.pages())?;
        let reading = if query.fetches_rest() {
            self.reading().of_whole_items()
        } else {
            self.reading()
        };
        let is_whole = planned.candidate.is_queried_whole();
        Ok(self.items("Query", pages, reading, planned.candidate, is_whole, terms))
    }

    /// What `query` does with these, in words.
    #[pyo3(signature = (condition, r#where, index, consistent, hydrate))]
    fn explain(
        &self,
        condition: &Bound<'_, PyAny>,
        r#where: Option<&Bound<'_, PyAny>>,
        index: Option<&str>,
        consistent: bool,
        hydrate: bool,
    ) -> PyResult<Explained> {
        let py = condition.py();
        let context = self.context("Query", None);
        let condition = in_context(py, &context, expression::condition(self.plan(), condition))?;
        let filter = self.condition(py, r#where, &context)?;
        let terms = Terms {
            index,
            consistent,
            hydrate,
        };
        let explained = split::explain(&self.indexes.candidates, terms, condition, filter);
        raised(py, &context, explained).map(told)
    }

    /// What `scan` does with these, as `explain` tells it.
    #[pyo3(signature = (r#where, index, consistent, hydrate))]
    fn explain_scan(
        &self,
        py: Python<'_>,
        r#where: Option<&Bound<'_, PyAny>>,
        index: Option<&str>,
        consistent: bool,
        hydrate: bool,
    ) -> PyResult<Explained> {
        let context = self.context("Scan", None);
        let filter = self.condition(py, r#where, &context)?;
        let terms = Terms {
            index,
            consistent,
            hydrate,
        };
        let explained = split::explain_scan(&self.indexes.candidates, terms, filter.as_ref());
        raised(py, &context, explained).map(told)
    }

    #[pyo3(signature = (r#where, index, limit, page_size, consistent, hydrate))]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the scan's own, passed by the one caller"
    )]
    fn scan(
        &self,
        py: Python<'_>,
        r#where: Option<&Bound<'_, PyAny>>,
        index: Option<&str>,
        limit: Option<u64>,
        page_size: Option<u32>,
        #[pyo3(from_py_with = flag::consistent)] consistent: bool,
        #[pyo3(from_py_with = flag::hydrate)] hydrate: bool,
    ) -> PyResult<Query> {
        let context = self.context("Scan", None);
        let filter = self.condition(py, r#where, &context)?;
        let terms = Terms {
            index,
            consistent,
            hydrate,
        };
        let candidate = raised(
            py,
            &context,
            split::scanned(&self.indexes.candidates, terms, filter.as_ref()),
        )?;
        let scan = ops::scan::Scan {
            table: &self.name,
            index,
            filter: filter.as_ref(),
            selection: &self.asked_of(candidate),
            consistent,
            bounds: Bounds { limit, page_size },
        };
        let pages = raised(py, &context, scan.pages())?;
        Ok(self.items("Scan", pages, self.reading(), candidate, candidate.is_whole(), terms))
    }

    fn check(&self, key: &Bound<'_, PyAny>, r#where: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let py = key.py();
        let context = self.context("TransactWriteItems", Some(key));
        let key = self.key(key, &context)?;
        let guard = Guard::default().with(self.condition(py, Some(r#where), &context)?);
        let check = raised(py, &context, Check::new(&self.name, &key, &guard))?;
        Ok(Operation::new(check, context, |py, _, ()| Ok(py.None())))
    }

    fn batch_get(
        &self,
        keys: &Bound<'_, PyList>,
        #[pyo3(from_py_with = flag::consistent)] consistent: bool,
        at_once: usize,
    ) -> PyResult<Operation> {
        let py = keys.py();
        let context = self.batch_context("BatchGetItem", keys);
        let keys = self.key_list(keys, &context)?;
        let batch = BatchGet::selecting(&self.name, &self.key_attributes, keys, self.asked(), consistent);
        let batch = raised(py, &context, batch)?.at_once(at_once);
        Ok(Operation::listing(batch, context, |found: Vec<Option<Bytes>>| {
            BatchItems(found.into_iter().enumerate())
        }))
    }

    fn batch_put(&self, items: &Bound<'_, PyList>, at_once: usize) -> PyResult<Operation> {
        let context = self.batch_context("BatchWriteItem", items);
        let entries = entries(items, |item| self.item(item, &context))?;
        let writes = entries.into_iter().map(Write::Put).collect();
        self.batch_write(items.py(), writes, context, at_once)
    }

    fn batch_delete(&self, keys: &Bound<'_, PyList>, at_once: usize) -> PyResult<Operation> {
        let context = self.batch_context("BatchWriteItem", keys);
        let entries = self.key_list(keys, &context)?;
        let writes = entries.into_iter().map(Write::Delete).collect();
        self.batch_write(keys.py(), writes, context, at_once)
    }

    fn create_table(&self) -> Operation {
        let definition = self.indexes.definition(Arc::clone(&self.name), self.plan());
        let create = CreateTable::new(definition, Patience::default());
        Operation::new(create, self.context("CreateTable", None), |py, _, _| Ok(py.None()))
    }

    fn delete_table(&self) -> Operation {
        let delete = DeleteTable::new(&self.name);
        Operation::new(delete, self.context("DeleteTable", None), |py, _, ()| Ok(py.None()))
    }

    fn describe_table(&self) -> Operation {
        let describe = DescribeTable::new(&self.name);
        Operation::new(
            describe,
            self.context("DescribeTable", None),
            |py, _, description: Bytes| {
                let parsed = python::from_json(py)?.call1((PyBytes::new(py, &description),))?;
                Ok(parsed.unbind())
            },
        )
    }

    fn wait_until_active(&self) -> Operation {
        let wait = WaitUntilActive::new(&self.name, Patience::default());
        Operation::new(wait, self.context("DescribeTable", None), |py, _, _| Ok(py.None()))
    }
}

impl Table {
    fn batch_write(&self, py: Python<'_>, writes: Vec<Write>, context: Context, at_once: usize) -> PyResult<Operation> {
        let batch = BatchWrite::new(&self.name, &self.key_attributes, writes);
        let batch = raised(py, &context, batch)?.at_once(at_once);
        Ok(Operation::new(batch, context, |py, _, ()| Ok(py.None())))
    }

    fn context(&self, operation: &'static str, key: Option<&Bound<'_, PyAny>>) -> Context {
        Context {
            operation,
            table: Arc::clone(&self.name),
            plan: self.reading(),
            key: key.map(|key| as_given(key).unbind()),
            entries: None,
            limits: self.limits.clone(),
        }
    }

    /// Not held by an `Arc` of its own, which would hide the plan's objects from the garbage collector.
    fn plan(&self) -> &codec::Plan {
        self.plan.get().core()
    }

    fn selecting(&self, py: Python<'_>, selection: Selection) -> Self {
        Self {
            indexes: Arc::new(self.indexes.selecting(&selection.attributes())),
            selection: Some(Arc::new(selection)),
            ..self.with_plan(self.plan.bind(py))
        }
    }

    fn reading(&self) -> Reading {
        let plan = self.plan.get();
        match &self.selection {
            None => plan.reading(),
            Some(selection) => Reading::selected(plan.shared(), Arc::clone(selection)),
        }
    }

    /// What a projection asks for; nothing where whole items are read.
    fn asked(&self) -> &[Path] {
        self.selection.as_ref().map_or(&[], |selection| selection.asked())
    }

    /// The same with the key of an index: it tells where to go on, and which items lie on an open end.
    fn asked_of(&self, candidate: &Candidate) -> Vec<Path> {
        let Some(selection) = &self.selection else {
            return Vec::new();
        };
        let key = candidate.key.attributes();
        let key = key.map(|attribute| Path::attribute(Arc::clone(attribute)));
        projection::covering(selection.asked().iter().cloned().chain(key))
    }

    fn batch_context(&self, operation: &'static str, entries: &Bound<'_, PyList>) -> Context {
        Context {
            entries: Some(entries.clone().unbind()),
            ..self.context(operation, None)
        }
    }

    /// The items that the pages find. `is_whole`: the service sends all that is asked for of each.
    fn items(
        &self,
        operation: &'static str,
        pages: Pages,
        reading: Reading,
        candidate: &Candidate,
        is_whole: bool,
        terms: Terms<'_>,
    ) -> Query {
        let hydration = (terms.hydrate && !is_whole).then(|| Hydration {
            table: Arc::clone(&self.name),
            key: self.key_attributes.clone(),
            index_key: candidate.key.attributes().cloned().collect(),
            consistent: terms.consistent,
        });
        let is_refused = !terms.hydrate && !is_whole;
        Query {
            pages,
            operation,
            table: Arc::clone(&self.name),
            // What is hydrated is read whole.
            plan: if hydration.is_some() {
                reading.of_whole_items()
            } else {
                reading
            },
            limits: self.limits.clone(),
            start_key: self.indexes.start_key(candidate),
            cursor_key: self.cursor_key.clone(),
            page_class: self.page_class.clone(),
            hydration: hydration.map(Arc::new),
            refusal: is_refused.then(|| self.indexes.candidates.refusal_of_items(candidate)),
        }
    }

    /// The first partition attribute: every item has it, so it tells whether there is one.
    fn partition(&self) -> Arc<str> {
        Arc::clone(&self.key_attributes[0])
    }

    fn key_list(&self, keys: &Bound<'_, PyList>, context: &Context) -> PyResult<Vec<Bytes>> {
        entries(keys, |key| self.key(key, context))
    }

    fn write_item(&self, item: &Bound<'_, PyAny>, guard: &Guard, context: Context) -> PyResult<Operation> {
        let py = item.py();
        let item = self.item(item, &context)?;
        let put = raised(py, &context, Put::new(&self.name, &item, guard))?;
        Ok(Operation::new(put, context, |py, _, ()| Ok(py.None())))
    }

    fn update_item(
        &self,
        key: &Bound<'_, PyAny>,
        actions: &[Action],
        guard: Guard,
        r#where: Option<&Bound<'_, PyAny>>,
        returning: Option<&str>,
        context: Context,
    ) -> PyResult<Operation> {
        let py = key.py();
        let key = self.key(key, &context)?;
        let guard = guard.with(self.condition(py, r#where, &context)?);
        let returning = match returning {
            None => Returning::Nothing,
            Some("old") => Returning::Old,
            Some("new") => Returning::New,
            Some(_) => return Err(refused_returning(py, "None, \"old\" or \"new\"")),
        };
        let update = raised(py, &context, Update::new(&self.name, &key, actions, &guard, returning))?;
        Ok(Operation::new(update, context, decode))
    }

    /// The whole item as it is sent, refused where DynamoDB would refuse its size.
    fn item(&self, item: &Bound<'_, PyAny>, context: &Context) -> PyResult<Vec<u8>> {
        let py = item.py();
        let mut wire = Vec::with_capacity(512);
        in_context(py, context, self.plan().encode_item(item, &mut wire))?;
        // The wire form is never smaller than what DynamoDB counts, so most items need no counting.
        if wire.len() > limits::ITEM_BYTES {
            exceptions::check_size(py, &wire, context)?;
        }
        Ok(wire)
    }

    fn key(&self, key: &Bound<'_, PyAny>, context: &Context) -> PyResult<Vec<u8>> {
        let mut wire = Vec::with_capacity(96);
        in_context(key.py(), context, self.plan().encode_key(key, &mut wire))?;
        Ok(wire)
    }

    fn condition(
        &self,
        py: Python<'_>,
        condition: Option<&Bound<'_, PyAny>>,
        context: &Context,
    ) -> PyResult<Option<Condition>> {
        let condition = condition.map(|condition| expression::condition(self.plan(), condition));
        in_context(py, context, condition.transpose())
    }
}

/// The entries of a batch, encoded; other threads have the GIL in between.
fn entries<'py>(
    given: &Bound<'py, PyList>,
    encode: impl Fn(&Bound<'py, PyAny>) -> PyResult<Vec<u8>>,
) -> PyResult<Vec<Bytes>> {
    let py = given.py();
    let mut pace = Pace::new();
    let mut encoded = Vec::with_capacity(given.len());
    for entry in given {
        let wire = encode(&entry).map_err(|error| exceptions::with_key(py, error, &entry))?;
        pace.done(py, wire.len())?;
        encoded.push(wire.into());
    }
    Ok(encoded)
}

/// The items of a batch in the order of their keys, None where there is none.
struct BatchItems(Enumerate<std::vec::IntoIter<Option<Bytes>>>);

impl Listing for BatchItems {
    fn next(&mut self, py: Python<'_>, context: &Context) -> PyResult<Option<(Py<PyAny>, usize)>> {
        let Some((place, wire)) = self.0.next() else {
            return Ok(None);
        };
        let Some(wire) = wire else {
            return Ok(Some((py.None(), 0)));
        };
        let item = context.plan.decode_item(py, &mut Reader::new(&wire));
        let item = item.map_err(|error| context.at_entry(py, error, place))?;
        Ok(Some((item, wire.len())))
    }
}

/// A key as the caller gave it: `get("a")` comes here as `("a",)`.
fn as_given<'py>(key: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    match key.cast::<PyTuple>() {
        Ok(values) if values.len() == 1 => values.get_item(0).unwrap_or_else(|_| key.clone()),
        _ => key.clone(),
    }
}

fn refused_returning(py: Python<'_>, expected: &str) -> PyErr {
    exceptions::plain(
        py,
        "InvalidOption",
        format!("returning= takes {expected}, found another value."),
    )
}

/// What a refused value, key or expression was meant for is told with it.
fn in_context<T>(py: Python<'_>, context: &Context, outcome: PyResult<T>) -> PyResult<T> {
    outcome.map_err(|error| exceptions::with_context(py, error, context, None))
}

fn raised<T>(py: Python<'_>, context: &Context, outcome: crate::error::Result<T>) -> PyResult<T> {
    outcome.map_err(|error| exceptions::raise(py, error, context))
}

/// A stored item as a model, None where there is none.
fn decode(py: Python<'_>, context: &Context, item: Option<StoredItem>) -> PyResult<Py<PyAny>> {
    read(py, context, item, |reader| context.plan.decode_item(py, reader))
}

fn decode_json(py: Python<'_>, context: &Context, item: Option<StoredItem>) -> PyResult<Py<PyAny>> {
    read(py, context, item, |reader| {
        let mut json = Vec::new();
        context.plan.plan().push_json(py, reader, &mut json)?;
        Ok(PyBytes::new(py, &json).into_any().unbind())
    })
}

/// What `make` makes of an item; None where there is none.
fn read(
    py: Python<'_>,
    context: &Context,
    item: Option<StoredItem>,
    make: impl FnOnce(&mut Reader<'_>) -> PyResult<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let Some(item) = item else {
        return Ok(py.None());
    };
    let mut reader = Reader::new(&item.body);
    reader.seek(item.start);
    make(&mut reader).map_err(|error| exceptions::with_context(py, error, context, item.request_id.as_deref()))
}
