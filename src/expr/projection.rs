//! The grammar of ProjectionExpression.

use super::ast::Path;
use super::placeholders::Placeholders;
use super::text::Text;
use crate::error::Result;

/// The paths without those that lie in others, and each once: DynamoDB refuses what overlaps.
pub fn covering(paths: impl IntoIterator<Item = Path>) -> Vec<Path> {
    let mut covering: Vec<Path> = Vec::new();
    for path in paths {
        if covering.iter().any(|other| path.0.starts_with(&other.0)) {
            continue;
        }
        covering.retain(|other| !other.0.starts_with(&path.0));
        covering.push(path);
    }
    covering
}

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
