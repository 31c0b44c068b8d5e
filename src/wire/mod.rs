//! DynamoDB JSON as bytes: `{"S":"x"}` and what is in it. Knows nothing of Python or of models.

pub mod base64;
pub mod float;
pub mod json;
pub mod number;
pub mod reader;
mod scan;
pub mod size;
pub mod temporal;
pub mod uuid;
pub mod writer;

/// The data type descriptor of one attribute value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    S,
    N,
    B,
    Bool,
    Null,
    M,
    L,
    SS,
    NS,
    BS,
}

impl Tag {
    pub const ALL: [Self; 10] = [
        Self::S,
        Self::N,
        Self::B,
        Self::Bool,
        Self::Null,
        Self::M,
        Self::L,
        Self::SS,
        Self::NS,
        Self::BS,
    ];

    /// The descriptor as DynamoDB spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
            Self::M => "M",
            Self::L => "L",
            Self::SS => "SS",
            Self::NS => "NS",
            Self::BS => "BS",
        }
    }
}

/// To which side a neighbour lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

impl Direction {
    const fn step(self) -> i64 {
        match self {
            Self::Up => 1,
            Self::Down => -1,
        }
    }
}
