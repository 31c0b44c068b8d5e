//! The Rust core of oxidyn: Pydantic models in and out of DynamoDB.
//!
//! | folder | what it is | knows Python |
//! |---|---|---|
//! | [`wire`] | DynamoDB JSON as bytes: writer, reader, numbers, sizes | no |
//! | [`expr`] | conditions, keys, updates, projections as data -> text + placeholders | no |
//! | [`ops`] | one file per DynamoDB operation: write the body, step on the reply (sans-I/O) | no |
//! | [`telemetry`] | what calls took: tallies, sums | no |
//! | [`transport`] | one method, `call(operation, body) -> reply bytes` | no |
//! | `codec` | core schema -> plan -> bytes and back | yes |
//! | `bridge` | the only ways from Python into tokio: `run`, `spawn` and `Feed` | yes |
//! | `py` | the classes that Python sees, thin | yes |
//!
//! Arrows: `py -> codec -> wire`, `py -> ops -> expr, wire`, `py -> bridge -> ops, transport, telemetry`. Nothing looks back.

pub mod error;
pub mod expr;
pub mod limits;
pub mod ops;
pub mod telemetry;
pub mod transport;
pub mod wire;

#[cfg(feature = "python")]
mod bridge;
#[cfg(feature = "python")]
mod codec;
#[cfg(feature = "python")]
mod py;

/// The extension module `oxidyn._core`.
#[cfg(feature = "python")]
// The codec's walks over dicts need critical sections before a free-threaded interpreter may go without its lock.
#[pyo3::pymodule(name = "_core", gil_used = true)]
mod core_module {
    #[pymodule_export]
    use crate::py::call_record::{CallRecord, ConsumedCapacity};
    #[pymodule_export]
    use crate::py::client::Client;
    #[pymodule_export]
    use crate::py::items::Items;
    #[pymodule_export]
    use crate::py::operation::Operation;
    #[pymodule_export]
    use crate::py::pages::{Cursor, Page, Query};
    #[pymodule_export]
    use crate::py::parallel_scan::ParallelScan;
    #[pymodule_export]
    use crate::py::plan::Plan;
    #[pymodule_export]
    use crate::py::rate_limit::RateLimit;
    #[pymodule_export]
    use crate::py::several::{batch_get, batch_write, transact};
    #[pymodule_export]
    use crate::py::statement::Statement;
    #[pymodule_export]
    use crate::py::table::Table;
    #[pymodule_export]
    use crate::py::watch::Recording;

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        crate::bridge::claim(module.py())
    }
}
