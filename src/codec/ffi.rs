//! The few calls of CPython's own that PyO3 does not offer safely: object builders and the dict walk.

use std::ptr::NonNull;

use pyo3::PyTraverseError;
use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyList, PySet, PyString, PyType};

/// A str of ASCII bytes: one allocation and one copy.
#[inline]
#[allow(unsafe_code)]
pub fn ascii_str<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    debug_assert!(text.is_ascii());
    let length = text.len().cast_signed();
    // SAFETY: `PyUnicode_New` with a largest character of 127 gives a compact ASCII string of `length` bytes (checked for
    // null by `from_owned_ptr_or_err`), which no one else has seen yet, so it may be filled. Zero and one character give
    // shared strings that must not be written to: they go the other way.
    unsafe {
        if length < 2 {
            return Ok(PyString::new(py, text));
        }
        let object = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(length, 127))?;
        std::ptr::copy_nonoverlapping(text.as_ptr(), ffi::PyUnicode_1BYTE_DATA(object.as_ptr()), text.len());
        Ok(object.cast_into_unchecked())
    }
}

/// A str of text that has other characters than ASCII. CPython learns the length and the widest character while it writes,
/// and moves what it has written; of a short text both are had sooner by looking first.
#[allow(unsafe_code)]
pub fn wide_str<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    const SHORT: usize = 64;
    /// The first byte of the characters from U+0100 on is larger.
    const LAST_OF_LATIN_1: u8 = 0xC3;
    /// The first byte of the characters from U+10000 on.
    const FIRST_OF_FOUR: u8 = 0xF0;
    if text.len() > SHORT {
        return Ok(PyString::new(py, text));
    }
    let (mut largest, mut length) = (0, 0);
    for &byte in text.as_bytes() {
        largest = largest.max(byte);
        // All but those that go on with a character.
        length += usize::from(byte.cast_signed() >= -0x40);
    }
    // One character of Latin-1 is a shared str.
    if length < 2 || !(0x80..FIRST_OF_FOUR).contains(&largest) {
        return Ok(PyString::new(py, text));
    }
    let is_latin_1 = largest <= LAST_OF_LATIN_1;
    let widest = if is_latin_1 { 0xFF } else { 0xFFFF };
    // SAFETY: `PyUnicode_New` with this largest character gives a compact string of `length` characters of one byte, or of
    // two (checked for null by `from_owned_ptr_or_err`), which no one else has seen yet, so it may be filled. The text has
    // that many characters, none that is wider, and one at least that a narrower string could not hold.
    unsafe {
        let object = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(length.cast_signed(), widest))?;
        if is_latin_1 {
            let data = ffi::PyUnicode_1BYTE_DATA(object.as_ptr());
            for (index, character) in text.chars().enumerate() {
                data.add(index).write(character as u8);
            }
        } else {
            let data = ffi::PyUnicode_2BYTE_DATA(object.as_ptr());
            for (index, character) in text.chars().enumerate() {
                data.add(index).write(character as u16);
            }
        }
        Ok(object.cast_into_unchecked())
    }
}

/// A float.
#[inline]
#[allow(unsafe_code)]
pub fn float_object(py: Python<'_>, value: f64) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: the call gives a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyFloat_FromDouble(value)) }
}

/// The floats of a list, one after another, up to its end or to an element whose type is not exactly float.
pub struct ListFloats<'a, 'py> {
    list: &'a Bound<'py, PyList>,
    position: usize,
}

impl<'a, 'py> ListFloats<'a, 'py> {
    #[inline]
    pub fn new(list: &'a Bound<'py, PyList>) -> Self {
        Self { list, position: 0 }
    }

    /// The index of what is next.
    #[inline]
    pub fn position(&self) -> usize {
        self.position
    }

    #[inline]
    pub fn seek(&mut self, position: usize) {
        self.position = position;
    }
}

impl Iterator for ListFloats<'_, '_> {
    type Item = f64;

    #[inline]
    #[allow(unsafe_code)]
    fn next(&mut self) -> Option<f64> {
        if self.position >= self.list.len() {
            return None;
        }
        // SAFETY: the position is within the list as it is now, whose elements are live objects; no code runs between
        // this borrowing and the reading of a float's value, which is done only of a float.
        let value = unsafe {
            let element = ffi::PyList_GET_ITEM(self.list.as_ptr(), self.position.cast_signed());
            if ffi::PyFloat_CheckExact(element) == 0 {
                return None;
            }
            ffi::PyFloat_AS_DOUBLE(element)
        };
        self.position += 1;
        Some(value)
    }
}

