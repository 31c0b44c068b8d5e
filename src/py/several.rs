//! Operations on one item put together into one: batches over several tables, and transactions.
//!
//! What cannot be put together is refused here, with the operation's place among those given and the reason.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::bridge::Limits;
use crate::codec::{Plan, Reading};
use crate::limits;
use crate::ops::batch_get::{BatchGet, Source};
use crate::ops::batch_write::{BatchWrite, Write};
use crate::ops::transact_get::TransactGet;
use crate::ops::transact_write::TransactWrite;
use crate::ops::{KeyedTable, Kind, Part, StoredItem, identity};
use crate::py::exceptions::{self, Context};
use crate::py::listing::Listing;
use crate::py::operation::Operation;
use crate::wire::size;

/// The items of many `ops.get(...)`, in their order.
#[pyfunction]
pub fn batch_get(operations: &Bound<'_, PyList>, at_once: usize) -> PyResult<Operation> {
    const CALLER: &str = "batch_get()";
    let py = operations.py();
    let mut tables = Tables::default();
    let mut sources: Vec<Source> = Vec::new();
    let mut keys = Vec::with_capacity(operations.len());
    for given in Given::each(operations, CALLER) {
        let given = given?;
        if !given.part.kind.is_read() {
            return Err(given.refusal("a batch get only reads: batch_write() takes puts and deletes"));
        }
        let table = tables.place(&given)?;
        let part = &given.part;
        let same = sources.iter().position(|source| {
            *source.table.name == *tables.known[table].keyed.name
                && source.consistent == part.is_consistent
                && source.projection == part.projection
        });
        let source = same.unwrap_or_else(|| {
            sources.push(Source {
                table: tables.known[table].keyed.clone(),
                consistent: part.is_consistent,
                projection: part.projection.clone(),
            });
            sources.len() - 1
        });
        keys.push((source, part.content.clone()));
    }
    let Some(context) = tables.context("BatchGetItem", operations) else {
        return Ok(Operation::nothing(|py| Ok(PyList::empty(py).into_any().unbind())));
    };
    let batch = BatchGet::of_tables(sources, keys).map_err(|error| exceptions::raise(py, error, &context))?;
    Ok(Operation::listing(
        batch.at_once(at_once),
        context,
        |found: Vec<Option<Bytes>>| {
            let stored = |item: Option<Bytes>| {
                item.map(|body| StoredItem {
                    body,
                    start: 0,
                    request_id: None,
                })
            };
            ItemsFound {
                found: found.into_iter().map(stored).collect(),
                place: 0,
                is_tuple: false,
            }
        },
    ))
}

/// Many `ops.put(...)` and `ops.delete(...)`.
#[pyfunction]
pub fn batch_write(operations: &Bound<'_, PyList>, at_once: usize) -> PyResult<Operation> {
    const CALLER: &str = "batch_write()";
    let py = operations.py();
    let mut tables = Tables::default();
    let mut writes = Vec::with_capacity(operations.len());
    for given in Given::each(operations, CALLER) {
        let given = given?;
        let part = &given.part;
        let write = match part.kind {
            Kind::Get => return Err(given.refusal("a batch write only writes: batch_get() takes reads")),
            Kind::Update | Kind::Check => {
                return Err(given.refusal("DynamoDB's batches have whole puts and deletes only: use transact()"));
            }
            Kind::Put | Kind::Delete if part.is_conditional => {
                let reason = "DynamoDB checks no condition in a batch: leave where= out, take put() for create() and \
                              replace(), or use transact()";
                return Err(given.refusal(reason));
            }
            Kind::Put | Kind::Delete if part.returns_item => {
                return Err(given.refusal("a batch gives no items back: leave returning= out"));
            }
            Kind::Put => Write::Put(part.content.clone()),
            Kind::Delete => Write::Delete(part.content.clone()),
        };
        writes.push((tables.place(&given)?, write));
    }
    let Some(context) = tables.context("BatchWriteItem", operations) else {
        return Ok(Operation::nothing(|py| Ok(py.None())));
    };
    let batch =
        BatchWrite::of_tables(tables.keyed(), writes).map_err(|error| exceptions::raise(py, error, &context))?;
    Ok(Operation::new(batch.at_once(at_once), context, |py, _, ()| {
        Ok(py.None())
    }))
}

