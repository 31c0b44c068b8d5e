//! The grammar of ProjectionExpression.

use super::ast::Path;
use super::placeholders::{Placeholders, check_size};
use crate::error::Result;

/// Append the paths, `#n0, #n1.#n2`.
pub fn write(text: &mut String, paths: &[Path], placeholders: &mut Placeholders) -> Result<()> {
    for (position, path) in paths.iter().enumerate() {
        if position > 0 {
            text.push_str(", ");
        }
        placeholders.path(text, path);
        check_size(text)?;
    }
    Ok(())
}
