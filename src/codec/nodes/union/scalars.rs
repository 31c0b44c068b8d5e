//! Members that are all stored as text, or all as numbers: told apart as Pydantic's JSON mode would, mostly without
//! asking it.

use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTime};

use super::{Member, Union};
use crate::codec::builder::Builder;
use crate::codec::infer;
use crate::codec::node::Node;
use crate::codec::own::Own;
use crate::codec::state::{Decoding, Outcome, Refusal};
use crate::wire::reader::Reader;
use crate::wire::temporal::{Date, DateTime};
use crate::wire::{Tag, number, uuid};

/// The members that read S, where their texts can be told apart without asking Pydantic.
pub(super) struct Texts {
    /// The schema of just these members.
    pub own: Option<Box<Own>>,
    pub known: Option<KnownTexts>,
}

/// Places among the members; the first that takes a text is the one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KnownTexts {
    str: Option<usize>,
    uuid: Option<usize>,
    date: Option<usize>,
    datetime: Option<usize>,
    time: Option<usize>,
    /// Enums and literals: beside a str they are never preferred.
    choices: bool,
}

/// The members that read N.
pub(super) struct Numbers {
    pub own: Option<Box<Own>>,
    int: Option<usize>,
    float: Option<usize>,
    decimal: Option<usize>,
    /// Only those, without constraints, in smart mode.
    plain: bool,
}

impl KnownTexts {
    /// Nothing where two members are of one kind, or one is of another kind.
    pub fn of(members: &[Member]) -> Option<Self> {
        let mut known = Self::default();
        for (index, member) in members.iter().enumerate() {
            if !member.node.tags().has(Tag::S) {
                continue;
            }
            let place = match &member.node {
                Node::Str(_) => &mut known.str,
                Node::Uuid(_) => &mut known.uuid,
                Node::Date(_) => &mut known.date,
                Node::DateTime(_) => &mut known.datetime,
                Node::Time(_) => &mut known.time,
                Node::Enum(_) | Node::Literal(_) => {
                    known.choices = true;
                    continue;
                }
                _ => return None,
            };
            if place.replace(index).is_some() {
                return None;
            }
        }
        Some(known)
    }

    /// The member whose text it is, as Pydantic has it: a UUID before all, else the first that takes it without doubt.
    fn member_of(&self, text: &[u8]) -> Option<usize> {
        const UUID_LENGTHS: [usize; 4] = [32, 36, 38, 45];
        if self.uuid.is_some() && UUID_LENGTHS.contains(&text.len()) {
            return self
                .uuid
                .filter(|_| !self.choices && text.len() == 36 && uuid::decode(text).is_some());
        }
        // Neither a date nor a time, nor a number or the name of one, which may stand for an instant.
        let is_word = text
            .first()
            .is_some_and(|first| first.is_ascii_alphabetic() && !b"iInN".contains(first));
        if is_word || (self.date, self.datetime, self.time) == (None, None, None) {
            return self.str;
        }
        if self.choices {
            return None;
        }
        let first = |one: Option<usize>| one.map(|one| self.str.map_or(one, |other| other.min(one)));
        if text.len() == 10 && Date::parse(text).is_some() {
            first(self.date)
        } else if matches!(text.len(), 26 | 27) && text[10] == b'T' && DateTime::parse(text).is_some() {
            first(self.datetime)
        } else {
            None
        }
    }
}

impl Numbers {
    pub fn of(members: &[Member], smart: bool, own: Option<Box<Own>>) -> Self {
        let mut numbers = Self {
            own,
            int: None,
            float: None,
            decimal: None,
            plain: smart,
        };
        for (index, member) in members.iter().enumerate() {
            if !member.node.tags().has(Tag::N) {
                continue;
            }
            let (place, plain) = match &member.node {
                Node::Int(node) => (&mut numbers.int, node.is_plain()),
                Node::Float(node) => (&mut numbers.float, node.is_plain()),
                Node::Decimal(node) => (&mut numbers.decimal, node.is_plain()),
                _ => {
                    numbers.plain = false;
                    continue;
                }
            };
            numbers.plain &= plain && place.replace(index).is_none();
        }
        numbers
    }
}

impl Union {
    /// Text that none of these members takes is left to all of them, as Pydantic would have it.
    pub(super) fn decode_text<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let start = reader.position();
        let text = reader.text()?;
        let end = reader.position();
        if let Some(member) = self.texts.known.and_then(|known| known.member_of(text.as_bytes())) {
            reader.seek(start);
            if let Ok(value) = self.members[member].node.decode(Tag::S, reader, state) {
                return Ok(value);
            }
        }
        let own = self.texts.own.as_ref().unwrap_or(&self.own);
        let value = match own.validate_json(state.py, &reader.bytes()[start..end]) {
            Ok(value) => value,
            Err(refusal) => {
                refusal.may_try_another()?;
                reader.seek(start);
                return self.own.convert(Tag::S, reader, state);
            }
        };
        // Pydantic's own timezone object is another than the one that such members read.
        if value.is_instance_of::<PyDateTime>() || value.is_instance_of::<PyTime>() {
            let class = value.get_type();
            for member in &self.members {
                if !member.classes.iter().any(|known| known.is(&class)) {
                    continue;
                }
                reader.seek(start);
                if let Ok(again) = member.node.decode(Tag::S, reader, state)
                    && again.eq(&value)?
                {
                    return Ok(again);
                }
            }
        }
        reader.seek(end);
        Ok(value)
    }

    pub(super) fn decode_number<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let start = reader.position();
        let text = reader.text()?;
        let end = reader.position();
        let Numbers {
            own,
            int,
            float,
            decimal,
            plain,
        } = &self.numbers;
        let mut canonical = Vec::with_capacity(text.len());
        number::push_canonical(&mut canonical, &text).map_err(Refusal::number)?;
        let integral = !canonical.contains(&b'.');
        // JSON's numbers are floats to Pydantic: what no float is stays a Decimal.
        let exact = decimal.is_none() || (integral && int.is_some()) || infer::exact_float(&text).is_some();
        let member = if !exact {
            *decimal
        } else if !*plain {
            None
        } else if integral && int.is_some() {
            *int
        } else if integral && float.is_some() && decimal.is_some() {
            (*float).min(*decimal)
        } else {
            float.or(*decimal)
        };
        if let Some(member) = member {
            reader.seek(start);
            let read = self.members[member].node.decode(Tag::N, reader, state);
            if read.is_ok() || *plain {
                return read;
            }
            reader.seek(end);
        }
        let own = own.as_ref().unwrap_or(&self.own);
        own.validate_json(state.py, &canonical).or_else(|refusal| {
            refusal.may_try_another()?;
            reader.seek(start);
            self.own.convert(Tag::N, reader, state)
        })
    }
}

/// A duration and a count are both numbers, and nothing tells them apart.
pub(super) fn check_numbers(members: &[Member], builder: &Builder<'_, '_>) -> PyResult<()> {
    fn is_time(node: &Node) -> bool {
        match node {
            Node::Timedelta(_) => true,
            Node::DateTime(_) => node.tags().has(Tag::N),
            Node::Nullable(node) => is_time(node.inner()),
            Node::Union(node) => node.members().any(is_time),
            _ => false,
        }
    }
    let numbers = members.iter().filter(|member| member.node.tags().has(Tag::N));
    if numbers.count() > 1 && members.iter().any(|member| is_time(&member.node)) {
        return Err(builder.unsupported(
            "a union of numbers and times, both of which are stored as numbers and could not be told apart,",
        ));
    }
    Ok(())
}