/// How many characters the str has.
#[inline]
#[allow(unsafe_code)]
pub fn str_length(text: &Bound<'_, PyString>) -> usize {
    // SAFETY: it is a str.
    unsafe { ffi::PyUnicode_GetLength(text.as_ptr()).cast_unsigned() }
}

/// The text as UTF-8, which CPython has ready for ASCII and keeps for the rest. None where a lone surrogate has none.
#[inline]
#[allow(unsafe_code)]
pub fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    let mut length = 0;
    // SAFETY: a live str; what it gives is UTF-8 of `length` bytes that lives as long as the str, or null with an
    // exception set, which is taken.
    unsafe {
        let bytes = ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut length);
        if bytes.is_null() {
            drop(PyErr::take(text.py()));
            return None;
        }
        let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), length.cast_unsigned());
        Some(std::str::from_utf8_unchecked(bytes))
    }
}

/// A bare instance, as pydantic-core makes it: `cls.__new__(cls)` without `__init__`.
#[inline]
#[allow(unsafe_code)]
pub fn new_instance<'py>(class: &Bound<'py, PyType>, no_arguments: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    let class = class.as_type_ptr();
    // SAFETY: `class` is a live type; `tp_new` takes it, a tuple and no keywords, and gives a new reference or null with
    // an exception set.
    unsafe {
        match (*class).tp_new {
            Some(new) => Bound::from_owned_ptr_or_err(py, new(class, no_arguments.as_ptr(), std::ptr::null_mut())),
            None => Err(PySystemError::new_err("a class without __new__ cannot be stored")),
        }
    }
}

/// `Py_TPFLAGS_INLINE_VALUES` of CPython 3.13 and later; no flag of any older version.
const INLINE_VALUES: std::ffi::c_ulong = 1 << 2;

/// Make `dict` the instance's `__dict__`.
///
/// An instance with inline values (3.13: a dataclass, not a Pydantic model) would keep looking attributes up in them:
/// only the setter of the class's `__dict__` invalidates them.
#[inline]
#[allow(unsafe_code)]
pub fn set_instance_dict(instance: &Bound<'_, PyAny>, dict: &Bound<'_, PyDict>) -> PyResult<()> {
    // SAFETY: a live object's type is a live type.
    if unsafe { ffi::PyType_GetFlags(ffi::Py_TYPE(instance.as_ptr())) } & INLINE_VALUES != 0 {
        return set_attribute(instance, intern!(instance.py(), "__dict__"), dict);
    }
    // SAFETY: both are live objects; for an object without `__dict__` the call fails with an exception.
    let code = unsafe { ffi::PyObject_GenericSetDict(instance.as_ptr(), dict.as_ptr(), std::ptr::null_mut()) };
    status(instance.py(), code)
}

/// The instance's `__dict__`.
#[inline]
#[allow(unsafe_code)]
pub fn instance_dict<'py>(instance: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    // SAFETY: a live object; the call gives a new reference to a dict, or null with an exception set.
    unsafe {
        let dict = ffi::PyObject_GenericGetDict(instance.as_ptr(), std::ptr::null_mut());
        Ok(Bound::from_owned_ptr_or_err(instance.py(), dict)?.cast_into_unchecked())
    }
}

/// A slot of a class, by its descriptor: reading and writing through it passes by `__setattr__`, which frozen classes and
/// UUIDs refuse.
pub struct Slot {
    descriptor: Py<PyAny>,
    /// From the beginning of an instance, in bytes; None where only the descriptor knows.
    offset: Option<usize>,
}

impl Slot {
    #[allow(unsafe_code)]
    pub fn new(descriptor: Bound<'_, PyAny>) -> Self {
        // SAFETY: a member descriptor is a `PyMemberDescrObject`, whose `PyMemberDef` (the binding names another type for
        // older versions) lives as long as it does. For `Py_T_OBJECT_EX` there is a pointer to an object, or null, at the
        // offset in each instance of the descriptor's class.
        let offset = unsafe {
            let is_member = ffi::Py_TYPE(descriptor.as_ptr()) == &raw mut ffi::PyMemberDescr_Type;
            is_member.then(|| {
                let member = (*descriptor.as_ptr().cast::<ffi::PyMemberDescrObject>()).d_member;
                &*member.cast::<ffi::PyMemberDef>()
            })
        };
        let offset = offset.filter(|member| member.type_code == ffi::Py_T_OBJECT_EX && member.flags == 0);
        Self {
            offset: offset.and_then(|member| usize::try_from(member.offset).ok()),
            descriptor: descriptor.unbind(),
        }
    }

