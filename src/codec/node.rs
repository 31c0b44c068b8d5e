//! What a node is, and the one list of all of them.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyDict;

use super::builder::Builder;
use super::nodes::any::AnyNode;
use super::nodes::bytes::BytesNode;
use super::nodes::choice::{EnumNode, LiteralNode};
use super::nodes::function::FunctionNode;
use super::nodes::known;
use super::nodes::layer::LayerNode;
use super::nodes::list::{ListNode, TupleNode};
use super::nodes::map::MapNode;
use super::nodes::missing::MissingNode;
use super::nodes::model::{Model, ModelNode};
use super::nodes::named_tuple::NamedTupleNode;
use super::nodes::number::{DecimalNode, FloatNode, IntNode};
use super::nodes::opaque::OpaqueNode;
use super::nodes::optional::NullableNode;
use super::nodes::reference::ReferenceNode;
use super::nodes::root_model::RootModelNode;
use super::nodes::scalar::{BoolNode, NoneNode};
use super::nodes::set::SetNode;
use super::nodes::string::StrNode;
use super::nodes::temporal::{DateNode, DateTimeNode, TimeNode, TimedeltaNode};
use super::nodes::union::UnionNode;
use super::nodes::uuid::UuidNode;
use super::state::{Decoding, Encoding, Outcome};
use super::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;

/// One family of values: how it is compiled, written and read.
pub trait Codec: Sized {
    /// The `type`s of core schemas that it is compiled from.
    const KINDS: &'static [&'static str];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node>;

    /// The wire types that it writes.
    fn tags(&self) -> Tags;

    /// Visit every Python object that it holds, for the garbage collector.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;

    /// Append the value: `{"S":"x"}`.
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()>;

    /// Read the content of a value whose head `{"X":` is read; the caller reads the closing brace.
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>>;
}

macro_rules! nodes {
    ($($variant:ident($node:ty),)*) => {
        pub enum Node {
            $($variant($node),)*
        }

        $(impl From<$node> for Node {
            fn from(node: $node) -> Self {
                Self::$variant(node)
            }
        })*

        /// Compile a schema by its `type`; a type that no node knows is refused by name.
        pub fn build<'py>(kind: &str, schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
            $(if <$node as Codec>::KINDS.contains(&kind) {
                return <$node as Codec>::build(schema, builder);
            })*
            Err(known::refuse(kind, builder))
        }

        impl Node {
            pub fn tags(&self) -> Tags {
                match self {
                    $(Self::$variant(node) => node.tags(),)*
                }
            }

            pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
                match self {
                    $(Self::$variant(node) => node.traverse(visit),)*
                }
            }

            #[inline]
            pub fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
                match self {
                    $(Self::$variant(node) => node.encode(value, state),)*
                }
            }

            #[inline]
            pub fn decode<'py>(
                &self,
                tag: Tag,
                reader: &mut Reader<'_>,
                state: &mut Decoding<'_, 'py>,
            ) -> Outcome<Bound<'py, PyAny>> {
                match self {
                    $(Self::$variant(node) => node.decode(tag, reader, state),)*
                }
            }
        }
    };
}

nodes! {
    None(NoneNode),
    Bool(BoolNode),
    Int(IntNode),
    Float(FloatNode),
    Decimal(DecimalNode),
    Str(StrNode),
    Bytes(BytesNode),
    Date(DateNode),
    DateTime(DateTimeNode),
    Time(TimeNode),
    Timedelta(TimedeltaNode),
    Uuid(UuidNode),
    Literal(LiteralNode),
    Enum(EnumNode),
    List(ListNode),
    Tuple(TupleNode),
    NamedTuple(NamedTupleNode),
    Set(SetNode),
    Map(MapNode),
    Model(ModelNode),
    RootModel(RootModelNode),
    Nullable(NullableNode),
    Reference(ReferenceNode),
    Any(AnyNode),
    Union(UnionNode),
    Opaque(OpaqueNode),
    Layer(LayerNode),
    Missing(MissingNode),
    Function(FunctionNode),
}

impl Node {
    /// Whether the value is one that the field could hold, told without asking Pydantic.
    pub fn holds(&self, value: &Bound<'_, PyAny>) -> bool {
        match self {
            Self::Str(node) => node.holds(value),
            Self::Int(node) => node.holds(value),
            Self::Uuid(node) => node.holds(value),
            Self::Any(_) => true,
            _ => false,
        }
    }

    /// The node behind the layers that change nothing of what is stored and read.
    pub fn unlayered(&self) -> &Self {
        match self {
            Self::Layer(node) if node.is_transparent() => node.inner().unlayered(),
            node => node,
        }
    }

