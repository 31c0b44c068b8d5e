//! Operations without a service: the bodies they write, and their steps on scripted replies.

#[path = "ops/batches.rs"]
mod batches;
#[path = "ops/drive.rs"]
mod drive;
#[path = "ops/items.rs"]
mod items;
#[path = "ops/pages.rs"]
mod pages;
#[path = "ops/tables.rs"]
mod tables;