/// Writes and checks that happen together or not at all, or reads of one moment.
#[pyfunction]
#[pyo3(signature = (operations, token=None))]
pub fn transact(operations: &Bound<'_, PyList>, token: Option<&str>) -> PyResult<Operation> {
    const CALLER: &str = "transact()";
    let py = operations.py();
    if operations.len() > limits::TRANSACTION_OPERATIONS {
        let message = format!(
            "transact() takes at most {} operations, found {}: DynamoDB carries no more out as one. What need not happen \
             together goes into transactions of its own, or into batch_write().",
            limits::TRANSACTION_OPERATIONS,
            operations.len()
        );
        return Err(exceptions::plain(py, "InvalidOperation", message));
    }
    let mut tables = Tables::default();
    let mut parts: Vec<Part> = Vec::with_capacity(operations.len());
    let mut places = HashMap::with_capacity(operations.len());
    for given in Given::each(operations, CALLER) {
        let given = given?;
        if parts
            .first()
            .is_some_and(|first| first.kind.is_read() != given.part.kind.is_read())
        {
            let reason = "a transaction either reads or writes, and operations[0] does the other: make two, or check() \
                          what is to be so when the others are written";
            return Err(given.refusal(reason));
        }
        if given.part.returns_item {
            return Err(given.refusal("a transaction of writes gives no items back: leave returning= out"));
        }
        let table = tables.place(&given)?;
        let key = identity(&given.part.content, &tables.known[table].keyed.key_attributes)
            .map_err(|error| exceptions::raise(py, error, given.context()))?;
        if let Some(first) = places.insert((table, key), given.place) {
            let reason = format!(
                "operations[{first}] is on the same item, and a transaction takes one operation for each: make one of them"
            );
            return Err(given.refusal(&reason));
        }
        parts.push(given.part);
    }
    check_size(py, &parts)?;
    let reads = parts.first().is_some_and(|first| first.kind.is_read());
    if reads && token.is_some() {
        let message = "token= is for writes, which are not to happen twice: leave it out where all operations read.";
        return Err(exceptions::plain(py, "InvalidOption", message.to_owned()));
    }
    let operation = if reads {
        "TransactGetItems"
    } else {
        "TransactWriteItems"
    };
    let Some(context) = tables.context(operation, operations) else {
        return Ok(Operation::nothing(|py| Ok(PyTuple::empty(py).into_any().unbind())));
    };
    if reads {
        return Ok(Operation::listing(TransactGet::new(parts), context, |found| {
            ItemsFound {
                found,
                place: 0,
                is_tuple: true,
            }
        }));
    }
    let count = parts.len();
    let write = TransactWrite::new(parts, token.map(Into::into));
    Ok(Operation::new(write, context, move |py, _, ()| {
        let none = std::iter::repeat_with(|| py.None()).take(count);
        Ok(PyTuple::new(py, none.collect::<Vec<_>>())?.into_any().unbind())
    }))
}

/// Refuse what DynamoDB would refuse for its size: all items of a transaction together.
fn check_size(py: Python<'_>, parts: &[Part]) -> PyResult<()> {
    // The wire form is never smaller than what DynamoDB counts, so most transactions need no counting.
    if parts.iter().map(|part| part.content.len()).sum::<usize>() <= limits::TRANSACTION_BYTES {
        return Ok(());
    }
    let sizes = parts.iter().filter_map(|part| size::item_size(&part.content).ok());
    let total: usize = sizes.sum();
    if total <= limits::TRANSACTION_BYTES {
        return Ok(());
    }
    let message = format!(
        "The items of this transact() have {total} bytes, and DynamoDB takes {} in one transaction; nothing was sent. \
         Make several transactions of it.",
        limits::TRANSACTION_BYTES
    );
    Err(exceptions::plain(py, "InvalidOperation", message))
}

/// One of the operations as they were given.
struct Given<'py> {
    caller: &'static str,
    place: usize,
    operation: Bound<'py, Operation>,
    part: Part,
}

impl<'py> Given<'py> {
    fn each(operations: &Bound<'py, PyList>, caller: &'static str) -> impl Iterator<Item = PyResult<Self>> {
        operations.iter().enumerate().map(move |(place, given)| {
            let py = given.py();
            let operation = given.cast_into::<Operation>().map_err(|error| {
                let found = error.into_inner().get_type();
                let found = found
                    .name()
                    .map_or_else(|_| "something else".to_owned(), |name| name.to_string());
                let next = match (caller, &*found) {
                    ("transact()", "list" | "tuple") => " Give each by itself: transact(*operations).",
                    _ => "",
                };
                let message = format!(
                    "{caller} takes operations such as users.ops.get(key) or users.ops.put(user), found {found} as \
                     operations[{place}].{next}"
                );
                exceptions::plain(py, "InvalidOperation", message)
            })?;
            let runnable = operation.get().runnable();
            if let (Some(part), true) = (runnable.part(), runnable.context().is_some()) {
                return Ok(Self {
                    caller,
                    place,
                    operation,
                    part,
                });
            }
            let reason = "it is no operation on one item by its key, and only these go together: run it by itself";
            Err(match runnable.context() {
                Some(context) => refused(py, caller, place, context.operation, context, reason),
                None => {
                    let message = format!("{caller} cannot take operations[{place}]: {reason}. Nothing was sent.");
                    exceptions::plain(py, "InvalidOperation", message)
                }
            })
        })
    }

    fn context(&self) -> &Context {
        self.operation
            .get()
            .runnable()
            .context()
            .expect("`each` gives what has a context")
    }

    fn refusal(&self, reason: &str) -> PyErr {
        let context = self.context();
        let name = match self.part.kind {
            Kind::Check => "ConditionCheck",
            _ => context.operation,
        };
        refused(self.operation.py(), self.caller, self.place, name, context, reason)
    }
}

