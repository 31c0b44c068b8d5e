//! The wire by itself: judged by round trips, by hostile bytes and by independent libraries.

#[path = "wire/reader.rs"]
mod reader;
#[path = "wire/writer.rs"]
mod writer;
