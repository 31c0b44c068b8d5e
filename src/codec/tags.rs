//! Sets of wire types.

use crate::wire::Tag;

/// The wire types that a node writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags(u16);

impl Tags {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self((1 << Tag::ALL.len()) - 1);

    pub const fn of(tag: Tag) -> Self {
        Self(1 << tag as u16)
    }

    #[must_use]
    pub const fn and(self, tag: Tag) -> Self {
        Self(self.0 | 1 << tag as u16)
    }

    pub const fn has(self, tag: Tag) -> bool {
        self.0 & 1 << tag as u16 != 0
    }

    #[must_use]
    pub const fn without(self, tag: Tag) -> Self {
        Self(self.0 & !(1 << tag as u16))
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any tag is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The one tag, where there is only one.
    pub fn only(self) -> Option<Tag> {
        Tag::ALL.into_iter().find(|&tag| self == Self::of(tag))
    }
}
