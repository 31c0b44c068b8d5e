//! The classes that Python sees, one file each, thin.

pub mod call_record;
pub mod client;
pub mod exceptions;
pub mod explained;
pub mod expression;
pub mod filled;
pub mod flag;
pub mod indexes;
pub mod items;
pub mod listing;
pub mod metrics;
pub mod operation;
pub mod pages;
pub mod parallel_scan;
pub mod plan;
pub mod rate_limit;
pub mod several;
pub mod statement;
pub mod table;
pub mod watch;
