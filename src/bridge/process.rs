//! What belongs to one process: threads, connections and runtimes do not survive a fork.

use std::sync::{Mutex, PoisonError};

/// A value that a forked child makes anew.
///
/// The child leaks its parent's: to drop it would wait for threads that exist only there. The lock is taken only with
/// the GIL held and for moments, so that no thread can be inside while another forks.
pub struct PerProcess<T>(Mutex<Option<(Process, T)>>);

impl<T> PerProcess<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub fn with<R>(&self, make: impl FnOnce() -> T, act: impl FnOnce(&mut T) -> R) -> R {
        let process = Process::current();
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
        if slot.as_ref().is_some_and(|(owner, _)| *owner != Process::current()) {
            std::mem::forget(slot);
        }
    }
}

/// A process, told from those that forked it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// By the number of forks that led here: the process id would be a system call, several times for each request.
    #[cfg(unix)]
    #[allow(unsafe_code)]
    pub fn current() -> Self {
        use std::sync::Once;
        use std::sync::atomic::{AtomicU32, Ordering};

        static FORKS: AtomicU32 = AtomicU32::new(0);
        static WATCHED: Once = Once::new();

        extern "C" fn forked() {
            FORKS.fetch_add(1, Ordering::Relaxed);
        }

        WATCHED.call_once(|| {
            // SAFETY: the handler only counts, which is allowed in a child of a process with several threads, and it is
            // never unloaded, as Python unloads no extension.
            let refused = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
            assert_eq!(refused, 0, "without memory for a handler there is none for a runtime");
        });
        Self(FORKS.load(Ordering::Relaxed))
    }

    #[cfg(not(unix))]
    pub fn current() -> Self {
        Self(0)
    }
}
