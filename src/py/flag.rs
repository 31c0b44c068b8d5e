//! Options that are True or False, refused by their names where a caller without a type checker gave something else.

use pyo3::prelude::*;

use crate::py::exceptions;

macro_rules! flags {
    ($($name:ident),*) => {$(
        pub fn $name(value: &Bound<'_, PyAny>) -> PyResult<bool> {
            flag(stringify!($name), value)
        }
    )*};
}

flags!(consistent, hydrate, reverse);

fn flag(name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.extract().or_else(|_: PyErr| {
        let message = format!(
            "{name}=: expected True or False, found a value of type {}.",
            value.get_type().name()?
        );
        Err(exceptions::plain(value.py(), "InvalidOption", message))
    })
}
