//! The grammar of ProjectionExpression.

use super::ast::Path;
use super::placeholders::Placeholders;
use super::text::Text;
use crate::error::Result;

/// Append the paths, `#n0, #n1.#n2`.
pub fn write(text: &mut String, paths: &[Path], placeholders: &mut Placeholders) -> Result<()> {
    let mut text = Text::new("projection", text, placeholders);
    for (position, path) in paths.iter().enumerate() {
        if position > 0 {
            text.push(", ");
        }
        text.path(path);
        text.check()?;
    }
    Ok(())
}
