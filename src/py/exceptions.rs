//! `Error` -> the classes of `oxidyn.errors`: the only place where a Rust error becomes a Python exception.

use std::sync::Arc;

use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyList, PyString};

use crate::bridge::Limits;
use crate::codec::Plan;
use crate::error::{
    ConditionFailure, ConditionMeaning, Error, Incomplete, ServiceError, TransportError, TransportKind,
};
use crate::limits;
use crate::wire::reader::Reader;
use crate::wire::size;

/// What every exception of one operation tells beside its own words, and what its calls wait for.
pub struct Context {
    pub operation: &'static str,
    /// Empty where no one table is meant.
    pub table: Arc<str>,
    pub plan: Arc<Plan>,
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
            plan: Arc::clone(&self.plan),
            key: self.key.as_ref().map(|key| key.clone_ref(py)),
            entries: self.entries.as_ref().map(|entries| entries.clone_ref(py)),
            limits: self.limits.clone(),
        }
    }

    /// An exception about one entry of a batch, with all that is known of it.
    pub fn at_entry(&self, py: Python<'_>, error: PyErr, place: usize) -> PyErr {
        let error = with_context(py, error, self, None);
        match self.entries.as_ref().map(|entries| entries.bind(py).get_item(place)) {
            Some(Ok(entry)) => with_key(py, error, &entry),
            _ => error,
        }
    }

    fn details<'py>(&self, py: Python<'py>, request_id: Option<&str>) -> PyResult<Bound<'py, PyDict>> {
        let details = PyDict::new(py);
        details.set_item(intern!(py, "operation"), self.operation)?;
        // A PartiQL statement may name no table, and a batch of them several.
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

/// As `BaseException.add_note`, which Python 3.10 has not.
fn add_note(error: &Bound<'_, PyBaseException>, note: &str) -> PyResult<()> {
    let name = intern!(error.py(), "__notes__");
    match error.getattr_opt(name)? {
        Some(notes) => notes.call_method1(intern!(error.py(), "append"), (note,)).map(drop),
        None => error.setattr(name, [note]),
    }
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
        Error::Incomplete(error) => incomplete(py, error, context),
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
        Error::Service(error) => ("ServiceError", details.set_item(intern!(py, "code"), &error.code)),
        Error::Transport(error) => (
            transport_class(error.kind),
            details.set_item(intern!(py, "ambiguous"), error.ambiguous),
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

fn service(py: Python<'_>, error: ServiceError, context: &Context) -> PyErr {
    let table = &context.table;
    let (name, message) = match (error.code.as_str(), context.operation) {
        ("ResourceNotFoundException", _) if table.is_empty() => (
            "TableNotFound",
            "A table that a statement names is not there: check the client's region, account and endpoint.".to_owned(),
        ),
        ("ResourceNotFoundException", _) => (
            "TableNotFound",
            format!(
                "There is no table \"{table}\": create it with create_table(), or check the client's region, account \
                 and endpoint."
            ),
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
                 policy allows dynamodb:{} on the table.",
                error.code, error.message, context.operation
            ),
        ),
        ("ValidationException", "UpdateItem") => (
            "ServiceError",
            format!(
                "DynamoDB refused the update (ValidationException): {}. A common cause is a stored item that an action does not \
                 fit: set() inside a part that is not stored yet (set that part first), or add() to what is stored neither \
                 as a number nor as a set of the same type (an empty set may be stored as an empty list: use set()).",
                error.message.trim_end_matches('.')
            ),
        ),
        _ => (
            "ServiceError",
            format!("DynamoDB refused the request ({}): {}", error.code, error.message),
        ),
    };
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
        &[("code", code)],
    )
}

fn condition(py: Python<'_>, failure: ConditionFailure, context: &Context) -> PyErr {
    let item = match failure
        .item
        .map(|wire| context.plan.decode_item(py, &mut Reader::new(&wire)))
        .transpose()
    {
        Ok(item) => item,
        // The stored item cannot be shown as a model: that is told as the cause, and the refusal is not lost.
        Err(refusal) => {
            let request_id = failure.request_id.as_deref();
            let error = refused(py, failure.meaning, request_id, None, context);
            error.set_cause(py, Some(with_context(py, refusal, context, request_id)));
            return error;
        }
    };
    refused(py, failure.meaning, failure.request_id.as_deref(), item, context)
}

/// Of statements the text has the condition, and their INSERT is no method of ours.
const STATEMENTS: [&str; 3] = ["ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"];

fn refused(
    py: Python<'_>,
    meaning: ConditionMeaning,
    request_id: Option<&str>,
    item: Option<Py<PyAny>>,
    context: &Context,
) -> PyErr {
    let table = &context.table;
    let item = ("item", item.unwrap_or_else(|| py.None()));
    if STATEMENTS.contains(&context.operation) {
        let (name, message) = match meaning {
            ConditionMeaning::ItemExists => (
                "ItemExists",
                "The statement inserts an item whose key is taken; nothing was written. DynamoDB does not send the stored \
                 item with this.",
            ),
            _ => (
                "ConditionFailed",
                "The statement's WHERE did not hold for the stored item (`item` holds it, None where there is none); \
                 nothing was written.",
            ),
        };
        return new(py, name, message.to_owned(), context, request_id, &[item]);
    }
    match meaning {
        ConditionMeaning::ItemNotFound => {
            let message =
                format!("Table \"{table}\" has no item under this key (`key` holds it); nothing was written.");
            new(py, "ItemNotFound", message, context, request_id, &[])
        }
        ConditionMeaning::ItemExists => {
            let message = format!(
                "Table \"{table}\" has an item under this key already (`item` holds it); nothing was written. Use \
                 put() to replace it."
            );
            new(py, "ItemExists", message, context, request_id, &[item])
        }
        ConditionMeaning::ConditionFailed => {
            let message = "The condition of `where=` did not hold for the stored item (`item` holds it, None where \
                           there is none); nothing was written."
                .to_owned();
            new(py, "ConditionFailed", message, context, request_id, &[item])
        }
    }
}

fn incomplete(py: Python<'_>, error: Incomplete, context: &Context) -> PyErr {
    let given = context.entries.as_ref().map(|entries| entries.bind(py));
    let unprocessed: PyResult<Vec<Py<PyAny>>> = given
        .into_iter()
        .flat_map(|given| error.entries.iter().map(|entry| Ok(given.get_item(*entry)?.unbind())))
        .collect();
    let unprocessed = match unprocessed.and_then(|entries| Ok(PyList::new(py, entries)?.into_any().unbind())) {
        Ok(unprocessed) => unprocessed,
        Err(failure) => return failure,
    };
    let message = format!("{error}: `unprocessed` holds them, to be tried again; the others are done.");
    let incomplete = new(
        py,
        "BatchIncomplete",
        message,
        context,
        None,
        &[("unprocessed", unprocessed)],
    );
    if let Some(cause) = error.cause {
        incomplete.set_cause(py, Some(raise(py, *cause, context)));
    }
    incomplete
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
    let ambiguous = pyo3::types::PyBool::new(py, error.ambiguous)
        .to_owned()
        .into_any()
        .unbind();
    new(py, name, error.message, context, None, &[("ambiguous", ambiguous)])
}
