//! The neighbour of a value on its grid.

use oxidyn::expr::ast::{Grid, Value};
use oxidyn::expr::grid::neighbour;
use oxidyn::wire::{Direction, Tag};

use super::values::value;

fn next(tag: Tag, content: &str, grid: Grid) -> Option<Value> {
    neighbour(&value(tag, content, grid), Direction::Up)
}

fn previous(tag: Tag, content: &str, grid: Grid) -> Option<Value> {
    neighbour(&value(tag, content, grid), Direction::Down)
}

#[test]
fn each_grid_has_its_step() {
    for (tag, grid, low, high) in [
        (Tag::N, Grid::Integer, "-1", "0"),
        (Tag::N, Grid::Integer, "99", "100"),
        (Tag::N, Grid::MicroNumber, "1700000000", "1700000000.000001"),
        (Tag::N, Grid::MicroNumber, "-0.000001", "0"),
        (
            Tag::S,
            Grid::DateTime,
            "2024-12-31T23:59:59.999999Z",
            "2025-01-01T00:00:00.000000Z",
        ),
        (
            Tag::S,
            Grid::DateTime,
            "2024-02-28T23:59:59.999999",
            "2024-02-29T00:00:00.000000",
        ),
        (Tag::S, Grid::Date, "2023-02-28", "2023-03-01"),
    ] {
        assert_eq!(next(tag, low, grid), Some(value(tag, high, grid)));
        assert_eq!(previous(tag, high, grid), Some(value(tag, low, grid)));
    }
}

#[test]
fn where_the_range_ends_there_is_no_neighbour() {
    assert_eq!(next(Tag::S, "9999-12-31T23:59:59.999999Z", Grid::DateTime), None);
    assert_eq!(previous(Tag::S, "0001-01-01T00:00:00.000000", Grid::DateTime), None);
    assert_eq!(next(Tag::S, "9999-12-31", Grid::Date), None);
    assert_eq!(previous(Tag::S, "0001-01-01", Grid::Date), None);
    assert_eq!(
        next(Tag::N, &"9".repeat(38), Grid::Integer),
        Some(value(Tag::N, &format!("1{}", "0".repeat(38)), Grid::Integer))
    );
    assert_eq!(next(Tag::N, &format!("1{}", "0".repeat(38)), Grid::Integer), None);
}

#[test]
fn dense_values_and_values_beside_their_grid_have_no_neighbour() {
    assert_eq!(next(Tag::S, "x", Grid::Dense), None);
    assert_eq!(next(Tag::N, "5", Grid::Dense), None);
    assert_eq!(next(Tag::N, "5.5", Grid::Integer), None);
    assert_eq!(next(Tag::S, "2024-01-01", Grid::DateTime), None);
}
