//! `Table`: a plan and a table's name. Each method makes the operation of its name, without I/O.

use std::sync::Arc;

use bytes::Bytes;
use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::bridge::Limits;
use crate::codec::{self, KeyAttribute, python};
use crate::expr::ast::{Action, Condition};
use crate::expr::split::{self, Candidate, KeySchema, Queried};
use crate::expr::upsert;
use crate::limits;
use crate::ops::batch_get::BatchGet;
use crate::ops::batch_write::{BatchWrite, Write};
use crate::ops::check::Check;
use crate::ops::cursor::StartKey;
use crate::ops::delete::Delete;
use crate::ops::get::Get;
use crate::ops::guard::Guard;
use crate::ops::pages::{Bounds, Pages};
use crate::ops::put::Put;
use crate::ops::table::{
    CreateTable, DeleteTable, DescribeTable, IndexDefinition, Patience, Projection, TableDefinition, WaitUntilActive,
};
use crate::ops::token::CursorKey;
use crate::ops::update::Update;
use crate::ops::{self, Returning, StoredItem};
use crate::py::client::Client;
use crate::py::exceptions::{self, Context};
use crate::py::expression;
use crate::py::operation::Operation;
use crate::py::pages::{PageClass, Query};
use crate::py::plan::Plan;
use crate::py::rate_limit::RateLimit;
use crate::wire::Tag;
use crate::wire::reader::Reader;

/// One model's items in one table.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Table {
    plan: Py<Plan>,
    name: Arc<str>,
    /// The table's key attributes: partition, then sort.
    key_attributes: Vec<Arc<str>>,
    key: KeySchema,
    indexes: Vec<(Arc<str>, KeySchema)>,
    /// Key attributes with their fields, which errors name.
    fields: Vec<(Arc<str>, Arc<str>)>,
    limits: Option<Arc<Limits>>,
    /// Attributes beside the key that every item must have, with their fields.
    required: Vec<(Arc<str>, Arc<str>)>,
    cursor_key: Option<CursorKey>,
    page_class: PageClass,
}

#[pymethods]
impl Table {
    /// `client`: whose calls the table is for, with its options.
    #[new]
    #[pyo3(signature = (plan, name, client=None, rate_limit=None))]
    fn new(plan: &Bound<'_, Plan>, name: &str, client: Option<&Client>, rate_limit: Option<&RateLimit>) -> Self {
        let spec = plan.get().core().key_spec();
        let attributes = |parts: &[KeyAttribute]| -> Vec<Arc<str>> {
            parts.iter().map(|part| part.attribute.as_str().into()).collect()
        };
        let key = KeySchema {
            partition: attributes(spec.partition.as_slice()),
            sort: attributes(spec.sort.as_slice()),
        };
        let indexes = spec
            .indexes
            .iter()
            .map(|index| {
                let own = KeySchema {
                    partition: attributes(&index.partition),
                    sort: attributes(&index.sort),
                };
                (index.name.as_str().into(), own)
            })
            .collect();
        Self {
            name: name.into(),
            key_attributes: key.partition.iter().chain(&key.sort).cloned().collect(),
            key,
            indexes,
            fields: key_fields(plan.get().core()),
            required: plan.get().core().required_fields(plan.py()),
            plan: plan.clone().unbind(),
            limits: rate_limit.map(|limit| Arc::new(Limits::of_table(name.into(), limit.shared()))),
            cursor_key: client.and_then(|client| client.cursor_key.clone()),
            page_class: PageClass::default(),
        }
    }

