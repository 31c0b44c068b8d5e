//! `_core.Plan`: a compiled model.

use std::cell::Cell;
use std::sync::Arc;

use pyo3::PyTraverseError;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyByteArray, PyBytes, PyDict};

use crate::codec::{self, AnyNumbers, Binary, IndexKeys, Load, PlanOptions, Reading, Unknown, Unset};
use crate::py::exceptions;
use crate::wire::size;

/// A model's core schema, compiled: how its items are written and read.
#[pyclass(frozen, module = "oxidyn._core")]
pub struct Plan {
    plan: Arc<codec::Plan>,
}

impl Plan {
    pub fn core(&self) -> &codec::Plan {
        &self.plan
    }

    pub fn shared(&self) -> Arc<codec::Plan> {
        Arc::clone(&self.plan)
    }

    /// Its whole items.
    pub fn reading(&self) -> Reading {
        Reading::whole(self.shared())
    }
}

/// The largest buffer that is kept for the next item.
const KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// An index's name, its partition fields and its sort fields.
type IndexTuple = (String, Vec<String>, Vec<String>);

#[pymethods]
impl Plan {
    #[new]
    #[pyo3(signature = (
        schema, model, *, title, partition = None, sort = None, indexes = Vec::new(), ttl = None, unset = "store",
        unknown = "skip", any_numbers = "auto", load = "validate"
    ))]
    #[expect(clippy::too_many_arguments, reason = "one for each option of the Python signature")]
    fn new(
        schema: &Bound<'_, PyAny>,
        model: &Bound<'_, PyAny>,
        title: String,
        partition: Option<String>,
        sort: Option<String>,
        indexes: Vec<IndexTuple>,
        ttl: Option<String>,
        unset: &str,
        unknown: &str,
        any_numbers: &str,
        load: &str,
    ) -> PyResult<Self> {
        let unset = match unset {
            "store" => Unset::Store,
            "skip" => Unset::Skip,
            other => return Err(PyValueError::new_err(other.to_owned())),
        };
        let unknown = match unknown {
            "skip" => Unknown::Skip,
            "error" => Unknown::Error,
            "keep" => Unknown::Keep,
            other => return Err(PyValueError::new_err(other.to_owned())),
        };
        let any_numbers = match any_numbers {
            "auto" => AnyNumbers::Auto,
            "decimal" => AnyNumbers::Decimal,
            other => return Err(PyValueError::new_err(other.to_owned())),
        };
        let load = match load {
            "validate" => Load::Validate,
            "trust" => Load::Trust,
            other => return Err(PyValueError::new_err(other.to_owned())),
        };
        let indexes = indexes
            .into_iter()
            .map(|(name, partition, sort)| IndexKeys { name, partition, sort })
            .collect();
        let options = PlanOptions {
            title,
            partition,
            sort,
            indexes,
            ttl,
            unset,
            unknown,
            any_numbers,
            load,
        };
        let plan = codec::Plan::compile(schema.py(), schema, model, options)?;
        Ok(Self { plan: Arc::new(plan) })
    }

    /// Write an instance as the JSON of a DynamoDB item.
    fn dump_wire<'py>(&self, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        // Encoding may run the caller's code, and that may dump again: the buffer is taken, not borrowed.
        let mut wire = BUFFER.take();
        wire.clear();
        let outcome = self
            .plan
            .encode_item(item, &mut wire)
            .map(|()| PyBytes::new(item.py(), &wire));
        if wire.capacity() <= KEPT_BYTES {
            BUFFER.set(wire);
        }
        outcome
    }

    /// Read an instance from the JSON of a DynamoDB item.
    fn load_wire(&self, data: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        with_bytes(data, "load_wire", |wire| self.plan.load_wire(data.py(), wire))
    }

    /// The JSON that the model would give of an instance read from the JSON of a DynamoDB item.
    fn wire_to_json<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let py = data.py();
        let json = with_bytes(data, "wire_to_json", |wire| self.plan.json_of_wire(py, wire))?;
        Ok(PyBytes::new(py, &json))
    }

    /// An instance's size as DynamoDB counts it, and what in it weighs most, by paths of stored names.
    fn item_size(&self, item: &Bound<'_, PyAny>) -> PyResult<(usize, Vec<(String, usize)>)> {
        let mut wire = Vec::new();
        self.plan.encode_item(item, &mut wire)?;
        let (size, parts) = size::breakdown(&wire).expect("the item was written here");
        Ok((size, parts.into_iter().map(|part| (part.path, part.bytes)).collect()))
    }

    /// Write an instance as boto3's low-level client takes it.
    #[pyo3(signature = (item, mode = "python"))]
    fn dump_item<'py>(&self, item: &Bound<'py, PyAny>, mode: &str) -> PyResult<Bound<'py, PyDict>> {
        let binary = match mode {
            "python" => Binary::Bytes,
            "json" => Binary::Text,
            other => {
                return Err(exceptions::plain(
                    item.py(),
                    "InvalidOption",
                    format!("mode={other:?}: expected \"python\" or \"json\"."),
                ));
            }
        };
        self.plan.dump_item(item, binary)
    }

    /// Read an instance from boto3's low-level form.
    fn load_item(&self, item: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.plan.load_item(item)
    }

    /// A model's class reaches its plan, and the plan the class.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // While something else in Rust holds the plan, its objects are reachable from there too: then they are not
        // offered to the collector, which would take them for garbage together with this object.
        if Arc::strong_count(&self.plan) == 1 {
            self.plan.traverse(&visit)?;
        }
        Ok(())
    }
}

fn with_bytes<T>(data: &Bound<'_, PyAny>, method: &str, read: impl FnOnce(&[u8]) -> PyResult<T>) -> PyResult<T> {
    if let Ok(bytes) = data.cast::<PyBytes>() {
        read(bytes.as_bytes())
    } else if let Ok(bytes) = data.cast::<PyByteArray>() {
        read(&bytes.to_vec())
    } else {
        let found = data.get_type();
        Err(PyTypeError::new_err(format!(
            "{method} takes bytes, not {}",
            found.name()?
        )))
    }
}
