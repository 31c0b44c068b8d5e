//! Threads, the GIL and asyncio: [`run`] and [`spawn`], the only two ways from Python into tokio.
//!
//! Both drive any [`Operation`](crate::ops::Operation) over a [`Core`], one client's connections. `run` blocks its
//! thread with the GIL released; `spawn` gives back an awaitable. No thread of tokio's ever takes the GIL.

mod awaitable;
mod bell;
mod blocking;
mod core;
mod drive;
mod event_loop;
mod mailbox;
mod process;
mod rate;
mod runtime;

pub use awaitable::spawn;
pub use blocking::run;
pub use core::Core;
pub use rate::{Clock, Gate, Limits, RateLimit};
