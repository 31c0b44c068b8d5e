//! Expressions: their text, their refusals, and the split of a query's condition.

#[path = "expr/choice.rs"]
mod choice;
#[path = "expr/evaluate.rs"]
mod evaluate;
#[path = "expr/grid.rs"]
mod grid;
#[path = "expr/split.rs"]
mod split;
#[path = "expr/text.rs"]
mod text;
#[path = "expr/values.rs"]
mod values;
