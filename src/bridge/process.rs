//! What belongs to one process: threads, connections and runtimes do not survive a fork.

use std::sync::{Mutex, PoisonError};

/// A value that a forked child makes anew.
///
/// The child leaks its parent's: to drop it would wait for threads that exist only there. The lock is taken only with
/// the GIL held and for moments, so that no thread can be inside while another forks.
pub struct PerProcess<T>(Mutex<Option<(u32, T)>>);

impl<T> PerProcess<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub fn with<R>(&self, make: impl FnOnce() -> T, act: impl FnOnce(&mut T) -> R) -> R {
        let process = std::process::id();
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.as_mut() {
            Some((owner, value)) if *owner == process => act(value),
            _ => {
                std::mem::forget(slot.take());
                act(&mut slot.insert((process, make())).1)
            }
        }
    }
}

/// In a forked child the value is the parent's and is left alone.
impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let slot = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if slot.as_ref().is_some_and(|(owner, _)| *owner != std::process::id()) {
            std::mem::forget(slot);
        }
    }
}
