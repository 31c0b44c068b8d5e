//! `Error` -> the classes of `oxidyn.errors`: the only place where a Rust error becomes a Python exception.

use std::sync::Arc;

use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBool, PyDict, PyList, PyString, PyTuple};

use crate::bridge::Limits;
use crate::codec::Reading;
use crate::codec::python::add_note;
use crate::error::{
    Cancellation, ConditionFailure, ConditionMeaning, Error, Incomplete, ServiceError, TransportError, TransportKind,
};
use crate::limits;
use crate::py::operation::Operation;
use crate::wire::reader::Reader;
use crate::wire::size;

/// What every exception of one operation tells beside its own words, and what its calls wait for.
pub struct Context {
    pub operation: &'static str,
    /// Empty where no one table is meant.
    pub table: Arc<str>,
    pub plan: Reading,
    /// The key as the caller gave it, or the item that holds it.
    pub key: Option<Py<PyAny>>,
    /// The entries of a batch as the caller gave them.
    pub entries: Option<Py<PyList>>,
    /// The rate limits of its tables.
    pub limits: Option<Arc<Limits>>,
}

impl Context {
    /// The same for what outlives the operation: a page.
    pub fn clone_for(&self, py: Python<'_>) -> Self {
        Self {
            operation: self.operation,
            table: Arc::clone(&self.table),
            plan: self.plan.clone(),
            key: self.key.as_ref().map(|key| key.clone_ref(py)),
            entries: self.entries.as_ref().map(|entries| entries.clone_ref(py)),
            limits: self.limits.clone(),
        }
    }

    /// An entry of the batch or transaction as it was given.
    fn entry<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        let entries = self.entries.as_ref().map(|entries| entries.bind(py));
        // A hostile reply may tell of more than were given.
        let entries = entries.filter(|entries| place < entries.len());
        entries.map(|entries| entries.get_item(place)).transpose()
    }

    /// An exception about one entry of a batch, with all that is known of it.
    pub fn at_entry(&self, py: Python<'_>, error: PyErr, place: usize) -> PyErr {
        let error = with_context(py, error, self, None);
        match self.entry(py, place) {
            Ok(Some(entry)) => with_key(py, error, &entry),
            _ => error,
        }
    }

    fn details<'py>(&self, py: Python<'py>, request_id: Option<&str>) -> PyResult<Bound<'py, PyDict>> {
        let details = PyDict::new(py);
        details.set_item(intern!(py, "operation"), self.operation)?;
        // A statement may name no table, and a batch or a transaction several.
        let table = Some(&*self.table).filter(|table| !table.is_empty());
        details.set_item(intern!(py, "table"), table)?;
        details.set_item(intern!(py, "key"), self.key.as_ref())?;
        details.set_item(intern!(py, "request_id"), request_id)?;
        Ok(details)
    }
}

/// Tell an exception that was raised while encoding or decoding what that was for: one of ours gets operation, table, key
/// and request id, one of the caller's own code gets a note.
pub fn with_context(py: Python<'_>, error: PyErr, context: &Context, request_id: Option<&str>) -> PyErr {
    let value = error.value(py);
    let told = is_ours(value).and_then(|is_ours| {
        if !is_ours {
            return add_note(
                value,
                &format!("oxidyn: {}, table \"{}\"", context.operation, context.table),
            );
        }
        for (name, detail) in context.details(py, request_id)? {
            if !detail.is_none() {
                value.setattr(name.cast::<PyString>()?, detail)?;
            }
        }
        Ok(())
    });
    told.map_or_else(|failure| failure, |()| error)
}

/// Tell an exception of ours which key or entry it is about, where the operation has many.
pub fn with_key(py: Python<'_>, error: PyErr, key: &Bound<'_, PyAny>) -> PyErr {
    let value = error.value(py);
    let told = is_ours(value).and_then(|is_ours| {
        if is_ours {
            value.setattr(intern!(py, "key"), key)
        } else {
            Ok(())
        }
    });
    told.map_or_else(|failure| failure, |()| error)
}

