//! `Statement`: PartiQL text with its parameters encoded, and the operations that are made of such statements.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::iter::Enumerate;
use std::sync::Arc;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyList, PyTuple};

use crate::codec;
use crate::limits;
use crate::ops::StoredItem;
use crate::ops::partiql::{self, BatchExecute, Execute, ExecuteTransaction, Found, Kind, Outcome};
use crate::py::exceptions::{self, Context};
use crate::py::flag;
use crate::py::listing::Listing;
use crate::py::operation::Operation;
use crate::py::plan::Plan;
use crate::wire::reader::Reader;

/// One PartiQL statement, whose items are read by a plan.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Statement {
    statement: partiql::Statement,
    plan: Py<Plan>,
}

#[pymethods]
impl Statement {
    #[new]
    fn new(plan: &Bound<'_, Plan>, text: &str, parameters: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let py = plan.py();
        let encode = |(place, value)| plan.get().core().encode_parameter(&value, place);
        let parameters = parameters
            .iter()
            .enumerate()
            .map(encode)
            .collect::<PyResult<Vec<_>>>()?;
        let statement = partiql::Statement::new(text, &parameters)
            .map_err(|error| exceptions::plain(py, "InvalidExpression", format!("{error}.")))?;
        Ok(Self {
            statement,
            plan: plan.clone().unbind(),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.plan)
    }

    /// Statements are alike where the same is sent: a parameter is what it is on the wire.
    fn __eq__(&self, other: &Self) -> bool {
        self.statement == other.statement
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.statement.hash(&mut hasher);
        hasher.finish()
    }

    /// The operation that gives all its items.
    #[pyo3(signature = (consistent, limit))]
    fn execute(&self, #[pyo3(from_py_with = flag::consistent)] consistent: bool, limit: Option<u64>) -> Operation {
        let execute = Execute::new(&self.statement, consistent, limit);
        Operation::listing(execute, self.context("ExecuteStatement"), |found: Found| {
            StatementItems(found.into_iter().enumerate())
        })
    }

    /// The operation that gives, for each statement in its place, the item, None, or the exception. The plan is for what
    /// is about no one of them.
    #[staticmethod]
    fn batch_execute(
        plan: &Bound<'_, Plan>,
        statements: Vec<Bound<'_, Self>>,
        #[pyo3(from_py_with = flag::consistent)] consistent: bool,
    ) -> Operation {
        const OPERATION: &str = "BatchExecuteStatement";
        let contexts: Vec<Context> = statements.iter().map(|each| each.get().context(OPERATION)).collect();
        let batch = statements.iter().map(|each| each.get().statement.clone()).collect();
        let batch = BatchExecute::new(batch, consistent);
        let context = context_of_all(OPERATION, plan.get(), &contexts);
        let contexts: Arc<[Context]> = contexts.into();
        Operation::listing(batch, context, move |outcomes: Vec<Outcome>| Outcomes {
            outcomes: outcomes.into_iter().enumerate(),
            contexts: Arc::clone(&contexts),
        })
    }

    /// The operation that carries all of them out as one, and gives for each the item that it found, or None.
    #[staticmethod]
    #[pyo3(signature = (plan, statements, token))]
    fn transact_execute(
        plan: &Bound<'_, Plan>,
        statements: Vec<Bound<'_, Self>>,
        token: Option<&str>,
    ) -> PyResult<Operation> {
        const OPERATION: &str = "ExecuteTransaction";
        let py = plan.py();
        check_transaction(py, &statements, token)?;
        let contexts: Vec<Context> = statements.iter().map(|each| each.get().context(OPERATION)).collect();
        let parts = statements.iter().map(|each| each.get().statement.clone()).collect();
        let transaction = ExecuteTransaction::new(parts, token.map(Into::into));
        // A reason of a cancellation is told by the operation that the statement alone would be.
        let alone = statements
            .iter()
            .map(|each| Py::new(py, each.get().execute(false, None)));
        let entries = PyList::new(py, alone.collect::<PyResult<Vec<_>>>()?)?;
        let context = Context {
            entries: Some(entries.unbind()),
            ..context_of_all(OPERATION, plan.get(), &contexts)
        };
        let contexts: Arc<[Context]> = contexts.into();
        Ok(Operation::listing(
            transaction,
            context,
            move |found: Vec<Option<StoredItem>>| ItemsTogether {
                found: found.into_iter().enumerate(),
                contexts: Arc::clone(&contexts),
            },
        ))
    }
}

/// Refuse what DynamoDB would refuse as a whole.
fn check_transaction(py: Python<'_>, statements: &[Bound<'_, Statement>], token: Option<&str>) -> PyResult<()> {
    let refused = |message| Err(exceptions::plain(py, "InvalidOperation", message));
    if statements.len() > limits::TRANSACTION_OPERATIONS {
        return refused(format!(
            "transact_execute() takes at most {} statements, found {}: DynamoDB carries no more out as one. What need not \
             happen together goes into transactions of its own, or into batch_execute().",
            limits::TRANSACTION_OPERATIONS,
            statements.len()
        ));
    }
    let is_read = |statement: &Bound<'_, Statement>| statement.get().statement.kind() == Kind::Read;
    let reads = statements.first().is_some_and(is_read);
    if let Some(place) = statements.iter().position(|statement| is_read(statement) != reads) {
        return refused(format!(
            "transact_execute() cannot take statements[{place}]: a transaction either reads or writes, and statements[0] does \
             the other. Make two, or ask EXISTS(SELECT ...) what is to be so when the others are written."
        ));
    }
    if reads && token.is_some() {
        return refused(
            "token= is for writes, which are not to happen twice: leave it out where all statements read.".to_owned(),
        );
    }
    Ok(())
}

