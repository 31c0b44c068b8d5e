//! What wakes an event loop: a descriptor it watches, or a thread where it cannot watch any (Windows).

use std::sync::mpsc::{Receiver, Sender, channel};
use std::{io, thread};

use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

pub enum Bell {
    #[cfg(unix)]
    Descriptor(descriptor::Descriptor),
    Thread(Sender<()>),
}

impl Bell {
    #[cfg(unix)]
    pub fn descriptor() -> io::Result<Self> {
        descriptor::Descriptor::new().map(Self::Descriptor)
    }

    /// A bell for [`wake_by_thread`]; that thread ends with it.
    pub fn thread() -> (Self, Receiver<()>) {
        let (sender, rings) = channel();
        (Self::Thread(sender), rings)
    }

    /// What the loop watches with `add_reader`.
    #[cfg(unix)]
    pub fn watched(&self) -> Option<std::os::fd::RawFd> {
        match self {
            Self::Descriptor(bell) => Some(bell.watched()),
            Self::Thread(_) => None,
        }
    }

    /// Neither way can fail in a manner that matters: a full descriptor is already ringing, and a thread is gone only
    /// when its loop is.
    pub fn ring(&self) {
        match self {
            #[cfg(unix)]
            Self::Descriptor(bell) => bell.ring(),
            Self::Thread(sender) => drop(sender.send(())),
        }
    }

    pub fn silence(&self) {
        match self {
            #[cfg(unix)]
            Self::Descriptor(bell) => bell.silence(),
            Self::Thread(_) => {}
        }
    }
}

/// Call `event_loop.call_soon_threadsafe(deliver)` at each ring, on a thread that is not tokio's and may take the GIL.
pub fn wake_by_thread(
    event_loop: Py<PyWeakrefReference>,
    deliver: Py<PyWeakrefReference>,
    rings: Receiver<()>,
) -> io::Result<()> {
    thread::Builder::new().name("oxidyn-waker".to_owned()).spawn(move || {
        let wake = || {
            Python::try_attach(|py| {
                let (event_loop, deliver) = (event_loop.bind(py).upgrade()?, deliver.bind(py).upgrade()?);
                // A loop closed meanwhile refuses: nobody waits there any more.
                event_loop
                    .call_method1("call_soon_threadsafe", (deliver,))
                    .ok()
                    .map(drop)
            })
        };
        while rings.recv().is_ok() && wake().flatten().is_some() {}
        // Without an interpreter to return the references to, they are left to the end of the process.
        let references = (event_loop, deliver);
        if Python::try_attach(|_| ()).is_none() {
            std::mem::forget(references);
        }
    })?;
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod descriptor {
    //! An eventfd: one counter, one descriptor.

    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

    pub struct Descriptor(File);

    impl Descriptor {
        #[allow(unsafe_code)]
        pub fn new() -> io::Result<Self> {
            // SAFETY: no pointers are passed, and the result is checked below.
            let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: `fd` was just opened and is owned by nobody else.
            Ok(Self(File::from(unsafe { OwnedFd::from_raw_fd(fd) })))
        }

        pub fn watched(&self) -> RawFd {
            self.0.as_raw_fd()
        }

        pub fn ring(&self) {
            let _full = (&self.0).write(&1u64.to_ne_bytes());
        }

        pub fn silence(&self) {
            let _empty = (&self.0).read(&mut [0; 8]);
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod descriptor {
    //! A socket pair: what every Unix has.

    use std::io::{self, Read, Write};
    use std::os::fd::{AsRawFd, RawFd};
    use std::os::unix::net::UnixStream;

    pub struct Descriptor {
        reader: UnixStream,
        writer: UnixStream,
    }

    impl Descriptor {
        pub fn new() -> io::Result<Self> {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            Ok(Self { reader, writer })
        }

        pub fn watched(&self) -> RawFd {
            self.reader.as_raw_fd()
        }

        pub fn ring(&self) {
            let _full = (&self.writer).write(&[1]);
        }

        pub fn silence(&self) {
            while matches!((&self.reader).read(&mut [0; 64]), Ok(64)) {}
        }
    }
}
