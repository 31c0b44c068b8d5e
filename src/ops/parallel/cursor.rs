//! The cursor of a parallel scan: where each of its segments goes on, as a token.

use super::Position;
use crate::error::Result;
use crate::ops::cursor::{Cursors, push_count, take_count};
use crate::ops::token::{Kind, refused};

/// What stands before a segment's key, if it has one.
const START: u8 = 0;
const AFTER: u8 = 1;
const END: u8 = 2;

impl Cursors<'_> {
    pub fn write_positions(&self, positions: &[Position]) -> Result<String> {
        let mut content = Vec::with_capacity(32 * positions.len());
        push_count(&mut content, positions.len() as u64);
        for position in positions {
            match position {
                Position::Start => content.push(START),
                Position::After(object) => {
                    content.push(AFTER);
                    self.keys().push(&mut content, object)?;
                }
                Position::End => content.push(END),
            }
        }
        let identity = self.pages.identity();
        Ok(self.tokens(Kind::ParallelScan, &identity).write(&content))
    }

    /// The positions that a scan of as many segments wrote.
    pub fn read_positions(&self, cursor: &str, segments: usize) -> Result<Vec<Position>> {
        let identity = self.pages.identity();
        let content = self.tokens(Kind::ParallelScan, &identity).read(cursor)?;
        let unreadable = || refused("its keys are none of this table and index");
        let mut rest = &content[..];
        let count = take_count(&mut rest).ok_or_else(unreadable)?;
        if count != segments as u64 {
            return Err(refused(&format!(
                "it is of a scan in {count} segments, and this one has {segments}: set segments={count}"
            )));
        }
        let mut positions = Vec::with_capacity(segments);
        for _ in 0..segments {
            positions.push(self.take(&mut rest).ok_or_else(unreadable)?);
        }
        if rest.is_empty() {
            Ok(positions)
        } else {
            Err(unreadable())
        }
    }

    fn take(&self, rest: &mut &[u8]) -> Option<Position> {
        let (&kind, behind) = rest.split_first()?;
        *rest = behind;
        match kind {
            START => Some(Position::Start),
            AFTER => self.keys().take(rest).map(Position::After),
            END => Some(Position::End),
            _ => None,
        }
    }
}
