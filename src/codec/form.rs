//! How a type's values are stored, as far as two fields must agree to be compared, copied or computed with.

use std::borrow::Cow;

use super::marks::Epoch;
use super::node::Node;
use crate::wire::Tag;

/// What a stored number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// An int.
    Whole,
    /// A float or Decimal.
    Number,
    /// Seconds.
    Duration,
    /// Since 1970.
    Instant(Epoch),
}

impl Quantity {
    /// What the type's numbers count; None where they are no numbers, or only some of them may be stored.
    pub fn of(node: &Node) -> Option<Self> {
        match node.innermost() {
            Node::Int(_) => Some(Self::Whole),
            Node::Float(_) | Node::Decimal(_) => Some(Self::Number),
            Node::Timedelta(_) => Some(Self::Duration),
            Node::DateTime(node) => node.epoch().map(Self::Instant),
            Node::Union(union) => {
                let mut members = union.members().filter(|member| !matches!(member, Node::None(_)));
                let first = Self::of(members.next()?)?;
                members.try_fold(first, |all, member| match (all, Self::of(member)?) {
                    (all, other) if all == other => Some(all),
                    (Self::Whole | Self::Number, Self::Whole | Self::Number) => Some(Self::Number),
                    _ => None,
                })
            }
            _ => None,
        }
    }

    /// What it is called in errors.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Whole => "whole numbers",
            Self::Number => "numbers",
            Self::Duration => "durations",
            Self::Instant(epoch) => epoch_form(epoch),
        }
    }
}

/// The form of values that differ in it although they are of one wire type, in words; None for those that are compared as
/// DynamoDB has them: text, numbers, bytes, maps.
pub fn form(node: &Node) -> Option<Cow<'static, str>> {
    let part = |element: &Node, noun: &str| form(element).map(|form| Cow::Owned(format!("{noun} of {form}")));
    match node.innermost() {
        Node::Date(_) => Some("dates".into()),
        Node::Time(_) => Some("times".into()),
        Node::Timedelta(_) => Some("durations".into()),
        Node::DateTime(node) => Some(node.epoch().map_or_else(|| node.text_form(), epoch_form).into()),
        Node::Uuid(node) => Some(node.text_form().into()),
        Node::List(node) => part(node.element(), "lists"),
        Node::Set(node) => part(node.element(), "sets"),
        Node::Map(node) => part(node.value(), "maps"),
        Node::Union(union) => {
            let forms: Vec<_> = union.members().filter_map(form).collect();
            (!forms.is_empty()).then(|| Cow::Owned(forms.join(" or ")))
        }
        _ => None,
    }
}

const fn epoch_form(epoch: Epoch) -> &'static str {
    match epoch {
        Epoch::Seconds | Epoch::Ttl => "seconds since 1970",
        Epoch::Milliseconds => "milliseconds since 1970",
    }
}

/// Whether values of the type have a size: text, bytes, collections.
pub fn has_size(node: &Node) -> bool {
    let tags = node.tags();
    let sized = [Tag::S, Tag::B, Tag::SS, Tag::NS, Tag::BS, Tag::L, Tag::M];
    sized.into_iter().any(|tag| tags.has(tag))
}