    pub fn is(&self, descriptor: &Bound<'_, PyAny>) -> bool {
        self.descriptor.is(descriptor)
    }

    /// Where the slot lies in an instance of its class; None where that is not known, or of another class's instance.
    #[inline]
    #[allow(unsafe_code)]
    fn place(&self, instance: &Bound<'_, PyAny>) -> Option<NonNull<*mut ffi::PyObject>> {
        let offset = self.offset?;
        // SAFETY: where an offset is known, the descriptor is a `PyMemberDescrObject`, and instances of its class are
        // larger than the offset.
        unsafe {
            let class = (*self.descriptor.as_ptr().cast::<ffi::PyMemberDescrObject>())
                .d_common
                .d_type;
            let fits = ffi::PyObject_TypeCheck(instance.as_ptr(), class) != 0;
            if fits {
                NonNull::new(instance.as_ptr().byte_add(offset).cast())
            } else {
                None
            }
        }
    }

    #[inline]
    #[allow(unsafe_code)]
    pub fn set<'py>(&self, instance: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> PyResult<()> {
        let py = instance.py();
        if let Some(place) = self.place(instance) {
            // SAFETY: the place holds an owned reference or null. It is this function's now, and the new one the slot's.
            let old = unsafe { Bound::from_owned_ptr_or_opt(py, place.replace(value.into_ptr())) };
            drop(old);
            return Ok(());
        }
        // SAFETY: `tp_descr_set` of a live descriptor checks itself that the instance is of its class.
        unsafe {
            let Some(set) = (*ffi::Py_TYPE(self.descriptor.as_ptr())).tp_descr_set else {
                return Err(PySystemError::new_err("not a data descriptor"));
            };
            status(py, set(self.descriptor.as_ptr(), instance.as_ptr(), value.as_ptr()))
        }
    }

    /// An unset slot is an AttributeError.
    #[inline]
    #[allow(unsafe_code)]
    pub fn get<'py>(&self, instance: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = instance.py();
        if let Some(place) = self.place(instance)
            // SAFETY: the place holds an owned reference, which is borrowed and made our own, or null.
            && let Some(value) = unsafe { Bound::from_borrowed_ptr_or_opt(py, *place.as_ptr()) }
        {
            return Ok(value);
        }
        // SAFETY: `tp_descr_get` of a live descriptor checks itself that the instance is of its class.
        unsafe {
            let Some(get) = (*ffi::Py_TYPE(self.descriptor.as_ptr())).tp_descr_get else {
                return Err(PySystemError::new_err("not a descriptor"));
            };
            let class = ffi::Py_TYPE(instance.as_ptr()).cast();
            Bound::from_owned_ptr_or_err(py, get(self.descriptor.as_ptr(), instance.as_ptr(), class))
        }
    }
}

/// Slots that every instance of a class has, set together.
pub struct Slots<const N: usize> {
    class: Py<PyType>,
    /// Where they lie in an instance, in bytes; None where only their descriptors know.
    offsets: Option<[usize; N]>,
}

