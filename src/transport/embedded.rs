//! DynamoDB in process: `dynoxide-rs`, an emulator on SQLite verified against AWS. In memory, or one file.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use dynoxide::actions::update_item::{UpdateItemRequest, UpdateItemResponse};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::effort::Effort;
use super::{Call, Reply, Transport, not_sent};
use crate::error::{Error, ServiceError, TransportError, TransportKind};

/// A database of its own. Clones share it; a file is released with the last of them.
#[derive(Clone)]
pub struct Embedded(Arc<Engine>);

struct Engine {
    database: ManuallyDrop<Database>,
    file: Option<HeldFile>,
}

impl Engine {
    fn new(database: Database, file: Option<HeldFile>) -> Arc<Self> {
        Arc::new(Self {
            database: ManuallyDrop::new(database),
            file,
        })
    }
}

impl Drop for Engine {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SQLite tidies up behind the last connection; a forked child must not do that to its parent's file.
        if self.file.as_ref().is_none_or(HeldFile::is_ours) {
            // SAFETY: dropped here and nowhere else, and `self` is not used again.
            unsafe { ManuallyDrop::drop(&mut self.database) };
        }
    }
}

/// The right to a database file, held by one process at a time.
///
/// The engine keeps what it knows of tables in memory, so two processes on one file would each miss the other's
/// tables. The lock is on a file of its own beside it: closing any handle on the database file would drop the locks
/// that SQLite itself holds there.
struct HeldFile {
    path: PathBuf,
    process: u32,
    _lock: File,
}

/// The database files open in this process, so that two clients on one path share one engine.
static OPEN: Mutex<Option<HashMap<PathBuf, Weak<Engine>>>> = Mutex::new(None);

impl Embedded {
    /// A database that ends with the client.
    pub fn memory() -> Result<Self, Error> {
        let database = Database::memory().map_err(|error| not_sent(TransportKind::Other, error.to_string()))?;
        Ok(Self(Engine::new(database, None)))
    }

    /// The database in the file at `path`, created where there is none.
    pub fn file(path: &Path) -> Result<Self, Error> {
        let path = canonical(path)?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let open = open.get_or_insert_default();
        if let Some(engine) = open.get(&path).and_then(Weak::upgrade)
            && engine.file.as_ref().is_some_and(HeldFile::is_ours)
        {
            return Ok(Self(engine));
        }
        expect_database(&path)?;
        let file = HeldFile::acquire(&path)?;
        let database = path
            .to_str()
            .ok_or_else(|| "its path is not valid UTF-8".to_owned())
            .and_then(|path| Database::new(path).map_err(|error| error.to_string()))
            .map_err(|reason| unusable(&path, &reason))?;
        let engine = Engine::new(database, Some(file));
        open.retain(|_, engine| engine.strong_count() > 0);
        open.insert(path, Arc::downgrade(&engine));
        Ok(Self(engine))
    }

    /// Carry out one call on the calling thread; the engine does one at a time.
    pub fn execute(&self, call: &Call) -> Result<Reply, Error> {
        if let Some(file) = self.0.file.as_ref().filter(|file| !file.is_ours()) {
            return Err(not_sent(
                TransportKind::Other,
                format!(
                    "{} was opened before this process was forked, and a database file belongs to one process: \
                     make the client after the fork",
                    file.path.display()
                ),
            ));
        }
        // The engine is third-party code behind a public method: a panic in it must reach the caller as an error.
        catch_unwind(AssertUnwindSafe(|| dispatch(&self.0.database, call))).unwrap_or_else(|_| {
            Err(Error::Transport(TransportError {
                kind: TransportKind::Other,
                message: format!(
                    "the embedded engine failed inside {}; this client cannot go on",
                    call.operation
                ),
                ambiguous: true,
                effort: effort(&call.body, 0),
            }))
        })
    }
}

impl Transport for Embedded {
    async fn call(&self, call: Call) -> Result<Reply, Error> {
        self.execute(&call)
    }
}

impl HeldFile {
    fn acquire(path: &Path) -> Result<Self, Error> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| unusable(path, &error.to_string()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                process: std::process::id(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(not_sent(
                TransportKind::Other,
                format!(
                    "{} is in use by another process, and an embedded database file belongs to one process at a time: \
                     close the other client, or use another path",
                    path.display()
                ),
            )),
            Err(TryLockError::Error(error)) => Err(unusable(path, &error.to_string())),
        }
    }

    /// A forked child has the parent's handles, but not the right to use them.
    fn is_ours(&self) -> bool {
        self.process == std::process::id()
    }
}

fn unusable(path: &Path, reason: &str) -> Error {
    not_sent(
        TransportKind::Other,
        format!("cannot open the embedded database {}: {reason}", path.display()),
    )
}