pub fn is_ours(error: &Bound<'_, PyBaseException>) -> PyResult<bool> {
    error.is_instance(&class(error.py(), "OxidynError")?)
}

/// The exception for an operation that failed.
pub fn raise(py: Python<'_>, error: Error, context: &Context) -> PyErr {
    match error {
        Error::Expression(message) => new(py, "InvalidExpression", format!("{message}."), context, None, &[]),
        Error::Cursor(message) => new(py, "InvalidCursor", format!("{message}."), context, None, &[]),
        Error::Service(error) => service(py, error, context),
        Error::Condition(failure) => condition(py, failure, context),
        Error::Transport(error) => transport(py, error, context),
        Error::Timeout(message) => new(py, "TableNotActive", message, context, None, &[]),
        Error::Incomplete(error) => incomplete(py, &error, context),
        Error::Cancelled(error) => cancelled(py, error, context),
    }
}

/// An exception without an operation round it.
pub fn plain(py: Python<'_>, name: &str, message: String) -> PyErr {
    class(py, name)
        .and_then(|class| class.call1((message,)))
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for a failure with no table's operation round it: an engine that cannot be opened, a raw call.
pub fn raise_bare(py: Python<'_>, error: &Error) -> PyErr {
    let details = PyDict::new(py);
    let (name, told) = match error {
        Error::Service(service) => (
            "ServiceError",
            details
                .set_item(intern!(py, "code"), &service.code)
                .and_then(|()| details.set_item(intern!(py, "ambiguous"), error.is_ambiguous())),
        ),
        Error::Transport(transport) => (
            transport_class(transport.kind),
            details.set_item(intern!(py, "ambiguous"), transport.ambiguous),
        ),
        _ => ("OxidynError", Ok(())),
    };
    told.and_then(|()| class(py, name)?.call((error.to_string(),), Some(&details)))
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// Refuse an item that DynamoDB would refuse for its size; say what in it weighs most.
#[cold]
pub fn check_size(py: Python<'_>, item: &[u8], context: &Context) -> PyResult<()> {
    const NAMED: usize = 5;
    let Ok((total, mut parts)) = size::breakdown(item) else {
        return Ok(());
    };
    if total <= limits::ITEM_BYTES {
        return Ok(());
    }
    parts.truncate(NAMED);
    let heaviest: Vec<String> = parts
        .iter()
        .map(|part| format!("{} ({} bytes)", part.path, part.bytes))
        .collect();
    let message = format!(
        "The item has {total} bytes, and DynamoDB takes {}; nothing was sent. What weighs most is {}: store less there, \
         or several items.",
        limits::ITEM_BYTES,
        heaviest.join(", ")
    );
    let pairs: Vec<(String, usize)> = parts.into_iter().map(|part| (part.path, part.bytes)).collect();
    let extra = [
        ("size", total.into_pyobject(py)?.into_any().unbind()),
        ("heaviest", pairs.into_pyobject(py)?.into_any().unbind()),
    ];
    Err(new(py, "ItemTooLarge", message, context, None, &extra))
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "oxidyn.errors"))?.getattr(name)
}

pub fn new(
    py: Python<'_>,
    name: &str,
    message: String,
    context: &Context,
    request_id: Option<&str>,
    extra: &[(&str, Py<PyAny>)],
) -> PyErr {
    let made = context.details(py, request_id).and_then(|details| {
        details.update(extra.into_py_dict(py)?.as_mapping())?;
        class(py, name)?.call((message,), Some(&details))
    });
    made.map_or_else(|failure| failure, PyErr::from_value)
}

