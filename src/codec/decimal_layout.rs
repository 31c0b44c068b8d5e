//! The digits of a `decimal.Decimal` where CPython's `_decimal` keeps them, without the text in between.
//!
//! `str(value)` makes two allocations and takes a quarter of what a record with a price costs. `_decimal` has no C interface,
//! but its objects have had one layout since CPython 3.3. It is not trusted but checked, once, on values of every kind;
//! where the check fails, all decimals take the way over their text, as the rare ones always do.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::python;

/// A decimal whose coefficient fits in one of `_decimal`'s words: `±coefficient · 10^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Small {
    pub negative: bool,
    pub coefficient: u64,
    pub exponent: isize,
}

/// `PyDecObject`, with libmpdec's `mpd_t` inside.
#[repr(C)]
struct Layout {
    object: ffi::PyObject,
    hash: ffi::Py_hash_t,
    flags: u8,
    exponent: isize,
    digits: isize,
    words: isize,
    allocated: isize,
    data: *const u64,
    inline: [u64; 4],
}

const NEGATIVE: u8 = 1;
/// Infinities and NaNs.
const SPECIAL: u8 = 2 | 4 | 8;

/// The parts of an exact `Decimal` of few digits; None where it is another value, or of another layout.
#[inline]
pub fn small(value: &Bound<'_, PyAny>) -> PyResult<Option<Small>> {
    static IS_KNOWN: PyOnceLock<bool> = PyOnceLock::new();
    let py = value.py();
    let class = python::decimal(py)?;
    if !value.is_exact_instance(class) || !*IS_KNOWN.get_or_try_init(py, || is_known(class))? {
        return Ok(None);
    }
    Ok(read(value))
}

/// Read an object that is as large as `Layout`. The coefficient is looked at only where it lies in the object itself.
#[inline]
#[allow(unsafe_code)]
fn read(value: &Bound<'_, PyAny>) -> Option<Small> {
    // SAFETY: the callers have compared the size of the exact type's objects with `Layout`'s, so all its fields lie within
    // the live object, and any bytes are values of their types; `data` is compared, never followed. A Decimal never
    // changes once it is made.
    let layout = unsafe { &*value.as_ptr().cast::<Layout>() };
    let is_small =
        layout.words == 1 && layout.flags & SPECIAL == 0 && std::ptr::eq(layout.data, layout.inline.as_ptr());
    is_small.then(|| Small {
        negative: layout.flags & NEGATIVE != 0,
        coefficient: layout.inline[0],
        exponent: layout.exponent,
    })
}

/// Whether this interpreter's decimals are laid out so.
#[cold]
fn is_known(class: &Bound<'_, PyAny>) -> PyResult<bool> {
    let size: usize = class.cast::<PyType>()?.getattr("__basicsize__")?.extract()?;
    if size != size_of::<Layout>() {
        return Ok(false);
    }
    let small = |negative, coefficient, exponent| {
        Some(Small {
            negative,
            coefficient,
            exponent,
        })
    };
    let known = [
        ("0", small(false, 0, 0)),
        ("-0.00", small(true, 0, -2)),
        ("19.99", small(false, 1999, -2)),
        ("-12345.678901", small(true, 12_345_678_901, -6)),
        ("7E+3", small(false, 7, 3)),
        ("9999999999999999999", small(false, 9_999_999_999_999_999_999, 0)),
        ("10000000000000000000", None),
        ("12345678901234567890123456789012345678", None),
        ("Infinity", None),
        ("-Infinity", None),
        ("NaN", None),
        ("sNaN123", None),
    ];
    for (text, expected) in known {
        if read(&class.call1((text,))?) != expected {
            return Ok(false);
        }
    }
    Ok(true)
}
