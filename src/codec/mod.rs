//! A model's core schema, compiled once into a plan: instances to bytes and back.
//!
//! | file | what it holds |
//! |---|---|
//! | `builder` | compiling schemas: where it is, who validates there; the errors of compiling |
//! | `schema`, `marks`, `tags` | reading core-schema dicts; what our markers say; sets of wire types |
//! | `node`, `nodes/` | the families of values, one file each, and the one list of all |
//! | `own` | Pydantic's own validator and serializer of a schema |
//! | `definitions` | schemas that others refer to, so that models may be recursive |
//! | `infer`, `instance` | values without a schema; instances among them |
//! | `names` | names of maps that are read again and again |
//! | `state` | what an encoding and a decoding carry; refusals and their paths |
//! | `key_spec`, `key_form` | which attributes are keys and how a key is made of fields; what is asked of their text |
//! | `form` | how a type's values are stored, as far as two fields must agree to be compared or computed with |
//! | `target/` | a reference's path, resolved, and the values that are compared or set there |
//! | `selection`, `part`, `agreement` | what is read of items: a smaller model, or parts; whether the models agree |
//! | `json/` | stored items → the JSON that Pydantic would print of them |
//! | `low_level` | boto3's dict form |
//! | `template` | the dict that a model's instances start from |
//! | `python`, `ffi`, `decimal_layout` | what is imported; the few unsafe calls |
//!
//! It does no I/O and knows no operation.

mod agreement;
mod builder;
mod decimal_layout;
mod definitions;
mod ffi;
mod form;
mod infer;
mod instance;
mod json;
mod key_form;
mod key_spec;
mod low_level;
mod marks;
mod names;
mod node;
mod nodes;
mod options;
mod own;
mod part;
mod plan;
pub mod python;
mod schema;
mod selection;
mod state;
mod tags;
mod target;
mod template;

pub use form::Quantity;
pub use key_spec::{IndexKey, KeyAttribute};
pub use low_level::Binary;
pub use marks::Epoch;
pub use options::{AnyNumbers, IndexKeys, Load, PlanOptions, Unknown, Unset};
pub use plan::Plan;
pub use selection::{Reading, Selection};
pub use target::{NoneRule, Part, Purpose, Target};
