//! `model_fields_set`: which fields were there, and few sets that serve many items. Hot.

use std::sync::{Mutex, OnceLock};

use pyo3::prelude::*;
use pyo3::types::PySet;

use super::Model;
use crate::codec::ffi::set_copy;

/// Which fields were there.
#[derive(Clone, Default)]
pub(super) struct Seen {
    low: u128,
    high: Vec<u128>,
}

impl Seen {
    #[inline]
    pub(super) fn insert(&mut self, index: usize) {
        if index < 128 {
            self.low |= 1 << index;
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
        if index < 128 {
            self.low & 1 << index != 0
        } else {
            self.high
                .get(index / 128 - 1)
                .is_some_and(|word| word & 1 << (index % 128) != 0)
        }
    }

    /// Whether these were there, of the first 128.
    #[inline]
    pub(super) fn has_all(&self, fields: u128) -> bool {
        self.low & fields == fields
    }
}

/// `model_fields_set` by which fields were there: few sets serve many items.
#[derive(Default)]
pub(super) struct FieldsSets {
    /// Of the first item, which is like most others: it is looked at without a lock.
    first: OnceLock<(u128, Py<PySet>)>,
    others: Mutex<Vec<(u128, Py<PySet>)>>,
}

impl Model {
    #[inline]
    pub(super) fn fields_set<'py>(
        &self,
        py: Python<'py>,
        known: &FieldsSets,
        seen: &Seen,
    ) -> PyResult<Bound<'py, PyAny>> {
        match known.first.get() {
            Some((mask, set)) if *mask == seen.low && seen.high.is_empty() => set_copy(set.bind(py)),
            _ => self.other_fields_set(py, known, seen),
        }
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
