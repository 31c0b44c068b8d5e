//! Threads, the GIL and asyncio: [`run`], [`spawn`] and [`Feed`], the only ways from Python into tokio.
//!
//! All drive any [`Operation`](crate::ops::Operation) over a [`Core`], one client's connections. `run` blocks its thread
//! with the GIL released; `spawn` gives back an awaitable; a `Feed` has calls run ahead, whose outcomes are taken in
//! either manner. No thread of tokio's ever takes the GIL. What is large is decoded in slices: a [`Rest`].

mod awaitable;
mod bell;
mod blocking;
mod core;
mod drive;
#[cfg(feature = "embedded")]
mod engine;
mod event_loop;
mod feed;
mod inbox;
mod interpreter;
mod launch;
mod mailbox;
mod process;
mod rate;
mod runtime;
mod slice;

pub use awaitable::{ready, spawn, turn};
pub use blocking::run;
pub use core::Core;
pub use feed::{Feed, Taken};
pub use interpreter::claim;
pub use process::PerProcess;
pub use rate::{Clock, Gate, Limits, RateLimit, Terms};
pub use slice::{Made, Pace, Rest, Slice, complete};
