//! Conditions, key conditions, updates and projections as data, and their text with placeholders. No Python: values
//! arrive encoded.

pub mod ast;
pub mod condition;
pub mod grid;
pub mod key_condition;
pub mod order;
pub mod placeholders;
pub mod projection;
pub mod split;
mod text;
pub mod update;
pub mod upsert;