/// What DynamoDB's refusal of an update means. What is stored is not known before it.
fn refused_update(message: &str) -> String {
    if message.starts_with("Item size to update has exceeded") {
        return "DynamoDB refused the update (ValidationException): the item would have more than 400 KB with it, which \
                is all that DynamoDB stores in one; nothing was written. Store less in it, or several items."
            .to_owned();
    }
    format!(
        "DynamoDB refused the update (ValidationException): {}. A common cause is a stored item that an action does not \
         fit: set() inside a part that is not stored yet (set that part first), or to a field that is not stored \
         (attr(x).if_not_exists() says what stands for it), add() to what is stored neither as a number nor as a set \
         of the same type (an empty set may be stored as an empty list: use set()), append() to what is stored as NULL.",
        message.trim_end_matches('.')
    )
}

/// The class and the words for what the service refused.
fn meaning(error: &ServiceError, context: &Context) -> (&'static str, String) {
    let table = &context.table;
    match (error.code.as_str(), context.operation) {
        ("ResourceNotFoundException", _) if table.is_empty() => (
            "TableNotFound",
            "One of the tables is not there: create it with create_table(), or check the client's region, account and \
             endpoint."
                .to_owned(),
        ),
        ("ResourceNotFoundException", _) => (
            "TableNotFound",
            format!(
                "There is no table \"{table}\": create it with create_table(), or check the client's region, account \
                 and endpoint."
            ),
        ),
        ("TransactionConflictException", _) => (
            "TransactionConflict",
            "Another transaction is changing the item at this moment; nothing was written. It was tried as often as \
             max_attempts says: try it again."
                .to_owned(),
        ),
        ("TransactionInProgressException", _) => (
            "ServiceError",
            "A transaction with this token is still being carried out (TransactionInProgressException), after every \
             retry: run it again with the same token to learn how it ended."
                .to_owned(),
        ),
        ("IdempotentParameterMismatchException", _) => (
            "ServiceError",
            "A transaction with this token and other operations was carried out in the last ten minutes \
             (IdempotentParameterMismatchException); nothing was written. A token names one transaction: give each its \
             own, or none."
                .to_owned(),
        ),
        ("ItemCollectionSizeLimitExceededException", _) => (
            "ServiceError",
            "The items of this partition key with their local indexes have reached 10 GB, which is all that DynamoDB \
             stores under one partition key of a table with local indexes (ItemCollectionSizeLimitExceededException): \
             delete some, or spread them over more partition keys."
                .to_owned(),
        ),
        ("ResourceInUseException", "CreateTable") => (
            "TableExists",
            format!("There is a table \"{table}\" already; create_table() changed nothing."),
        ),
        ("ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded", _) => (
            "Throttled",
            format!(
                "DynamoDB still throttles the request after every retry ({}): slow down, or raise the table's or the \
                 account's limits.",
                error.message
            ),
        ),
        (
            "AccessDeniedException"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "IncompleteSignatureException"
            | "MissingAuthenticationTokenException"
            | "ExpiredTokenException"
            | "NotAuthorizedException",
            _,
        ) => (
            "AccessDenied",
            format!(
                "DynamoDB refused the credentials ({}): {} Check who the client is (its profile or keys) and that its \
                 policy allows {} on the table.",
                error.code,
                error.message,
                permissions(context.operation)
            ),
        ),
        ("ValidationException", "UpdateItem") => ("ServiceError", refused_update(&error.message)),
        _ if error.is_ambiguous() && !error.in_doubt => (
            "ServiceError",
            format!(
                "DynamoDB failed over the request ({}: {}). If it writes, it may have been carried out all the same: read \
                 before you write again.",
                error.code, error.message
            ),
        ),
        _ => (
            "ServiceError",
            format!("DynamoDB refused the request ({}): {}", error.code, error.message),
        ),
    }
}

fn service(py: Python<'_>, error: ServiceError, context: &Context) -> PyErr {
    let (name, mut message) = meaning(&error, context);
    if error.in_doubt {
        message.push_str(
            " A try before that got no answer, or a failure for one, so it may have been carried out all the same.",
        );
    }
    let ambiguous = truth(py, error.is_ambiguous());
    let code = match error.code.into_pyobject(py) {
        Ok(code) => code.into_any().unbind(),
        Err(never) => match never {},
    };
    new(
        py,
        name,
        message,
        context,
        error.request_id.as_deref(),
        &[("code", code), ("ambiguous", ambiguous)],
    )
}

