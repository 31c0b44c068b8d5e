//! set and frozenset → SS, NS or BS where the elements have exactly one wire type and it is S, N or B; else L.
//!
//! DynamoDB has no empty sets: one is written as an empty L, unless the field (in `model.rs`) leaves it out.

use std::collections::HashSet;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PySet, PyTuple};

use super::list::{element_schema, encode_elements, lengths};
use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Line, Outcome, Refusal, Step};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct SetNode(Box<Set>);

struct Set {
    own: Box<Own>,
    element: Node,
    /// The set's own wire type and its members', where DynamoDB has such a set.
    native: Option<(Tag, Tag)>,
    frozen: bool,
    least: usize,
    most: usize,
    fail_fast: bool,
}

impl SetNode {
    pub fn element(&self) -> &Node {
        &self.0.element
    }

    /// Whether it is stored as a set of DynamoDB's, unless it is empty.
    pub fn is_native(&self) -> bool {
        self.0.native.is_some()
    }

    /// The set that stands for an absent attribute, with its constraints.
    pub fn empty<'py>(&self, py: Python<'py>) -> Outcome<Bound<'py, PyAny>> {
        self.0.finish(PySet::empty(py)?)
    }
}

impl Set {
    fn finish<'py>(&self, set: Bound<'py, PySet>) -> Outcome<Bound<'py, PyAny>> {
        let length = set.len();
        let value = if self.frozen {
            PyFrozenSet::new(set.py(), &set)?.into_any()
        } else {
            set.into_any()
        };
        if length < self.least || length > self.most {
            return self.own.validate(&value, false);
        }
        Ok(value)
    }
}

/// DynamoDB refuses a set that holds a value twice.
#[cold]
pub fn alike() -> Box<Refusal> {
    Refusal::new("set", "found two members of the set that are stored alike")
}

impl Codec for SetNode {
    const KINDS: &'static [&'static str] = &["set", "frozenset"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let element = builder.build_part("[]", &element_schema(schema, builder)?)?;
        let native = match element.tags().only() {
            Some(Tag::S) => Some((Tag::SS, Tag::S)),
            Some(Tag::N) => Some((Tag::NS, Tag::N)),
            Some(Tag::B) => Some((Tag::BS, Tag::B)),
            _ => None,
        };
        let frozen = schema.text("type")?.as_deref() == Some("frozenset");
        let (least, most) = lengths(schema)?;
        Ok(Self(Box::new(Set {
            own: builder.own(schema),
            element,
            native,
            frozen,
            least,
            most,
            fail_fast: schema.flag("fail_fast")?.unwrap_or(false),
        }))
        .into())
    }

    fn tags(&self) -> Tags {
        let tags = Tags::of(Tag::L);
        self.0.native.map_or(tags, |(set, _)| tags.and(set))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        self.0.element.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let is_set = value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>();
        if !is_set {
            // An unvalidated default is often an empty list or tuple.
            let empty = value.cast::<PyList>().is_ok_and(|list| list.is_empty())
                || value.cast::<PyTuple>().is_ok_and(|tuple| tuple.is_empty());
            if !empty {
                return Err(Refusal::unexpected("set_type", "a set", value));
            }
        }
        let elements = value.try_iter()?;
        let Some((tag, _)) = self.0.native.filter(|_| value.len().is_ok_and(|length| length > 0)) else {
            let elements = elements.collect::<PyResult<Vec<_>>>()?;
            let encode =
                |_, element: &Bound<'_, PyAny>, state: &mut Encoding<'_>| self.0.element.encode(element, state);
            return encode_elements(elements.into_iter(), encode, state);
        };
        // Members of one type are stored differently because they are different; those of several need not be.
        let mut written = self.0.element.may_store_alike().then(HashSet::new);
        state.push(tag.opening().as_bytes());
        for (index, element) in elements.enumerate() {
            let element = element?;
            if index > 0 {
                state.push(b",");
            }
            let start = state.out.len();
            self.0
                .element
                .encode(&element, state)
                .map_err(|refusal| refusal.under(|| Step::Index(index)))?;
            // A member stands bare: `"x"` of `{"S":"x"}`.
            state.out.drain(start..start + Tag::S.opening().len() - 1);
            state.out.pop();
            if let Some(written) = &mut written
                && !written.insert(state.out[start..].to_vec())
            {
                return Err(alike().under(|| Step::Index(index)));
            }
        }
        state.push(tag.closing().as_bytes());
        Ok(())
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let member = match (tag, self.0.native) {
            (Tag::L, _) => None,
            (_, Some((native, member))) if tag == native => Some(member),
            _ => return self.0.own.convert(tag, reader, state),
        };
        state.enter()?;
        let set = PySet::empty(state.py)?;
        let text = match (member, &self.0.element) {
            (Some(Tag::S), Node::Str(node)) => Some(node),
            _ => None,
        };
        let mut refused: Vec<Line> = Vec::new();
        let mut index = 0;
        let mut more = reader.begin_array()?;
        while more {
            let position = reader.position();
            let depth = state.depth;
            let read = match (text, member) {
                (Some(node), _) => node.decode_shared(reader, state),
                (None, Some(member)) => self.0.element.decode(member, reader, state),
                (None, None) => self.0.element.decode_value(reader, state),
            };
            match read.and_then(|value| Ok(set.add(value)?)) {
                Ok(()) => {}
                Err(refusal) => {
                    let refusal = refusal.under(|| Step::Index(index));
                    if self.0.fail_fast {
                        return Err(refusal);
                    }
                    refusal.gather(&mut refused)?;
                    state.depth = depth;
                    reader.seek(position);
                    reader.skip_value()?;
                }
            }
            index += 1;
            more = reader.next_element()?;
        }
        state.leave();
        if !refused.is_empty() {
            return Err(Box::new(Refusal::Lines(refused)));
        }
        self.0.finish(set)
    }
}