impl<const N: usize> Slots<N> {
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.class)
    }

    #[allow(unsafe_code)]
    pub fn of(class: Bound<'_, PyType>, slots: [&Slot; N]) -> Self {
        let mut offsets = Some([0; N]);
        for (index, slot) in slots.iter().enumerate() {
            // SAFETY: as in `Slot::place`; both are live types.
            let offset = slot.offset.filter(|_| unsafe {
                let owner = (*slot.descriptor.as_ptr().cast::<ffi::PyMemberDescrObject>())
                    .d_common
                    .d_type;
                ffi::PyType_IsSubtype(class.as_type_ptr(), owner) != 0
            });
            offsets = offsets.zip(offset).map(|(mut offsets, offset)| {
                offsets[index] = offset;
                offsets
            });
        }
        Self {
            class: class.unbind(),
            offsets,
        }
    }

    /// Set the slots of an instance. False: it is of another class, and nothing was done.
    #[inline]
    #[allow(unsafe_code)]
    pub fn set<'py>(&self, instance: &Bound<'py, PyAny>, values: [&Bound<'py, PyAny>; N]) -> bool {
        let Some(offsets) = self.offsets else {
            return false;
        };
        // SAFETY: an instance of the very class has each slot at its offset: an owned reference or null, which is this
        // function's now, and the new one the slot's.
        unsafe {
            if ffi::Py_TYPE(instance.as_ptr()).cast::<ffi::PyObject>() != self.class.as_ptr() {
                return false;
            }
            for (offset, value) in offsets.into_iter().zip(values) {
                let place = instance.as_ptr().byte_add(offset).cast::<*mut ffi::PyObject>();
                let old = place.replace(value.clone().into_ptr());
                drop(Bound::from_owned_ptr_or_opt(instance.py(), old));
            }
        }
        true
    }
}

/// Set an attribute as `object.__setattr__` does, passing by the class's own.
#[inline]
#[allow(unsafe_code)]
pub fn set_attribute(
    instance: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // SAFETY: three live objects, the name a str.
    let code = unsafe { ffi::PyObject_GenericSetAttr(instance.as_ptr(), name.as_ptr(), value.as_ptr()) };
    status(instance.py(), code)
}

#[inline]
fn status(py: Python<'_>, code: i32) -> PyResult<()> {
    if code == 0 { Ok(()) } else { Err(PyErr::fetch(py)) }
}

/// A walk over a dict in its order that never fails: what user code adds or removes meanwhile may be seen or not.
pub struct DictWalk<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    position: ffi::Py_ssize_t,
}

impl<'a, 'py> DictWalk<'a, 'py> {
    #[inline]
    pub fn new(dict: &'a Bound<'py, PyDict>) -> Self {
        Self { dict, position: 0 }
    }
}

impl<'py> DictWalk<'_, 'py> {
    /// The next value, if its key is this very object; the walk has gone on in any case.
    #[inline]
    #[allow(unsafe_code)]
    pub fn next_named(&mut self, name: &Py<PyString>) -> Option<Bound<'py, PyAny>> {
        let mut key = std::ptr::null_mut();
        let mut value = std::ptr::null_mut();
        // SAFETY: as in `next`.
        unsafe {
            let found = ffi::PyDict_Next(self.dict.as_ptr(), &raw mut self.position, &raw mut key, &raw mut value) != 0;
            (found && key == name.as_ptr()).then(|| Bound::from_borrowed_ptr(self.dict.py(), value))
        }
    }
}

impl<'py> Iterator for DictWalk<'_, 'py> {
    type Item = (Bound<'py, PyAny>, Bound<'py, PyAny>);

    #[inline]
    #[allow(unsafe_code)]
    fn next(&mut self) -> Option<Self::Item> {
        let mut key = std::ptr::null_mut();
        let mut value = std::ptr::null_mut();
        let py = self.dict.py();
        // SAFETY: `PyDict_Next` checks the position against the dict as it is now; the borrowed key and value it gives
        // are made our own before anything else runs.
        unsafe {
            if ffi::PyDict_Next(self.dict.as_ptr(), &raw mut self.position, &raw mut key, &raw mut value) == 0 {
                return None;
            }
            Some((Bound::from_borrowed_ptr(py, key), Bound::from_borrowed_ptr(py, value)))
        }
    }
}

/// Take an object out of the garbage collector's sight, for one that can lead back to nothing: what it holds are texts and
/// numbers. The collector looks at each object of a page several times while the page is read.
#[inline]
#[allow(unsafe_code)]
pub fn untrack(object: &Bound<'_, PyAny>) {
    // SAFETY: a live object; only one of a class with the collector's header is given to it, tracked or not.
    unsafe {
        if ffi::PyType_IS_GC(ffi::Py_TYPE(object.as_ptr())) != 0 {
            ffi::PyObject_GC_UnTrack(object.as_ptr().cast());
        }
    }
}

/// A set of the same members, as fast as CPython copies one.
#[inline]
#[allow(unsafe_code)]
pub fn set_copy<'py>(set: &Bound<'py, PySet>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: a live set; the call gives a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(set.py(), ffi::PySet_New(set.as_ptr())) }
}
