//! The dict that every instance of a model starts from: all its fields by name, copied and then filled. And how the fields
//! are read from an instance's dict, which is laid out like it. Hot.
//!
//! Setting a value by its key costs CPython a lookup, three times what writing it costs: half of what an instance of few
//! fields takes. A copy of a dict has its entries where the original has them, in an array of keys and values, so the
//! template learns once where that is. As in `decimal_layout`, nothing about that is trusted: the template looks for its
//! own keys and values, tries the writing on a copy, and looks at the keys of every dict again; where anything is
//! otherwise, values are set and got by key.

use std::ptr::NonNull;

use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyString};

pub struct Template {
    dict: Py<PyDict>,
    names: Box<[Py<PyString>]>,
    entries: Option<Entries>,
}

/// Where the entries of a dict's keys object lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entries {
    /// From the keys object to the first entry's key, in words. A value lies behind its key.
    first: usize,
    /// From one entry to the next, in words: 2, or 3 where an entry holds the hash as well.
    stride: usize,
}

/// The entries of a dict that has the template's fields first, in the template's order.
pub struct Reading<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    template: &'a Template,
    keys: *mut ffi::PyDictKeysObject,
    entries: Entries,
}

/// A copy of the template while it is filled.
pub struct Filling<'a, 'py> {
    dict: Bound<'py, PyDict>,
    template: &'a Template,
    /// The first entry's key, and the words from one entry to the next; None where values are set by key.
    entries: Option<(NonNull<*mut ffi::PyObject>, usize)>,
    /// Whether it holds anything that the garbage collector has to know of.
    holds_containers: bool,
}

impl Template {
    /// Of a dict that has an entry for each of the names, in this order, and that nobody else knows.
    pub fn new(dict: Bound<'_, PyDict>, names: Box<[Py<PyString>]>) -> PyResult<Self> {
        let py = dict.py();
        let mut template = Self {
            dict: dict.unbind(),
            names,
            entries: None,
        };
        template.entries = template.find_entries(py)?;
        if template.entries.is_some() && !template.writes_as_expected(py)? {
            template.entries = None;
        }
        Ok(template)
    }

    /// Of an empty dict, whose fields come as they are set.
    pub fn empty(py: Python<'_>, names: Box<[Py<PyString>]>) -> Self {
        Self {
            dict: PyDict::new(py).unbind(),
            names,
            entries: None,
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.dict)
    }

    pub fn has(&self, name: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.dict.bind(name.py()).contains(name)
    }

    /// A copy to be filled.
    #[inline]
    pub fn copy<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<Filling<'a, 'py>> {
        let dict = self.dict.bind(py).copy()?;
        let first = self
            .entries
            .and_then(|entries| self.first_entry(&dict, entries))
            .map(|(first, _)| first);
        let entries = first.zip(self.entries.map(|entries| entries.stride));
        Ok(Filling {
            dict,
            template: self,
            entries,
            holds_containers: false,
        })
    }

    /// The entries of a dict, if it is laid out like the template.
    #[inline]
    pub fn read<'a, 'py>(&'a self, dict: &'a Bound<'py, PyDict>) -> Option<Reading<'a, 'py>> {
        let entries = self.entries?;
        let (_, keys) = self.first_entry(dict, entries)?;
        Some(Reading {
            dict,
            template: self,
            keys,
            entries,
        })
    }

    /// The first entry of a dict, if its first and its last key are where they should be, and the keys object.
    #[inline]
    #[allow(unsafe_code)]
    fn first_entry(
        &self,
        dict: &Bound<'_, PyDict>,
        entries: Entries,
    ) -> Option<(NonNull<*mut ffi::PyObject>, *mut ffi::PyDictKeysObject)> {
        let last = self.names.len() - 1;
        // SAFETY: a live dict, which holds at least as many entries as the template and has no table of values of its own,
        // so its keys object holds them. The template's is the smallest that can, so the other is as large or larger, and
        // reading at the template's places stays within it. What is read is compared, not followed.
        unsafe {
            let dict = dict.as_ptr().cast::<ffi::PyDictObject>();
            if (*dict).ma_used < self.names.len().cast_signed() || !(*dict).ma_values.is_null() {
                return None;
            }
            let keys = (*dict).ma_keys;
            let first = keys.cast::<*mut ffi::PyObject>().add(entries.first);
            let is_expected =
                *first == self.names[0].as_ptr() && *first.add(last * entries.stride) == self.names[last].as_ptr();
            if is_expected {
                Some((NonNull::new(first)?, keys))
            } else {
                None
            }
        }
    }

