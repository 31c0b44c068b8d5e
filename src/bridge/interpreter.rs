//! The one interpreter of a process that may use the extension: what is imported and interned is kept in statics.

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Take the extension for this interpreter, or refuse it where another one has it.
#[allow(unsafe_code)]
pub fn claim(_py: Python<'_>) -> PyResult<()> {
    static OWNER: AtomicI64 = AtomicI64::new(-1);
    // SAFETY: the thread has the GIL, and with it a current interpreter.
    let this = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match OWNER.compare_exchange(-1, this, Ordering::Relaxed, Ordering::Relaxed) {
        Err(owner) if owner != this => Err(PyImportError::new_err(
            "oxidyn does not work in several subinterpreters of one process, and another one has imported it already; use \
             threads or processes, or under mod_wsgi WSGIApplicationGroup %{GLOBAL}",
        )),
        _ => Ok(()),
    }
}
