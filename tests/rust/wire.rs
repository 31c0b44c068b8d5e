//! The wire by itself: judged by round trips, by hostile bytes and by independent libraries.

#[path = "wire/allocation.rs"]
mod allocation;
#[path = "wire/base64.rs"]
mod base64;
#[path = "wire/float.rs"]
mod float;
#[path = "wire/json.rs"]
mod json;
#[path = "wire/number.rs"]
mod number;
#[path = "wire/reader.rs"]
mod reader;
#[path = "wire/size.rs"]
mod size;
#[path = "wire/temporal.rs"]
mod temporal;
#[path = "wire/uuid.rs"]
mod uuid;
#[path = "wire/writer.rs"]
mod writer;