fn refused(py: Python<'_>, caller: &str, place: usize, name: &str, context: &Context, reason: &str) -> PyErr {
    let table = match &*context.table {
        "" => String::new(),
        table => format!(" on table \"{table}\""),
    };
    let message = format!("{caller} cannot take operations[{place}], {name}{table}: {reason}. Nothing was sent.");
    exceptions::new(py, "InvalidOperation", message, context, None, &[])
}

/// The tables of the operations, each once.
#[derive(Default)]
struct Tables {
    known: Vec<Known>,
}

struct Known {
    keyed: KeyedTable,
    /// The plans that are known to agree on the key.
    plans: Vec<Arc<Plan>>,
    /// The rate limits of the table, as one operation has one and another another.
    limits: Vec<Arc<Limits>>,
}

impl Tables {
    fn place(&mut self, given: &Given<'_>) -> PyResult<usize> {
        let context = given.context();
        let known = self.known.iter().position(|known| *known.keyed.name == *context.table);
        if let Some(place) = known {
            let known = &mut self.known[place];
            known.add_limits(context.limits.as_ref());
            if known.plans.iter().any(|plan| Arc::ptr_eq(plan, context.plan.plan())) {
                return Ok(place);
            }
        }
        let attributes = context.plan.key_spec().table();
        let keyed = KeyedTable {
            name: Arc::clone(&context.table),
            key_attributes: attributes.map(|part| part.attribute.as_str().into()).collect(),
        };
        match known {
            Some(place) if self.known[place].keyed.key_attributes == keyed.key_attributes => {
                self.known[place].plans.push(Arc::clone(context.plan.plan()));
                Ok(place)
            }
            Some(place) => Err(given.refusal(&format!(
                "its model says that the table's key is {}, and an operation before it says {}",
                keyed.key_attributes.join(" and "),
                self.known[place].keyed.key_attributes.join(" and ")
            ))),
            None => {
                self.known.push(Known {
                    keyed,
                    plans: vec![Arc::clone(context.plan.plan())],
                    limits: context.limits.iter().cloned().collect(),
                });
                Ok(self.known.len() - 1)
            }
        }
    }

    fn keyed(&self) -> Vec<KeyedTable> {
        self.known.iter().map(|known| known.keyed.clone()).collect()
    }

    /// What exceptions of them all together tell; none where there are no operations. What decodes an item, or tells of
    /// one operation, is that operation's own.
    fn context(&self, operation: &'static str, operations: &Bound<'_, PyList>) -> Option<Context> {
        let first = self.known.first()?;
        let is_one_table = self.known.len() == 1;
        Some(Context {
            operation,
            table: if is_one_table {
                Arc::clone(&first.keyed.name)
            } else {
                "".into()
            },
            plan: Reading::whole(Arc::clone(&first.plans[0])),
            key: None,
            entries: Some(operations.clone().unbind()),
            limits: match self.known.as_slice() {
                [Known { limits, .. }] if limits.len() == 1 => Some(Arc::clone(&limits[0])),
                known => {
                    let limits = known.iter().flat_map(|known| known.limits.iter().map(AsRef::as_ref));
                    Limits::of_several(limits).map(Arc::new)
                }
            },
        })
    }
}

impl Known {
    fn add_limits(&mut self, limits: Option<&Arc<Limits>>) {
        let new = limits.filter(|limits| !self.limits.iter().any(|known| Arc::ptr_eq(known, limits)));
        self.limits.extend(new.cloned());
    }
}

/// What was read for each operation, to be given as it gives it.
struct ItemsFound {
    found: Vec<Option<StoredItem>>,
    /// Of the next one.
    place: usize,
    is_tuple: bool,
}

impl Listing for ItemsFound {
    fn next(&mut self, py: Python<'_>, context: &Context) -> PyResult<Option<(Py<PyAny>, usize)>> {
        let place = self.place;
        let Some(item) = self.found.get_mut(place) else {
            return Ok(None);
        };
        self.place += 1;
        let item = item.take();
        // Where it ends is known by the plan that decodes it, and that is the operation's. Parts of one reply stand in the
        // order of the operations.
        let end = self.found.get(place + 1).and_then(Option::as_ref);
        let bytes = item.as_ref().map_or(0, |item| {
            let end = end.map(|next| next.start).filter(|end| *end > item.start);
            end.unwrap_or(item.body.len()) - item.start
        });
        let operations = context
            .entries
            .as_ref()
            .expect("the operations are the context's entries");
        let operation = operations.bind(py).get_item(place)?;
        let found = operation.cast::<Operation>()?.get().runnable().found(py, item)?;
        Ok(Some((found, bytes)))
    }

    fn end(&mut self, items: Bound<'_, PyList>, _: &Context) -> PyResult<Py<PyAny>> {
        Ok(if self.is_tuple {
            items.to_tuple().into_any().unbind()
        } else {
            items.into_any().unbind()
        })
    }
}
