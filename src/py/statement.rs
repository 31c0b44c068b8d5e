//! `Statement`: PartiQL text with its parameters encoded, and the operations that are made of such statements.

use std::hash::{DefaultHasher, Hash, Hasher};
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
        Operation::new(execute, self.context("ExecuteStatement"), decode_all)
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
        Operation::new(batch, context, move |py, _, outcomes: Vec<Outcome>| {
            let results = PyList::empty(py);
            for (outcome, context) in outcomes.into_iter().zip(&contexts) {
                results.append(settle(py, context, outcome)?)?;
            }
            Ok(results.into_any().unbind())
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
        Ok(Operation::new(
            transaction,
            context,
            move |py, _, found: Vec<Option<StoredItem>>| {
                let results = PyList::empty(py);
                for (place, (item, context)) in found.into_iter().zip(&contexts).enumerate() {
                    let read = |item| {
                        decode(py, context, &item, |plan, reader| {
                            plan.decode_item_at(py, reader, place)
                        })
                    };
                    results.append(item.map(read).transpose()?)?;
                }
                Ok(results.into_any().unbind())
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

fn decode_all(py: Python<'_>, context: &Context, found: Found) -> PyResult<Py<PyAny>> {
    let items = PyList::empty(py);
    for (place, item) in found.iter().enumerate() {
        items.append(decode(py, context, item, |plan, reader| {
            plan.decode_item_at(py, reader, place)
        })?)?;
    }
    Ok(items.into_any().unbind())
}

/// A statement's result as the caller gets it: exceptions of ours are results too, those of the caller's code are not.
fn settle(py: Python<'_>, context: &Context, outcome: Outcome) -> PyResult<Py<PyAny>> {
    let refusal = match outcome {
        Ok(None) => return Ok(py.None()),
        Ok(Some(item)) => match decode(py, context, &item, |plan, reader| plan.decode_item(py, reader)) {
            Ok(item) => return Ok(item),
            Err(error) => error,
        },
        Err(error) => exceptions::raise(py, error, context),
    };
    if exceptions::is_ours(refusal.value(py))? {
        Ok(refusal.into_value(py).into_any())
    } else {
        Err(refusal)
    }
}

/// An item where it stands in a reply. What refuses it is told with its key, where that can be read.
fn decode(
    py: Python<'_>,
    context: &Context,
    item: &StoredItem,
    read: impl FnOnce(&codec::Plan, &mut Reader<'_>) -> PyResult<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let mut reader = Reader::new(&item.body);
    reader.seek(item.start);
    read(&context.plan, &mut reader).map_err(|error| {
        let error = exceptions::with_context(py, error, context, item.request_id.as_deref());
        reader.seek(item.start);
        match context.plan.key_of_item(py, &mut reader) {
            Some(key) => exceptions::with_key(py, error, &key),
            None => error,
        }
    })
}