    /// Look for the keys and values of the template in its own keys object.
    #[allow(unsafe_code)]
    fn find_entries(&self, py: Python<'_>) -> PyResult<Option<Entries>> {
        const WORD: usize = size_of::<*mut ffi::PyObject>();
        let dict = self.dict.bind(py);
        let head = size_of::<ffi::PyDictObject>();
        let size: usize = dict.call_method0("__sizeof__")?.extract()?;
        let words = size.saturating_sub(head) / WORD;
        let values: Vec<_> = dict.values().iter().map(|value| value.as_ptr()).collect();
        if values.is_empty() || values.len() != self.names.len() {
            return Ok(None);
        }
        let keys = {
            let dict = dict.as_ptr().cast::<ffi::PyDictObject>();
            // SAFETY: a live dict of exact type. Without a table of values of its own, its size is that of the dict object
            // and of its keys object, which is one block of memory and all initialised but for its free entries, which are
            // not looked at: the search ends at the last of the keys that are there, or before.
            unsafe {
                if !(*dict).ma_values.is_null() {
                    return Ok(None);
                }
                std::slice::from_raw_parts((*dict).ma_keys.cast::<*mut ffi::PyObject>(), words)
            }
        };
        let lies_at = |entries: Entries| {
            self.names
                .iter()
                .zip(&values)
                .enumerate()
                .all(|(index, (name, value))| {
                    let at = entries.first + index * entries.stride;
                    keys.get(at..at + 2)
                        .is_some_and(|entry| entry == [name.as_ptr(), *value])
                })
        };
        let first = keys.iter().position(|&word| word == self.names[0].as_ptr());
        let mut candidates = [2, 3]
            .into_iter()
            .filter_map(|stride| Some(Entries { first: first?, stride }));
        Ok(candidates.find(|&entries| lies_at(entries)))
    }

    /// Fill a copy in both ways and compare.
    fn writes_as_expected(&self, py: Python<'_>) -> PyResult<bool> {
        let mut copy = self.copy(py)?;
        if copy.entries.is_none() {
            return Ok(false);
        }
        let expected = PyDict::new(py);
        for (index, name) in self.names.iter().enumerate() {
            let probe = PyString::new(py, &format!("value {index}")).into_any();
            expected.set_item(name, &probe)?;
            copy.set(index, probe)?;
        }
        copy.finish().eq(expected)
    }
}

impl<'py> Reading<'_, 'py> {
    /// The value of the template's field of this index, if it is still where it was.
    #[inline]
    #[allow(unsafe_code)]
    pub fn get(&self, index: usize) -> Option<Bound<'py, PyAny>> {
        let name = &self.template.names[index];
        // SAFETY: what user code does to the dict between two fields may replace its keys object, but not by a smaller one
        // as long as it holds as many entries: then the entry lies within it, as in `first_entry`. A value behind its own
        // key is a live object or null, and is made our own before anything else runs.
        unsafe {
            let dict = self.dict.as_ptr().cast::<ffi::PyDictObject>();
            if (*dict).ma_keys != self.keys || (*dict).ma_used < self.template.names.len().cast_signed() {
                return None;
            }
            let entry = self
                .keys
                .cast::<*mut ffi::PyObject>()
                .add(self.entries.first + index * self.entries.stride);
            if *entry != name.as_ptr() {
                return None;
            }
            Bound::from_borrowed_ptr_or_opt(self.dict.py(), *entry.add(1))
        }
    }
}

impl<'py> Filling<'_, 'py> {
    /// Set the value of the template's field of this index.
    #[inline]
    #[allow(unsafe_code)]
    pub fn set(&mut self, index: usize, value: Bound<'py, PyAny>) -> PyResult<()> {
        let name = &self.template.names[index];
        let Some((first, stride)) = self.entries else {
            return self.dict.set_item(name, value);
        };
        // SAFETY: a live object's type is a live type. The entry of a field that the template has, in a copy whose keys
        // were found where they should be; nobody has added to the copy or taken from it since. The value that was there
        // is this function's now, and the entry's is the new one.
        let old = unsafe {
            let class = ffi::Py_TYPE(value.as_ptr());
            self.holds_containers |= ffi::PyType_HasFeature(class, ffi::Py_TPFLAGS_HAVE_GC) != 0;
            let entry = first.add(index * stride + 1);
            Bound::from_owned_ptr(self.dict.py(), entry.replace(value.into_ptr()))
        };
        drop(old);
        Ok(())
    }

    /// The dict. Nothing may be written by index from here on.
    #[inline]
    #[allow(unsafe_code)]
    pub fn finish(self) -> Bound<'py, PyDict> {
        if self.holds_containers {
            let dict = self.dict.as_ptr();
            // SAFETY: a live dict whose entries are all valid; it is tracked at most once.
            unsafe {
                if ffi::PyObject_GC_IsTracked(dict) == 0 {
                    ffi::PyObject_GC_Track(dict.cast());
                }
            }
        }
        self.dict
    }
}
