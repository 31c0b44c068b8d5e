//! One file per family of values; each holds what is compiled, written and read.

pub mod any;
pub mod bytes;
pub mod choice;
pub mod function;
pub mod known;
pub mod layer;
pub mod list;
pub mod map;
pub mod map_key;
pub mod missing;
pub mod model;
pub mod named_tuple;
pub mod number;
pub mod opaque;
pub mod optional;
pub mod reference;
pub mod root_model;
pub mod scalar;
pub mod secret;
pub mod set;
pub mod standard;
pub mod string;
pub mod temporal;
pub mod union;
pub mod uuid;