    /// What the node stands around, where it is stored as that is.
    fn wrapped(&self) -> Option<&Self> {
        match self {
            Self::Nullable(node) => Some(node.inner()),
            Self::RootModel(node) => Some(node.root()),
            Self::Layer(node) => Some(node.inner()),
            Self::Missing(node) => node.inner(),
            Self::Function(node) => node.inner(),
            _ => None,
        }
    }

    /// Whether a refusal may show nothing of the value.
    pub fn hides(&self) -> bool {
        matches!(self, Self::Layer(node) if node.hides()) || self.wrapped().is_some_and(Self::hides)
    }

    /// Whether the value lies in a secret.
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Layer(node) if node.is_secret() => true,
            Self::Union(node) => node.members().any(Self::is_secret),
            node => node.wrapped().is_some_and(Self::is_secret),
        }
    }

    /// Whether the value may be Pydantic's `MISSING`.
    pub fn may_be_missing(&self) -> bool {
        match self {
            Self::Missing(_) => true,
            Self::Union(node) => node.members().any(Self::may_be_missing),
            node => node.wrapped().is_some_and(Self::may_be_missing),
        }
    }

    /// Whether two values that differ may be stored alike.
    pub fn may_store_alike(&self) -> bool {
        match self {
            Self::Opaque(_) | Self::Union(_) => true,
            node => node.wrapped().is_some_and(Self::may_store_alike),
        }
    }

    pub fn is_union(&self) -> bool {
        matches!(self, Self::Union(_)) || self.wrapped().is_some_and(Self::is_union)
    }

    /// The type itself, behind `| None` and functions that leave the stored form alone.
    pub fn innermost(&self) -> &Self {
        match self {
            Self::Nullable(node) => node.inner().innermost(),
            Self::RootModel(node) => node.root().innermost(),
            Self::Layer(node) if node.is_transparent() => node.inner().innermost(),
            Self::Function(node) => node.inner().map_or(self, Self::innermost),
            node => node,
        }
    }

    /// The model that the value is of, behind functions of any kind.
    pub fn model(&self) -> Option<&Model> {
        match self {
            Self::Model(node) => Some(node.model()),
            Self::Function(node) => node.model(),
            _ => None,
        }
    }

    /// Append the value as an item's attributes: `{"name":{"S":"x"}}`.
    #[inline]
    pub fn encode_attributes(&self, item: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        match self {
            Self::Model(node) => node.model().encode_fields(item, state),
            Self::Function(node) => node.encode_attributes(item, state),
            _ => unreachable!("a plan's root is a model, alone or behind functions"),
        }
    }

    /// Read an item's attributes.
    #[inline]
    pub fn decode_attributes<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match self {
            Self::Model(node) => node.model().decode_fields(reader, state),
            node => node.decode(Tag::M, reader, state),
        }
    }

    /// Whether a serializer's result is stored in place of the value.
    pub fn is_serialized(&self) -> bool {
        matches!(self, Self::Function(node) if node.inner().is_none())
    }

    /// Whether it is written by a method of the instance that holds it.
    pub fn needs_instance(&self) -> bool {
        matches!(self, Self::Function(node) if node.needs_instance())
            || self.wrapped().is_some_and(Self::needs_instance)
    }

    /// Whether stored values sort as the values themselves do, those of one wire type among each other.
    pub fn sorts(&self) -> bool {
        match self {
            Self::DateTime(node) => node.sorts(),
            Self::Union(node) => node.members().all(Self::sorts),
            node => node.wrapped().is_none_or(Self::sorts),
        }
    }

    /// Why values have an order that their stored texts have not: they may be keys, but are not compared by order.
    pub fn disorder(&self) -> Option<&'static str> {
        match self {
            Self::Opaque(node) => node.disorder(),
            Self::Union(node) => node.members().find_map(Self::disorder),
            node => node.wrapped().and_then(Self::disorder),
        }
    }

    /// Whether what was read is certain to be written the same way again, so that it need not be written to be compared.
    pub fn writes_again(&self, stored: &[u8]) -> bool {
        match self {
            Self::Nullable(node) => node.inner().writes_again(stored),
            Self::RootModel(node) => node.root().writes_again(stored),
            Self::Str(node) => stored.starts_with(b"{\"S\":") && node.keeps_text(),
            // The service writes numbers in its own form, whatever it was sent.
            Self::Int(_) | Self::Float(_) | Self::Decimal(_) | Self::Timedelta(_) => stored.starts_with(b"{\"N\":"),
            Self::Uuid(node) => node.writes_again(stored),
            _ => false,
        }
    }

    /// Read a value with its head and its end.
    #[inline]
    pub fn decode_value<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let tag = reader.tag()?;
        let value = self.decode(tag, reader, state)?;
        reader.end()?;
        Ok(value)
    }
}

// Nodes lie side by side in every plan: what a family needs beyond half a cache line goes behind a box.
const _: () = assert!(size_of::<Node>() <= 32);
