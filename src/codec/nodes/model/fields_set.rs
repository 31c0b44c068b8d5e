//! `model_fields_set`: which fields were there, and few sets that serve many items. Hot.

use std::sync::{Mutex, OnceLock};

use pyo3::prelude::*;
use pyo3::types::PySet;

use super::Model;
use crate::codec::ffi::{set_copy, untrack};

/// One bit for each of the first fields: two words, since a shift by a whole 128 bits costs as much as a comparison of
/// names.
pub(super) type Low = [u64; 2];

/// How many fields are among the first.
pub(super) const LOW: usize = 128;

/// Which fields were there.
#[derive(Clone, Default)]
pub(super) struct Seen {
    low: Low,
    high: Vec<u128>,
}

/// The bit of a field among the first.
#[inline]
pub(super) fn insert_low(low: &mut Low, index: usize) {
    low[index / 64] |= 1 << (index % 64);
}

impl Seen {
    #[inline]
    pub(super) fn insert(&mut self, index: usize) {
        if index < LOW {
            insert_low(&mut self.low, index);
        } else {
            self.insert_high(index / 128 - 1, index % 128);
        }
    }

    #[cold]
    pub(super) fn insert_high(&mut self, word: usize, bit: usize) {
        if self.high.len() <= word {
            self.high.resize(word + 1, 0);
        }
        self.high[word] |= 1 << bit;
    }

    #[inline]
    pub(super) fn has(&self, index: usize) -> bool {
        if index < LOW {
            self.low[index / 64] & 1 << (index % 64) != 0
        } else {
            self.high
                .get(index / 128 - 1)
                .is_some_and(|word| word & 1 << (index % 128) != 0)
        }
    }

    /// Whether these were there, of the first.
    #[inline]
    pub(super) fn has_all(&self, fields: Low) -> bool {
        self.low[0] & fields[0] == fields[0] && self.low[1] & fields[1] == fields[1]
    }
}

/// `model_fields_set` by which fields were there: few sets serve many items.
#[derive(Default)]
pub(super) struct FieldsSets {
    /// Of the first item, which is like most others: it is looked at without a lock.
    first: OnceLock<(Low, Py<PySet>)>,
    others: Mutex<Vec<(Low, Py<PySet>)>>,
}

impl Model {
    #[inline]
    pub(super) fn fields_set<'py>(
        &self,
        py: Python<'py>,
        known: &FieldsSets,
        seen: &Seen,
    ) -> PyResult<Bound<'py, PyAny>> {
        let set = match known.first.get() {
            Some((mask, set)) if *mask == seen.low && seen.high.is_empty() => set_copy(set.bind(py)),
            _ => self.other_fields_set(py, known, seen),
        }?;
        // It holds the names of fields.
        untrack(&set);
        Ok(set)
    }

    pub(super) fn other_fields_set<'py>(
        &self,
        py: Python<'py>,
        known: &FieldsSets,
        seen: &Seen,
    ) -> PyResult<Bound<'py, PyAny>> {
        const KEPT: usize = 8;
        let may_be_known = seen.high.is_empty();
        if may_be_known
            && let Ok(others) = known.others.lock()
            && let Some((_, set)) = others.iter().find(|(mask, _)| *mask == seen.low)
        {
            return set_copy(set.bind(py));
        }
        let set = PySet::empty(py)?;
        for (index, field) in self.fields.iter().enumerate() {
            if seen.has(index) {
                set.add(&field.name)?;
            }
        }
        if may_be_known {
            // A copy has the table that its own copies will have, which are then made as a whole.
            let kept = set_copy(&set)?.cast_into::<PySet>().map_err(PyErr::from)?.unbind();
            if let Err((mask, kept)) = known.first.set((seen.low, kept))
                && let Ok(mut others) = known.others.lock()
                && others.len() < KEPT
            {
                others.push((mask, kept));
            }
        }
        Ok(set.into_any())
    }
}
