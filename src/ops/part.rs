//! One operation on one item as a part of a request that holds several: a batch, a transaction. Nothing is encoded anew.

use std::ops::Range;

use bytes::Bytes;

use super::body::member;
use crate::wire::writer;

#[derive(Debug, Clone)]
pub struct Part {
    pub kind: Kind,
    /// Its own request's body, the closing bracket left out. A transaction has the same members.
    pub(super) members: Bytes,
    /// The item that is written, or the key.
    pub content: Bytes,
    /// A read: the members of its projection, each behind a comma; empty for the whole item.
    pub projection: Bytes,
    /// A read: it sees every write before it.
    pub is_consistent: bool,
    /// A write: it asks something of the stored item.
    pub is_conditional: bool,
    /// A write: it asks for the stored item.
    pub returns_item: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Get,
    Put,
    Update,
    Delete,
    Check,
}

impl Kind {
    #[must_use]
    pub fn is_read(self) -> bool {
        self == Self::Get
    }

    /// The member's name in a transaction.
    fn name(self) -> &'static str {
        match self {
            Self::Get => "Get",
            Self::Put => "Put",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Check => "ConditionCheck",
        }
    }
}

impl Part {
    /// A part with the members of `body`, in which the item or key stands at `content`.
    pub(super) fn new(kind: Kind, body: &Bytes, content: &Range<usize>) -> Self {
        Self {
            kind,
            members: body.slice(..body.len() - 1),
            content: body.slice(content.clone()),
            projection: Bytes::new(),
            is_consistent: false,
            is_conditional: false,
            returns_item: false,
        }
    }

    /// A read with the members of `body` up to `end`: what follows is not for a transaction, which is consistent anyway.
    pub(super) fn read(body: &Bytes, key: &Range<usize>, end: usize) -> Self {
        Self {
            members: body.slice(..end),
            projection: body.slice(key.end..end),
            is_consistent: end + 1 < body.len(),
            ..Self::new(Kind::Get, body, key)
        }
    }
}

/// Append `"TransactItems":[…]` to a body that is still open.
pub(super) fn write_transaction(bytes: &mut Vec<u8>, parts: &[Part]) {
    bytes.reserve(parts.iter().map(|part| part.members.len() + 32).sum::<usize>() + 64);
    let items = member(bytes, "TransactItems");
    items.push(b'[');
    for part in parts {
        writer::push_separator(items);
        items.push(b'{');
        member(items, part.kind.name()).extend_from_slice(&part.members);
        items.extend_from_slice(b"}}");
    }
    items.push(b']');
}
