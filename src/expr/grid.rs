//! The neighbour of a value on its grid, by which a half-open range becomes a closed one.

use super::ast::{Grid, Value};
use crate::wire::reader::Reader;
use crate::wire::{Direction, number, temporal, writer};

/// The next value in `direction`. `None` where there is none: on a dense grid, at the end of the type's range, and for a
/// value that does not lie on its grid.
#[must_use]
pub fn neighbour(value: &Value, direction: Direction) -> Option<Value> {
    let mut reader = Reader::new(&value.wire);
    reader.tag().ok()?;
    let content = reader.text().ok()?;
    let mut wire = Vec::with_capacity(value.wire.len() + 1);
    match value.grid {
        Grid::Dense => return None,
        Grid::Integer => writer::push_n(&mut wire, &number::neighbour(&content, 0, direction)?),
        Grid::MicroNumber => writer::push_n(&mut wire, &number::neighbour(&content, 6, direction)?),
        Grid::DateTime => writer::push_s(&mut wire, &temporal::neighbour_of_datetime(&content, direction)?),
        Grid::Date => writer::push_s(&mut wire, &temporal::neighbour_of_date(&content, direction)?),
    }
    Some(Value {
        tag: value.tag,
        wire: wire.into(),
        grid: value.grid,
    })
}
