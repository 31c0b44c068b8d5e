//! Attributes → an instance's fields. Hot.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::field::Absent;
use super::fields_set::{LOW, Seen};
use super::in_turn::data;
use super::values::Made;
use super::{Model, kept};
use crate::codec::node::Node;
use crate::codec::options::Unknown;
use crate::codec::python;
use crate::codec::state::{Decoding, Line, Outcome, Refusal, Step};
use crate::codec::template::Filling;
use crate::wire::Tag;
use crate::wire::reader::{self, Reader, Text};

/// `{"` and `":` around a value's wire type.
const HEAD_AROUND_TAG: usize = 4;

/// What was read so far.
struct Taken<'a, 'py> {
    values: Filling<'a, 'py>,
    seen: Seen,
    refused: Vec<Line>,
}

/// What was read that is no field.
#[derive(Default)]
pub(super) struct Others<'py> {
    pub(super) extras: Option<Bound<'py, PyDict>>,
    pub(super) kept: Vec<u8>,
}

/// What an attribute is by its name.
pub enum Place {
    Field(usize, Option<Tag>),
    /// A computed field, which is not read.
    Computed,
    Unknown,
}

impl Model {
    /// Read an object of attributes: `{"name":{"S":"x"}}`.
    pub fn decode_fields<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if self.made != Made::Here {
            return self.decode_values(reader, state);
        }
        let py = state.py;
        let mut taken = Taken {
            values: self.template.copy(py)?,
            seen: Seen::default(),
            refused: Vec::new(),
        };
        let mut others = Others::default();
        let mut previous = self.fields.len();
        let mut more = reader.begin_object()?;
        while more {
            let predicted = self.successor(previous);
            let head = self.fields.get(predicted).and_then(|field| field.read_head(reader));
            if let Some(tag) = head {
                previous = self.read_run(predicted, tag, reader, state, &mut taken)?;
            } else if let Some(index) = self.read_name(previous, reader, state, &mut others, &mut taken.refused)? {
                previous = index;
                taken.seen.insert(index);
                let from = (reader.position(), state.depth);
                match self.fields[index].read(reader, state) {
                    Ok(value) => taken.values.set(index, value)?,
                    Err(refusal) => self.pass_over(index, refusal, from, reader, state, &mut taken)?,
                }
            }
            more = reader.next_member()?;
        }
        let Taken {
            values,
            mut seen,
            mut refused,
        } = taken;
        let dict = values.finish();
        if !seen.has_all(self.awaited) || self.is_finished_in_turn || self.fields.len() > LOW {
            self.complete(&dict, &mut seen, &mut refused)?;
        }
        if !refused.is_empty() {
            return Err(Box::new(Refusal::Lines(refused)));
        }
        self.build_instance(dict, &seen, others)
    }

    /// Read the next attribute's name, and of which wire type its value is where that is written as it mostly is; the
    /// value's head is read then. `previous` is the field before it, or behind the last one the item's beginning.
    #[inline]
    pub fn read_place(&self, previous: usize, reader: &mut Reader<'_>) -> reader::Result<Place> {
        let predicted = self.successor(previous);
        if let Some(field) = self.fields.get(predicted) {
            if let Some(tag) = field.read_head(reader) {
                return Ok(Place::Field(predicted, Some(tag)));
            }
            if reader.try_key(&field.head[1..]) {
                return Ok(Place::Field(predicted, None));
            }
        }
        let name = reader.key()?;
        match self.by_attribute.get(&*name) {
            Some(&index) if usize::from(index) < self.fields.len() => {
                self.successors[previous].store(index, Ordering::Relaxed);
                Ok(Place::Field(usize::from(index), None))
            }
            Some(_) => Ok(Place::Computed),
            None => Ok(Place::Unknown),
        }
    }

    /// Which field is likely to be next.
    #[inline]
    fn successor(&self, field: usize) -> usize {
        usize::from(self.successors[field].load(Ordering::Relaxed))
    }

    /// Read the value of a field whose head is read, and the fields behind it, as long as each is the one that is likely:
    /// the end of one value is compared together with the head of the next. The last one that was read.
    #[inline]
    fn read_run<'py>(
        &self,
        mut index: usize,
        mut tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
        taken: &mut Taken<'_, 'py>,
    ) -> Outcome<usize> {
        loop {
            let (content, depth) = (reader.position(), state.depth);
            taken.seen.insert(index);
            let ended = match self.fields[index].node.decode(tag, reader, state) {
                Ok(value) => {
                    taken.values.set(index, value)?;
                    let next = self.successor(index);
                    let head = self.fields.get(next).and_then(|field| field.read_head_behind(reader));
                    if let Some(next_tag) = head {
                        (index, tag) = (next, next_tag);
                        continue;
                    }
                    reader.end().map_err(Box::from)
                }
                Err(refusal) => Err(refusal),
            };
            if let Err(refusal) = ended {
                let position = content - tag.name().len() - HEAD_AROUND_TAG;
                self.pass_over(index, refusal, (position, depth), reader, state, taken)?;
            }
            return Ok(index);
        }
    }

    /// Note why a field's value was refused, and go on behind it. It begins at `from`, where so many lists and maps were
    /// open.
    #[cold]
    fn pass_over<'py>(
        &self,
        index: usize,
        refusal: Box<Refusal>,
        from: (usize, usize),
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
        taken: &mut Taken<'_, 'py>,
    ) -> Outcome<()> {
        let name = self.fields[index].name.bind(state.py);
        refusal.under(|| Step::name(name)).gather(&mut taken.refused)?;
        let (position, depth) = from;
        state.depth = depth;
        reader.seek(position);
        Ok(reader.skip_value()?)
    }

    /// Read an attribute's name: the predicted one is compared, another looked up. One that is no field is read with its
    /// value.
    #[inline]
    pub(super) fn read_name<'py>(
        &self,
        previous: usize,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
        others: &mut Others<'py>,
        refused: &mut Vec<Line>,
    ) -> Outcome<Option<usize>> {
        let predicted = self.successor(previous);
        if let Some(field) = self.fields.get(predicted)
            && reader.try_key(&field.head[1..])
        {
            return Ok(Some(predicted));
        }
        let name = reader.key()?;
        if let Some(&index) = self.by_attribute.get(&*name) {
            if usize::from(index) >= self.fields.len() {
                reader.skip_value()?;
                return Ok(None);
            }
            self.successors[previous].store(index, Ordering::Relaxed);
            return Ok(Some(usize::from(index)));
        }
        self.read_other(&name, reader, state, others, refused)?;
        Ok(None)
    }

    /// Read the value of an attribute that is no field.
    #[cold]
    fn read_other<'py>(
        &self,
        name: &Text<'_>,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
        others: &mut Others<'py>,
        refused: &mut Vec<Line>,
    ) -> Outcome<()> {
        if let Some(extras) = &self.extras {
            let taken = others.extras.get_or_insert_with(|| PyDict::new(state.py));
            return extras.read(name, reader, state, taken, refused);
        }
        match state.unknown {
            Unknown::Skip => {}
            Unknown::Keep => return kept::take(name, reader, state, &mut others.kept, refused),
            Unknown::Error => {
                let message = "found an attribute that is no field (unknown=\"error\")";
                Refusal::new("extra_forbidden", message)
                    .under(|| Step::text(state.py, name))
                    .gather(refused)?;
            }
        }
        Ok(reader.skip_value()?)
    }

    /// What stands for the absent, and what is made of several fields.
    #[cold]
    fn complete(&self, dict: &Bound<'_, PyDict>, seen: &mut Seen, refused: &mut Vec<Line>) -> Outcome<()> {
        let py = dict.py();
        for (index, field) in self.fields.iter().enumerate() {
            let is_there = seen.has(index);
            if let Some(in_turn) = &field.in_turn
                && (if is_there {
                    in_turn.of_present
                } else {
                    in_turn.of_absent
                })
            {
                // What needs the other fields is not called when those are refused.
                if refused.is_empty()
                    && let Err(refusal) = in_turn.finish(field, &self.fields[..index], is_there, dict)
                {
                    refusal.gather(refused)?;
                }
                continue;
            }
            if is_there {
                continue;
            }
            let name = field.name.bind(py);
            let value = match &field.absent {
                Absent::Missing => Err(Refusal::missing()),
                Absent::Nothing => {
                    if !self.is_typed_dict() {
                        dict.del_item(name)?;
                    }
                    continue;
                }
                Absent::Plain => match &field.default_check {
                    None if !self.is_typed_dict() => continue,
                    _ => Ok(field.default(py).expect("a plain default").clone()),
                },
                Absent::Copied(default) => Ok(python::deepcopy(py)?.call1((default,))?),
                // As Pydantic has it.
                Absent::FactoryOfData(_) if !refused.is_empty() => continue,
                Absent::FactoryOfData(factory) => Ok(factory.bind(py).call1((data(&self.fields[..index], dict)?,))?),
                Absent::Factory(factory) => Ok(factory.bind(py).call0()?),
                Absent::EmptySet => {
                    seen.insert(index);
                    match field.node.unlayered() {
                        Node::Set(node) => node.empty(py),
                        _ => Err(Refusal::missing()),
                    }
                }
            };
            let checked = value.and_then(|value| match &field.default_check {
                Some(own) => own.validate(&value, false),
                None => Ok(value),
            });
            match checked {
                Ok(value) => dict.set_item(name, value)?,
                Err(refusal) => refusal.under(|| Step::name(name)).gather(refused)?,
            }
        }
        Ok(())
    }
}
