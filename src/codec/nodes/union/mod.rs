//! Unions: the wire type decides the member; members that share one are told apart as Pydantic's JSON mode would, or by
//! the discriminator.
//!
//! | file | what it holds |
//! |---|---|
//! | `build` | what is compiled of the members, and of their types |
//! | `discriminator`, `by_field`, `by_function` | what tells the member of a tagged union, and how it is asked |
//! | `scalars` | members that are all text, or all numbers |
//! | `encode`, `decode` | the rest of writing and reading |

mod build;
mod by_field;
mod by_function;
mod decode;
mod discriminator;
mod encode;
mod scalars;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyType};

pub use self::build::collect_classes;
use self::discriminator::Discriminator;
pub use self::discriminator::collect_discriminating;
use self::scalars::{Numbers, Texts};
use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct UnionNode(Box<Union>);

struct Union {
    own: Box<Own>,
    members: Box<[Member]>,
    /// Who reads a value of each wire type, by the type's number.
    readers: [Readers; Tag::ALL.len()],
    texts: Texts,
    numbers: Numbers,
    discriminator: Option<Discriminator>,
    /// Pydantic refuses with an error that the schema has for all members.
    has_own_error: bool,
}

struct Member {
    /// In messages.
    name: Box<str>,
    node: Node,
    /// The types whose values are most likely its own.
    classes: Box<[Py<PyType>]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    None,
    One(usize),
    Several,
    /// Only the discriminating function knows.
    Function,
}

impl UnionNode {
    pub fn members(&self) -> impl Iterator<Item = &Node> {
        self.0.members.iter().map(|member| &member.node)
    }

    /// Compile `JsonValue`, whose members the wire types tell; `schema` is Pydantic's for it.
    pub fn build_json<'py>(
        union: &Bound<'py, PyDict>,
        schema: &Bound<'py, PyDict>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Node> {
        Ok(Self(Box::new(Union::build_json(union, schema, builder)?)).into())
    }
}

impl Codec for UnionNode {
    const KINDS: &'static [&'static str] = &["union", "tagged-union"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let union = if schema.text("type")?.as_deref() == Some("union") {
            Union::build(schema, builder)?
        } else {
            Union::build_tagged(schema, builder)?
        };
        Ok(Self(Box::new(union)).into())
    }

    fn tags(&self) -> Tags {
        self.members().fold(Tags::NONE, |tags, node| tags.with(node.tags()))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let union = &*self.0;
        union.own.traverse(visit)?;
        for own in [&union.texts.own, &union.numbers.own].into_iter().flatten() {
            own.traverse(visit)?;
        }
        if let Some(discriminator) = &union.discriminator {
            discriminator.traverse(visit)?;
        }
        union.members.iter().try_for_each(|member| {
            member.classes.iter().try_for_each(|class| visit.call(class))?;
            member.node.traverse(visit)
        })
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        self.0.encode(value, state)
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        self.0.decode(tag, reader, state)
    }
}