/// Refuse a file of another kind before anything is written beside it.
fn expect_database(path: &Path) -> Result<(), Error> {
    const HEADER: &[u8] = b"SQLite format 3\0";
    if path.is_dir() {
        return Err(unusable(path, "it is a directory; a file was expected"));
    }
    let mut start = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(HEADER.len() as u64).read_to_end(&mut start),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| unusable(path, &error.to_string()))?;
    if start.is_empty() || start == HEADER {
        return Ok(());
    }
    Err(unusable(
        path,
        "it is a file of another kind; name a new file, or one that an embedded client made",
    ))
}

/// One name per file, however it is spelled; the file itself need not exist yet.
fn canonical(path: &Path) -> Result<PathBuf, Error> {
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let name = path
        .file_name()
        .ok_or_else(|| unusable(path, "a path to a file was expected"))?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = folder
        .canonicalize()
        .map_err(|error| unusable(path, &format!("its folder: {error}")))?;
    Ok(folder.join(name))
}

fn dispatch(database: &Database, call: &Call) -> Result<Reply, Error> {
    if call.operation == "UpdateItem" {
        return answer(&call.body, |request| update_item(database, request));
    }
    macro_rules! table {
        ($($name:literal => $method:ident,)+) => {
            match call.operation {
                $($name => answer(&call.body, |request| database.$method(request)),)+
                other => Err(not_sent(
                    TransportKind::Other,
                    format!("the embedded engine has no {other}; it needs a client of AWS"),
                )),
            }
        };
    }
    table! {
        "PutItem" => put_item,
        "GetItem" => get_item,
        "DeleteItem" => delete_item,
        "Query" => query,
        "Scan" => scan,
        "BatchGetItem" => batch_get_item,
        "BatchWriteItem" => batch_write_item,
        "TransactGetItems" => transact_get_items,
        "TransactWriteItems" => transact_write_items,
        "ExecuteStatement" => execute_statement,
        "BatchExecuteStatement" => batch_execute_statement,
        "ExecuteTransaction" => execute_transaction,
        "CreateTable" => create_table,
        "DeleteTable" => delete_table,
        "DescribeTable" => describe_table,
        "UpdateTable" => update_table,
        "ListTables" => list_tables,
        "UpdateTimeToLive" => update_time_to_live,
        "DescribeTimeToLive" => describe_time_to_live,
        "TagResource" => tag_resource,
        "UntagResource" => untag_resource,
        "ListTagsOfResource" => list_tags_of_resource,
        "ListStreams" => list_streams,
        "DescribeStream" => describe_stream,
        "GetShardIterator" => get_shard_iterator,
        "GetRecords" => get_records,
        "SearchVectors" => search_vectors,
    }
}

/// DynamoDB returns no old item where there was none; the engine returns the key of the new one. An item that was stored
/// with nothing but its key cannot be told from that, and is not returned either.
fn update_item(database: &Database, request: UpdateItemRequest) -> dynoxide::Result<UpdateItemResponse> {
    let key = (request.return_values.as_deref() == Some("ALL_OLD")).then(|| request.key.clone());
    let mut response = database.update_item(request)?;
    response.attributes = response.attributes.filter(|old| key.as_ref() != Some(old));
    Ok(response)
}

fn answer<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    act: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Result<Reply, Error> {
    let reply = serde_json::from_slice(body)
        .map_err(|error| malformed(&error))
        .and_then(act)
        .and_then(|reply| {
            serde_json::to_vec(&reply).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
        })
        .map_err(|error| Error::Service(service_error(&error, body)))?;
    Ok(Reply {
        effort: effort(body, reply.len()),
        body: Bytes::from(reply),
        request_id: None,
    })
}

/// One try: the engine never asks for a second.
fn effort(request: &[u8], received: usize) -> Effort {
    Effort {
        attempts: 1,
        throttled: 0,
        bytes_sent: request.len() as u64,
        bytes_received: received as u64,
    }
}

/// A request that the engine's own types refuse. They mark the class of the error in front of its message, as their
/// HTTP server reads it; serde adds the place behind.
fn malformed(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let text = text.rfind(" at line ").map_or(text.as_str(), |place| &text[..place]);
    match text.split_once(':') {
        Some(("VALIDATION" | "VALIDATION_REQUEST" | "VALIDATION_AS_READ", message)) => {
            DynoxideError::ValidationException(message.to_owned())
        }
        Some(("SERIALIZATION" | "SERIALIZATION_AS_READ", message)) => {
            DynoxideError::SerializationException(message.to_owned())
        }
        _ if error.is_data() => DynoxideError::ValidationException(text.to_owned()),
        _ => DynoxideError::SerializationException(text.to_owned()),
    }
}

fn service_error(error: &DynoxideError, request: &[u8]) -> ServiceError {
    let name = error.error_type();
    let body = Bytes::from(error.to_json());
    ServiceError {
        code: name.rsplit_once('#').map_or(name, |(_, code)| code).to_owned(),
        message: error.to_string(),
        status: error.status_code(),
        request_id: None,
        in_doubt: false,
        effort: effort(request, body.len()),
        body,
    }
}