impl Statement {
    fn context(&self, operation: &'static str) -> Context {
        Context {
            operation,
            table: self.statement.table().cloned().unwrap_or_default(),
            plan: self.plan.get().reading(),
            key: None,
            entries: None,
            limits: None,
        }
    }
}

/// The context of a request of several statements: its table is the one that all of them name.
fn context_of_all(operation: &'static str, plan: &Plan, contexts: &[Context]) -> Context {
    let table = match contexts.split_first() {
        Some((first, others)) if others.iter().all(|other| other.table == first.table) => Arc::clone(&first.table),
        _ => Arc::default(),
    };
    Context {
        operation,
        table,
        plan: plan.reading(),
        key: None,
        entries: None,
        limits: None,
    }
}

/// The items of one statement.
struct StatementItems(Enumerate<std::vec::IntoIter<StoredItem>>);

impl Listing for StatementItems {
    fn next(&mut self, py: Python<'_>, context: &Context) -> PyResult<Option<(Py<PyAny>, usize)>> {
        let Some((place, item)) = self.0.next() else {
            return Ok(None);
        };
        let read = |plan: &codec::Plan, reader: &mut Reader<'_>| plan.decode_item_at(py, reader, place);
        decode(py, context, &item, read).map(Some)
    }
}

/// What became of each statement of a batch.
struct Outcomes {
    outcomes: Enumerate<std::vec::IntoIter<Outcome>>,
    contexts: Arc<[Context]>,
}

impl Listing for Outcomes {
    fn next(&mut self, py: Python<'_>, _: &Context) -> PyResult<Option<(Py<PyAny>, usize)>> {
        let Some((place, outcome)) = self.outcomes.next() else {
            return Ok(None);
        };
        settle(py, &self.contexts[place], outcome).map(Some)
    }
}

/// What each statement of a transaction found.
struct ItemsTogether {
    found: Enumerate<std::vec::IntoIter<Option<StoredItem>>>,
    contexts: Arc<[Context]>,
}

impl Listing for ItemsTogether {
    fn next(&mut self, py: Python<'_>, _: &Context) -> PyResult<Option<(Py<PyAny>, usize)>> {
        let Some((place, item)) = self.found.next() else {
            return Ok(None);
        };
        let Some(item) = item else {
            return Ok(Some((py.None(), 0)));
        };
        let read = |plan: &codec::Plan, reader: &mut Reader<'_>| plan.decode_item_at(py, reader, place);
        decode(py, &self.contexts[place], &item, read).map(Some)
    }
}

/// A statement's result as the caller gets it: exceptions of ours are results too, those of the caller's code are not.
fn settle(py: Python<'_>, context: &Context, outcome: Outcome) -> PyResult<(Py<PyAny>, usize)> {
    let refusal = match outcome {
        Ok(None) => return Ok((py.None(), 0)),
        Ok(Some(item)) => match decode(py, context, &item, |plan, reader| plan.decode_item(py, reader)) {
            Ok(item) => return Ok(item),
            Err(error) => error,
        },
        Err(error) => exceptions::raise(py, error, context),
    };
    if exceptions::is_ours(refusal.value(py))? {
        Ok((refusal.into_value(py).into_any(), 0))
    } else {
        Err(refusal)
    }
}

/// An item where it stands in a reply, and its size. What refuses it is told with its key, where that can be read.
fn decode(
    py: Python<'_>,
    context: &Context,
    item: &StoredItem,
    read: impl FnOnce(&codec::Plan, &mut Reader<'_>) -> PyResult<Py<PyAny>>,
) -> PyResult<(Py<PyAny>, usize)> {
    let mut reader = Reader::new(&item.body);
    reader.seek(item.start);
    match read(&context.plan, &mut reader) {
        Ok(model) => Ok((model, reader.position() - item.start)),
        Err(error) => {
            let error = exceptions::with_context(py, error, context, item.request_id.as_deref());
            reader.seek(item.start);
            Err(match context.plan.key_of_item(py, &mut reader) {
                Some(key) => exceptions::with_key(py, error, &key),
                None => error,
            })
        }
    }
}