/// What a policy must allow: a transaction has no permission of its own.
fn permissions(operation: &str) -> String {
    match operation {
        "TransactGetItems" => "dynamodb:GetItem".to_owned(),
        "TransactWriteItems" => {
            "what each operation is (dynamodb:PutItem, UpdateItem, DeleteItem, ConditionCheckItem)".to_owned()
        }
        _ => format!("dynamodb:{operation}"),
    }
}

fn condition(py: Python<'_>, failure: ConditionFailure, context: &Context) -> PyErr {
    let stored = match failure
        .item
        .map(|wire| context.plan.decode_item(py, &mut Reader::new(&wire)))
        .transpose()
    {
        Ok(item) => Stored::Sent(item),
        // The stored item cannot be shown as a model: that is told as the cause, and the refusal is not lost.
        Err(refusal) => {
            let request_id = failure.request_id.as_deref();
            let error = refused(py, failure.meaning, request_id, Stored::Unreadable, context);
            error.set_cause(py, Some(with_context(py, refusal, context, request_id)));
            return error;
        }
    };
    refused(py, failure.meaning, failure.request_id.as_deref(), stored, context)
}

/// What is known of the item that is stored under the key.
enum Stored {
    /// None where there is none, and where the service does not say.
    Sent(Option<Py<PyAny>>),
    /// There is one, and the model refuses it.
    Unreadable,
}

/// Of statements the text has the condition, and their INSERT is no method of ours.
const STATEMENTS: [&str; 3] = ["ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"];

fn refused(
    py: Python<'_>,
    meaning: ConditionMeaning,
    request_id: Option<&str>,
    stored: Stored,
    context: &Context,
) -> PyErr {
    let table = &context.table;
    let unreadable = "the model refuses it, `__cause__` says why";
    let (item, if_any, surely) = match stored {
        Stored::Sent(item) => (item, "`item` holds it, None where there is none", "`item` holds it"),
        Stored::Unreadable => (None, unreadable, unreadable),
    };
    let item = ("item", item.unwrap_or_else(|| py.None()));
    if STATEMENTS.contains(&context.operation) {
        let (name, message) = match meaning {
            ConditionMeaning::ItemExists => (
                "ItemExists",
                "The statement inserts an item whose key is taken; nothing was written. DynamoDB does not send the stored \
                 item with this."
                    .to_owned(),
            ),
            _ => (
                "ConditionFailed",
                format!("The statement's WHERE did not hold for the stored item ({if_any}); nothing was written."),
            ),
        };
        return new(py, name, message, context, request_id, &[item]);
    }
    match meaning {
        ConditionMeaning::ItemNotFound => {
            let message =
                format!("Table \"{table}\" has no item under this key (`key` holds it); nothing was written.");
            new(py, "ItemNotFound", message, context, request_id, &[])
        }
        ConditionMeaning::ItemExists => {
            let message = format!(
                "Table \"{table}\" has an item under this key already ({surely}); nothing was written. Use put() \
                 to replace it."
            );
            new(py, "ItemExists", message, context, request_id, &[item])
        }
        ConditionMeaning::ConditionFailed => {
            let message =
                format!("The condition of `where=` did not hold for the stored item ({if_any}); nothing was written.");
            new(py, "ConditionFailed", message, context, request_id, &[item])
        }
    }
}

