//! The classes that Python sees, one file each, thin.

pub mod client;
pub mod plan;
