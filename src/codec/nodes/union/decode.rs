//! Reading: the member of the wire type, or the one of several that Pydantic prefers.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::discriminator::Discriminator;
use super::{Readers, Union};
use crate::codec::node::Node;
use crate::codec::state::{Decoding, Outcome, Refusal, Step};
use crate::codec::{infer, python};
use crate::wire::Tag;
use crate::wire::reader::Reader;

impl Union {
    #[inline]
    pub(super) fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if self.has_own_error && self.discriminator.is_none() {
            return self.decode_or_own_error(tag, reader, state);
        }
        self.decode_member(tag, reader, state)
    }

    #[inline]
    fn decode_member<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match self.readers[tag as usize] {
            Readers::One(index) => {
                let node = &self.members[index].node;
                let start = reader.position();
                let depth = state.depth;
                match node.decode(tag, reader, state) {
                    Err(refusal) if may_be_another(node) => {
                        refusal.may_try_another()?;
                        reader.seek(start);
                        state.depth = depth;
                        self.own.convert(tag, reader, state)
                    }
                    read => read,
                }
            }
            Readers::Several => self.decode_shared(tag, reader, state),
            Readers::Function => self.decode_discriminated(tag, reader, state),
            Readers::None => self.own.convert(tag, reader, state),
        }
    }

    /// What the members refuse is refused with the error that the schema has for all of them.
    #[cold]
    fn decode_or_own_error<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let start = reader.position();
        let (depth, elements) = (state.depth, state.elements.len());
        self.decode_member(tag, reader, state).or_else(|refusal| {
            refusal.may_try_another()?;
            reader.seek(start);
            state.depth = depth;
            state.elements.truncate(elements);
            self.own_error(tag, reader, state)
        })
    }

    #[cold]
    fn own_error<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let value = infer::decode(tag, reader, state)?;
        self.own.validate(&value, false)
    }

    #[inline(never)]
    fn decode_shared<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match (&self.discriminator, tag) {
            (Some(_), Tag::M) => self.decode_discriminated(tag, reader, state),
            (None, Tag::S) => self.decode_text(reader, state),
            (None, Tag::N) => self.decode_number(reader, state),
            _ => self.decode_by_trying(tag, reader, state),
        }
    }

    fn decode_discriminated<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let start = reader.position();
        let member = match &self.discriminator {
            Some(Discriminator::Field(field)) => field.member(reader, state, &self.members),
            Some(Discriminator::Function(function)) => function.member(tag, reader, state, &self.members),
            None => return self.decode_by_trying(tag, reader, state),
        };
        reader.seek(start);
        match member {
            Ok(member) => self.members[member].node.decode(tag, reader, state),
            Err(refusal) if self.has_own_error => {
                refusal.may_try_another()?;
                self.own_error(tag, reader, state)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Lists, maps and the like: the only member that takes it, or the one of several that Pydantic prefers.
    fn decode_by_trying<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let start = reader.position();
        let depth = state.depth;
        let mut end = start;
        let mut taken: Vec<Bound<'py, PyAny>> = Vec::new();
        let mut refused = Vec::new();
        for member in self.members.iter().filter(|member| member.node.tags().has(tag)) {
            let elements = state.elements.len();
            reader.seek(start);
            match member.node.decode(tag, reader, state) {
                Ok(value) => {
                    taken.push(value);
                    end = reader.position();
                }
                Err(refusal) => {
                    let step = || Step::text(state.py, &member.name);
                    refusal.under(step).gather(&mut refused)?;
                }
            }
            state.depth = depth;
            state.elements.truncate(elements);
            state.read_again(reader.position() - start)?;
        }
        let mut taken = taken.into_iter();
        let Some(first) = taken.next() else {
            return Err(Box::new(Refusal::Lines(refused)));
        };
        let rest: Vec<_> = taken.collect();
        if rest.is_empty() {
            reader.seek(end);
            return Ok(first);
        }
        state.read_again(end - start)?;
        reader.seek(start);
        let untyped = infer::decode(tag, reader, state)?;
        Ok(self.preferred(&untyped, first, rest))
    }

    /// Which of the values Pydantic would make of the same attributes as JSON. Where it would make none of them, because
    /// fields are stored under names that it does not know, or because a validator around the union is to have dicts, the
    /// one of the most fields: what the others skip would be lost.
    fn preferred<'py>(
        &self,
        untyped: &Bound<'py, PyAny>,
        first: Bound<'py, PyAny>,
        rest: Vec<Bound<'py, PyAny>>,
    ) -> Bound<'py, PyAny> {
        let py = untyped.py();
        let json = python::to_json(py).and_then(|to_json| to_json.call1((untyped,)));
        let json = json.and_then(|json| Ok(json.cast_into::<PyBytes>()?));
        let preferred = json
            .ok()
            .and_then(|json| self.own.validate_json_by_name(py, json.as_bytes()).ok());
        if let Some(preferred) = preferred {
            let class = preferred.get_type();
            let mut alike = std::iter::once(&first)
                .chain(&rest)
                .filter(|value| value.get_type().is(&class));
            let equal = alike.clone().find(|value| value.eq(&preferred).unwrap_or(false));
            if let Some(value) = equal.or_else(|| alike.next()) {
                return value.clone();
            }
        }
        let mut fullest = first;
        for value in rest {
            if fields_in(&value) > fields_in(&fullest) {
                fullest = value;
            }
        }
        fullest
    }
}

/// How many fields were set.
fn fields_in(value: &Bound<'_, PyAny>) -> usize {
    let set = value.getattr_opt(pyo3::intern!(value.py(), "__pydantic_fields_set__"));
    match set {
        Ok(Some(set)) => set.len().unwrap_or(0),
        _ => value.cast::<PyDict>().map_or(0, |dict| dict.len()),
    }
}

/// Whether Pydantic may make another member of what this one refused: of plain scalars, whose stored form is the value's
/// own. (A number of seconds is not: Pydantic may take it for milliseconds.)
fn may_be_another(node: &Node) -> bool {
    matches!(
        node,
        Node::Str(_)
            | Node::Int(_)
            | Node::Float(_)
            | Node::Decimal(_)
            | Node::Bool(_)
            | Node::Bytes(_)
            | Node::Uuid(_)
            | Node::Literal(_)
            | Node::Enum(_)
    )
}
