//! Threads, the GIL and asyncio: `run` and `spawn`, the only two ways from Python into tokio.
