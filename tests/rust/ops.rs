//! Operations: the bodies they write, their steps on scripted replies, and what the embedded engine says of both.

#[path = "ops/batches.rs"]
mod batches;
#[path = "ops/drive.rs"]
mod drive;
#[path = "ops/endless.rs"]
mod endless;
#[cfg(feature = "embedded")]
#[path = "ops/engine.rs"]
mod engine;
#[path = "ops/fill.rs"]
mod fill;
#[path = "ops/hydrate.rs"]
mod hydrate;
#[path = "ops/items.rs"]
mod items;
#[path = "ops/pages.rs"]
mod pages;
#[path = "ops/parallel.rs"]
mod parallel;
#[path = "ops/partiql.rs"]
mod partiql;
#[path = "ops/rate.rs"]
mod rate;
#[path = "ops/resuming.rs"]
mod resuming;
#[path = "ops/several_tables.rs"]
mod several_tables;
#[path = "ops/tables.rs"]
mod tables;
#[path = "ops/transactions.rs"]
mod transactions;
