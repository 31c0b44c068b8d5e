//! What a plan is compiled for, beside the schema.

/// The options of `_core.Plan`, as in Python.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    pub title: String,
    pub partition: Option<String>,
    pub sort: Option<String>,
    pub indexes: Vec<IndexKeys>,
    pub ttl: Option<String>,
    pub unset: Unset,
    pub unknown: Unknown,
    pub any_numbers: AnyNumbers,
    pub load: Load,
}

/// An index's key, by field names.
#[derive(Debug, Clone)]
pub struct IndexKeys {
    pub name: String,
    pub partition: Vec<String>,
    pub sort: Vec<String>,
}

/// What is done with a field that was never set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unset {
    #[default]
    Store,
    Skip,
}

/// What is done with an attribute that is no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unknown {
    #[default]
    Skip,
    Error,
    /// Held beside the instance, and written back.
    Keep,
}

/// What a number without a type that is not integral is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnyNumbers {
    /// A float where its shortest text is that number, else a Decimal.
    #[default]
    Auto,
    Decimal,
}

/// Whether the user's own validators run on what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Load {
    #[default]
    Validate,
    /// Types, shapes and constraints are checked, validators are not run again: what was stored had passed them.
    Trust,
}