    /// The same table, read and written by another plan of the model.
    fn with_plan(&self, plan: &Bound<'_, Plan>) -> Self {
        Self {
            limits: self.limits.clone(),
            cursor_key: self.cursor_key.clone(),
            ..Self::new(plan, &self.name, None, None)
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.page_class.traverse(&visit)?;
        visit.call(&self.plan)
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

    fn get(&self, key: &Bound<'_, PyAny>, consistent: bool) -> PyResult<Operation> {
        let context = self.context("GetItem", Some(key));
        let key = self.key(key, &context)?;
        Ok(Operation::new(Get::new(&self.name, &key, consistent), context, decode))
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

    #[pyo3(signature = (condition, r#where, index, reverse, limit, page_size, consistent))]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the query's own, passed by the one caller"
    )]
    fn query(
        &self,
        condition: &Bound<'_, PyAny>,
        r#where: Option<&Bound<'_, PyAny>>,
        index: Option<&str>,
        reverse: bool,
        limit: Option<u64>,
        page_size: Option<u32>,
        consistent: bool,
    ) -> PyResult<Query> {
        let py = condition.py();
        let context = self.context("Query", None);
        let condition = in_context(py, &context, expression::condition(self.plan(), condition))?;
        let filter = self.condition(py, r#where, &context)?;
        let key = self.key_of(py, index, &context)?;
        let split = {
            let others = self.candidates(index);
            let queried = Queried {
                index,
                key: &key,
                fields: &self.fields,
                others: &others,
            };
            raised(py, &context, split::split(queried, condition, filter))?
        };
        let query = ops::query::Query {
            table: &self.name,
            index,
            whole_items: self.is_local(index),
            split: &split,
            reverse,
            consistent,
            bounds: Bounds { limit, page_size },
        };
        let pages = raised(py, &context, query.pages())?;
        Ok(self.pages("Query", index, pages))
    }

    #[pyo3(signature = (r#where, index, limit, page_size, consistent))]
    fn scan(
        &self,
        py: Python<'_>,
        r#where: Option<&Bound<'_, PyAny>>,
        index: Option<&str>,
        limit: Option<u64>,
        page_size: Option<u32>,
        consistent: bool,
    ) -> PyResult<Query> {
        let context = self.context("Scan", None);
        self.key_of(py, index, &context)?;
        let filter = self.condition(py, r#where, &context)?;
        let scan = ops::scan::Scan {
            table: &self.name,
            index,
            filter: filter.as_ref(),
            consistent,
            bounds: Bounds { limit, page_size },
        };
        let pages = raised(py, &context, scan.pages())?;
        Ok(self.pages("Scan", index, pages))
    }

    fn check(&self, key: &Bound<'_, PyAny>, r#where: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let py = key.py();
        let context = self.context("TransactWriteItems", Some(key));
        let key = self.key(key, &context)?;
        let guard = Guard::default().with(self.condition(py, Some(r#where), &context)?);
        let check = raised(py, &context, Check::new(&self.name, &key, &guard))?;
        Ok(Operation::new(check, context, |py, _, ()| Ok(py.None())))
    }

    fn batch_get(&self, keys: &Bound<'_, PyList>, consistent: bool, at_once: usize) -> PyResult<Operation> {
        let py = keys.py();
        let context = self.batch_context("BatchGetItem", keys);
        let keys = self.key_list(keys, &context)?;
        let batch = BatchGet::new(&self.name, &self.key_attributes, keys, consistent);
        let batch = raised(py, &context, batch)?.at_once(at_once);
        Ok(Operation::new(
            batch,
            context,
            |py, context, found: Vec<Option<Bytes>>| {
                let items = PyList::empty(py);
                for (place, wire) in found.into_iter().enumerate() {
                    let item = wire.map(|wire| context.plan.decode_item(py, &mut Reader::new(&wire)));
                    let item = item.transpose().map_err(|error| context.at_entry(py, error, place))?;
                    items.append(item)?;
                }
                Ok(items.into_any().unbind())
            },
        ))
    }

    fn batch_put(&self, items: &Bound<'_, PyList>, at_once: usize) -> PyResult<Operation> {
        let context = self.batch_context("BatchWriteItem", items);
        let writes = items
            .iter()
            .map(|item| match self.item(&item, &context) {
                Ok(wire) => Ok(Write::Put(wire.into())),
                Err(error) => Err(exceptions::with_key(items.py(), error, &item)),
            })
            .collect::<PyResult<Vec<_>>>()?;
        self.batch_write(items.py(), writes, context, at_once)
    }

    fn batch_delete(&self, keys: &Bound<'_, PyList>, at_once: usize) -> PyResult<Operation> {
        let context = self.batch_context("BatchWriteItem", keys);
        let entries = self.key_list(keys, &context)?;
        let writes = entries.into_iter().map(Write::Delete).collect();
        self.batch_write(keys.py(), writes, context, at_once)
    }

    /// `projections`: an index's name, DynamoDB's projection type, and the fields that it includes.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 extracts arguments by value")]
    fn create_table(&self, py: Python<'_>, projections: Vec<(String, String, Vec<String>)>) -> PyResult<Operation> {
        let definition = self.definition(py, &projections)?;
        let create = CreateTable::new(definition, Patience::default());
        Ok(Operation::new(create, self.context("CreateTable", None), |py, _, _| {
            Ok(py.None())
        }))
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
            plan: self.plan.get().shared(),
            key: key.map(|key| as_given(key).unbind()),
            entries: None,
            limits: self.limits.clone(),
        }
    }

    /// Not held by an `Arc` of its own, which would hide the plan's objects from the garbage collector.
    fn plan(&self) -> &codec::Plan {
        self.plan.get().core()
    }

    fn batch_context(&self, operation: &'static str, entries: &Bound<'_, PyList>) -> Context {
        Context {
            entries: Some(entries.clone().unbind()),
            ..self.context(operation, None)
        }
    }

    fn pages(&self, operation: &'static str, index: Option<&str>, pages: Pages) -> Query {
        Query {
            pages,
            operation,
            table: Arc::clone(&self.name),
            plan: self.plan.get().shared(),
            limits: self.limits.clone(),
            start_key: self.start_key(index),
            cursor_key: self.cursor_key.clone(),
            page_class: self.page_class.clone(),
        }
    }

    /// What tells an item's place in the table or index: its key there, and its key in the table.
    fn start_key(&self, index: Option<&str>) -> Arc<StartKey> {
        let spec = self.plan().key_spec();
        let index = spec.indexes.iter().find(|known| Some(known.name.as_str()) == index);
        let of_index = index
            .into_iter()
            .flat_map(|index| index.partition.iter().chain(&index.sort));
        let mut attributes: Vec<(Arc<str>, Tag)> = Vec::new();
        for part in spec.table().chain(of_index) {
            if attributes.iter().all(|(name, _)| **name != *part.attribute) {
                attributes.push((part.attribute.as_str().into(), part.tag));
            }
        }
        attributes.into()
    }

    /// The first partition attribute: every item has it, so it tells whether there is one.
    fn partition(&self) -> Arc<str> {
        Arc::clone(&self.key_attributes[0])
    }

    /// The key of the table, or of its index.
    fn key_of(&self, py: Python<'_>, index: Option<&str>, context: &Context) -> PyResult<KeySchema> {
        let Some(name) = index else {
            return Ok(self.key.clone());
        };
        match self.indexes.iter().find(|(known, _)| **known == *name) {
            Some((_, key)) => Ok(key.clone().or_partition_of(&self.key)),
            None => {
                let known: Vec<&str> = self.indexes.iter().map(|(name, _)| &**name).collect();
                let known = if known.is_empty() {
                    "no index".to_owned()
                } else {
                    known.join(", ")
                };
                let message = format!("{} has no index \"{name}\"; it has {known}.", self.plan().title());
                Err(exceptions::new(py, "InvalidExpression", message, context, None, &[]))
            }
        }
    }

    fn is_local(&self, index: Option<&str>) -> bool {
        let known = self.indexes.iter().find(|(name, _)| Some(&**name) == index);
        known.is_some_and(|(_, key)| key.partition.is_empty())
    }

    /// What else a query could go to.
    fn candidates(&self, index: Option<&str>) -> Vec<Candidate> {
        let table = index.is_some().then(|| Candidate {
            index: None,
            partition: self.key.partition.clone(),
        });
        let others = self.indexes.iter().filter(|(name, _)| Some(&**name) != index);
        let others = others.map(|(name, key)| Candidate {
            index: Some(Arc::clone(name)),
            partition: key.clone().or_partition_of(&self.key).partition,
        });
        table.into_iter().chain(others).collect()
    }

    fn key_list(&self, keys: &Bound<'_, PyList>, context: &Context) -> PyResult<Vec<Bytes>> {
        keys.iter()
            .map(|key| match self.key(&key, context) {
                Ok(wire) => Ok(wire.into()),
                Err(error) => Err(exceptions::with_key(keys.py(), error, &key)),
            })
            .collect()
    }

    fn definition(&self, py: Python<'_>, projections: &[(String, String, Vec<String>)]) -> PyResult<TableDefinition> {
        let spec = self.plan().key_spec();
        let mut attributes: Vec<(Arc<str>, Tag)> = Vec::new();
        let index_parts = spec
            .indexes
            .iter()
            .flat_map(|index| index.partition.iter().chain(&index.sort));
        for part in spec.table().chain(index_parts) {
            if attributes.iter().all(|(name, _)| **name != *part.attribute) {
                attributes.push((part.attribute.as_str().into(), part.tag));
            }
        }
        let mut indexes = Vec::with_capacity(self.indexes.len());
        for (name, key) in &self.indexes {
            let projection = match projections.iter().find(|(index, ..)| **index == **name) {
                Some((_, kind, _)) if kind == "KEYS_ONLY" => Projection::KeysOnly,
                Some((_, kind, fields)) if kind == "INCLUDE" => Projection::Include(
                    fields
                        .iter()
                        .map(|field| self.projected_name(py, field))
                        .collect::<PyResult<_>>()?,
                ),
                _ => Projection::All,
            };
            indexes.push(IndexDefinition {
                name: Arc::clone(name),
                key: key.clone(),
                projection,
            });
        }
        Ok(TableDefinition {
            table: Arc::clone(&self.name),
            key: self.key.clone(),
            indexes,
            attributes,
            ttl: spec.ttl.as_deref().map(Into::into),
        })
    }

    /// The stored name of a field that an index is to hold.
    fn projected_name(&self, py: Python<'_>, field: &str) -> PyResult<Arc<str>> {
        let stored = self.plan().stored_name(py, field)?;
        if stored.len() <= limits::KEY_NAME_BYTES {
            return Ok(stored);
        }
        let message = format!(
            "{}.{field}: an attribute that Include() projects has a name of at most {} bytes, and the stored name has {}.",
            self.plan().title(),
            limits::KEY_NAME_BYTES,
            stored.len()
        );
        Err(exceptions::plain(py, "SchemaError", message))
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

/// The key attributes of the table and its indexes, each with its field.
fn key_fields(plan: &codec::Plan) -> Vec<(Arc<str>, Arc<str>)> {
    let (spec, options) = (plan.key_spec(), plan.options());
    let attributes = spec
        .indexes
        .iter()
        .flat_map(|index| index.partition.iter().chain(&index.sort));
    let fields = options
        .indexes
        .iter()
        .flat_map(|index| index.partition.iter().chain(&index.sort));
    let attributes = spec.table().chain(attributes);
    let fields = options.partition.iter().chain(&options.sort).chain(fields);
    attributes
        .zip(fields)
        .map(|(attribute, field)| (attribute.attribute.as_str().into(), field.as_str().into()))
        .collect()
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
    let Some(item) = item else {
        return Ok(py.None());
    };
    let mut reader = Reader::new(&item.body);
    reader.seek(item.start);
    let decoded = context.plan.decode_item(py, &mut reader);
    decoded.map_err(|error| exceptions::with_context(py, error, context, item.request_id.as_deref()))
}
