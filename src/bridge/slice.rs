//! Decoding in slices: after each the event loop turns, or other threads get the GIL, so that no reply holds anyone up
//! for more than about a millisecond.

use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

/// Wire bytes of one slice: half a millisecond, as items of many short attributes are the slowest (7 ns a byte).
pub const SLICE_BYTES: usize = 64 * 1024;
/// For what takes longer, such as items with validators of the user's own.
const SLICE_TIME: Duration = Duration::from_millis(1);
/// The clock is looked at once for so many items, since a look costs a tenth of what a small item does.
const ITEMS_BETWEEN_LOOKS: u8 = 16;

/// What is left of a slice.
pub struct Slice {
    bytes: usize,
    items: u8,
    end: Instant,
}

impl Slice {
    pub fn new() -> Self {
        Self {
            bytes: SLICE_BYTES,
            items: ITEMS_BETWEEN_LOOKS,
            end: Instant::now() + SLICE_TIME,
        }
    }

    /// Take an item of this size out of it, and tell whether that was its last.
    pub fn is_spent_by(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.items -= 1;
        if self.items == 0 {
            self.items = ITEMS_BETWEEN_LOOKS;
            return self.bytes == 0 || Instant::now() >= self.end;
        }
        self.bytes == 0
    }
}

/// What a caller gets, whole or still in the making.
pub enum Made {
    Value(Py<PyAny>),
    Rest(Box<dyn Rest>),
}

/// The making of what a caller gets.
pub trait Rest: Send {
    /// Go on until the slice is spent; the value once there is nothing left to do. An error ends it.
    fn go_on(&mut self, py: Python<'_>, slice: &mut Slice) -> PyResult<Option<Py<PyAny>>>;
}

/// Make the rest on this thread: between slices other threads have the GIL, and signals are heard.
pub fn complete(py: Python<'_>, made: Made) -> PyResult<Py<PyAny>> {
    let mut rest = match made {
        Made::Value(value) => return Ok(value),
        Made::Rest(rest) => rest,
    };
    loop {
        if let Some(value) = rest.go_on(py, &mut Slice::new())? {
            return Ok(value);
        }
        pause(py)?;
    }
}

/// Slices of work that is done on this thread as a whole.
pub struct Pace(Slice);

impl Pace {
    pub fn new() -> Self {
        Self(Slice::new())
    }

    /// So many bytes are done: pause where a slice is spent by them. The error is a signal's exception.
    pub fn done(&mut self, py: Python<'_>, bytes: usize) -> PyResult<()> {
        if self.0.is_spent_by(bytes) {
            pause(py)?;
            self.0 = Slice::new();
        }
        Ok(())
    }
}

fn pause(py: Python<'_>) -> PyResult<()> {
    py.check_signals()?;
    give_way(py);
    Ok(())
}

/// Let another thread have the GIL. One that waits for it needs a moment to wake: given back and taken again at once, the
/// GIL would be gone before that, and the waiting thread would wait its whole 5 ms anew.
fn give_way(py: Python<'_>) {
    /// As short as a sleep can be: about 50 µs.
    const MOMENT: Duration = Duration::from_micros(1);
    if has_other_threads(py) {
        py.detach(|| std::thread::sleep(MOMENT));
    }
}

#[allow(unsafe_code)]
fn has_other_threads(_py: Python<'_>) -> bool {
    // SAFETY: the thread states are read with the GIL held, under which none is freed; a new one is linked to the others
    // before it is made the first.
    unsafe {
        let first = ffi::PyInterpreterState_ThreadHead(ffi::PyInterpreterState_Get());
        !first.is_null() && !ffi::PyThreadState_Next(first).is_null()
    }
}
