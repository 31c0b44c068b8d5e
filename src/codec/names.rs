//! The names in maps and the members of sets, kept as Python objects: those of one table are few and are read again and
//! again. A name that is kept need not be made, and knows its hash.

use std::sync::{Mutex, MutexGuard, TryLockError};

use pyo3::prelude::*;
use pyo3::types::PyString;

use super::ffi::utf8;
use super::nodes::string::str_object;
use crate::wire::reader::Text;

const SLOTS: usize = 256;
/// Longer names are seldom the same.
const LONGEST: usize = 40;

type Slots = [Option<Py<PyString>>; SLOTS];

/// A plan's names. None are kept before the first is read.
#[derive(Default)]
pub struct Names(Mutex<Option<Box<Slots>>>);

/// The names for one decoding, which has them to itself from the first that it reads. Where another decoding has them,
/// names are made.
pub struct NamesInUse<'a> {
    names: &'a Names,
    held: Held<'a>,
}

enum Held<'a> {
    NotYet,
    Yes(MutexGuard<'a, Option<Box<Slots>>>),
    Never,
}

impl<'a> NamesInUse<'a> {
    pub fn new(names: &'a Names) -> Self {
        Self {
            names,
            held: Held::NotYet,
        }
    }

    /// The name as a str.
    #[inline]
    pub fn object<'py>(&mut self, py: Python<'py>, name: &Text<'_>) -> PyResult<Bound<'py, PyAny>> {
        // Names of one letter are shared by CPython itself.
        if !name.is_ascii() || name.len() < 2 || name.len() > LONGEST {
            return str_object(py, name);
        }
        if let Held::NotYet = self.held {
            self.hold();
        }
        let Held::Yes(slots) = &mut self.held else {
            return str_object(py, name);
        };
        let slots = slots.get_or_insert_with(|| Box::new([const { None }; SLOTS]));
        let slot = &mut slots[slot_of(name.as_bytes())];
        if let Some(kept) = slot {
            let kept = kept.bind(py);
            if utf8(kept) == Some(name.as_str()) {
                return Ok(kept.clone().into_any());
            }
        }
        let made = str_object(py, name)?.cast_into::<PyString>().map_err(PyErr::from)?;
        *slot = Some(made.clone().unbind());
        Ok(made.into_any())
    }

    #[cold]
    fn hold(&mut self) {
        self.held = match self.names.0.try_lock() {
            Ok(slots) => Held::Yes(slots),
            Err(TryLockError::Poisoned(slots)) => Held::Yes(slots.into_inner()),
            Err(TryLockError::WouldBlock) => Held::Never,
        };
    }
}

/// Names differ in their length and their ends mostly.
#[inline]
fn slot_of(name: &[u8]) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let word = |chunk: &[u8]| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    };
    let hash = name.chunks(8).fold(name.len() as u64, |hash, chunk| {
        (hash.rotate_left(5) ^ word(chunk)).wrapping_mul(MIX)
    });
    // The upper bits are the well mixed ones.
    (hash >> 56) as usize % SLOTS
}