fn incomplete(py: Python<'_>, error: &Incomplete, context: &Context) -> PyErr {
    let made = (|| {
        let unprocessed = PyList::empty(py);
        let by_table = PyDict::new(py);
        for entry in &error.entries {
            let Some(given) = context.entry(py, *entry)? else {
                continue;
            };
            let (table, named) = match given.cast::<Operation>() {
                Ok(operation) => {
                    let of_one = operation.get().runnable().context().unwrap_or(context);
                    (&of_one.table, of_one.key.as_ref().map(|key| key.bind(py).clone()))
                }
                Err(_) => (&context.table, Some(given.clone())),
            };
            match by_table.get_item(&**table)? {
                Some(named_before) => named_before.cast_into::<PyList>()?.append(named)?,
                None => by_table.set_item(&**table, PyList::new(py, [named])?)?,
            }
            unprocessed.append(given)?;
        }
        let causes = error
            .causes
            .iter()
            .map(|cause| raise(py, cause.clone(), context).into_value(py));
        let causes = PyTuple::new(py, causes)?;
        let cause = causes.get_item(0).ok();
        let extra = [
            ("unprocessed", unprocessed.into_any().unbind()),
            ("by_table", by_table.into_any().unbind()),
            ("errors", causes.into_any().unbind()),
        ];
        let incomplete = new(py, "BatchIncomplete", incomplete_message(error), context, None, &extra);
        incomplete.set_cause(py, cause.map(PyErr::from_value));
        Ok::<_, PyErr>(incomplete)
    })();
    made.unwrap_or_else(|failure| failure)
}

fn incomplete_message(error: &Incomplete) -> String {
    let (left, given) = (error.entries.len(), error.given);
    if error.causes.is_empty() {
        return format!(
            "DynamoDB left {left} of the batch's {given} entries undone after {} attempts in a row did nothing: \
             `unprocessed` holds them, to be tried again; the others are done.",
            error.attempts
        );
    }
    let doubt = if error.causes.iter().any(Error::is_ambiguous) {
        " Those of a request without an answer may be done all the same."
    } else {
        ""
    };
    format!(
        "A request of the batch failed, and {left} of its {given} entries are not done: `unprocessed` holds them, and \
         `errors` says why; the others are done.{doubt}"
    )
}

/// A transaction that did nothing: its reasons are what each operation alone would have raised.
fn cancelled(py: Python<'_>, error: Cancellation, context: &Context) -> PyErr {
    let made = (|| {
        let mut told = Vec::new();
        let reasons = PyList::empty(py);
        for (place, reason) in error.reasons.into_iter().enumerate() {
            let Some(reason) = reason else {
                reasons.append(py.None())?;
                continue;
            };
            let exception = match context
                .entry(py, place)?
                .as_ref()
                .map(|given| given.cast::<Operation>())
            {
                Some(Ok(operation)) => operation.get().runnable().refused(py, reason),
                _ => raise(py, Error::Service(reason), context),
            };
            told.push(format!("{} at {place}", exception.get_type(py).name()?));
            reasons.append(exception.into_value(py))?;
        }
        let done = if context.operation == "TransactGetItems" {
            "read"
        } else {
            "written"
        };
        let message = format!(
            "The transaction was cancelled, and nothing was {done}: {}. `reasons` holds for each operation the \
             exception that it alone would have raised, None where it was not in the way.",
            told.join(", ")
        );
        let reasons = reasons.to_tuple().into_any().unbind();
        let request_id = error.request_id.as_deref();
        let extra = [("reasons", reasons)];
        Ok::<_, PyErr>(new(py, "TransactionCancelled", message, context, request_id, &extra))
    })();
    made.unwrap_or_else(|failure| failure)
}

fn transport_class(kind: TransportKind) -> &'static str {
    match kind {
        TransportKind::Credentials => "CredentialsError",
        TransportKind::Region => "RegionError",
        TransportKind::Endpoint => "EndpointError",
        TransportKind::Connect => "ConnectError",
        TransportKind::Timeout => "RequestTimeout",
        TransportKind::Reply => "ReplyError",
        TransportKind::Closed => "ClientClosed",
        TransportKind::Other => "TransportError",
    }
}

fn transport(py: Python<'_>, error: TransportError, context: &Context) -> PyErr {
    let name = transport_class(error.kind);
    let ambiguous = truth(py, error.ambiguous);
    new(py, name, error.message, context, None, &[("ambiguous", ambiguous)])
}

fn truth(py: Python<'_>, value: bool) -> Py<PyAny> {
    PyBool::new(py, value).to_owned().into_any().unbind()
}
