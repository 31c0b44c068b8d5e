//! Attributes → an instance's fields. Hot.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::field::Absent;
use super::fields_set::Seen;
use super::in_turn::data;
use super::values::Made;
use super::{Model, kept};
use crate::codec::node::Node;
use crate::codec::options::Unknown;
use crate::codec::python;
use crate::codec::state::{Decoding, Line, Outcome, Refusal, Step};
use crate::wire::reader::{Reader, Text};

/// What was read that is no field.
#[derive(Default)]
pub(super) struct Others<'py> {
    pub(super) extras: Option<Bound<'py, PyDict>>,
    pub(super) kept: Vec<u8>,
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
        let mut values = self.template.copy(py)?;
        let mut seen = Seen::default();
        let mut refused: Vec<Line> = Vec::new();
        let mut others = Others::default();
        let mut previous = self.fields.len();
        let mut more = reader.begin_object()?;
        while more {
            let start = reader.position();
            let depth = state.depth;
            let predicted = usize::from(self.successors[previous].load(Ordering::Relaxed));
            let likely = self.fields.get(predicted);
            let (index, position, value) = match likely.and_then(|field| field.read_expected(reader, state)) {
                Some(value) => (predicted, start + self.fields[predicted].head.len() - 1, value),
                None => {
                    let Some(index) = self.read_name(previous, reader, state, &mut others, &mut refused)? else {
                        more = reader.next_member()?;
                        continue;
                    };
                    let position = reader.position();
                    (index, position, self.fields[index].read(reader, state))
                }
            };
            previous = index;
            let field = &self.fields[index];
            seen.insert(index);
            match value {
                Ok(value) => values.set(index, value)?,
                Err(refusal) => {
                    refusal.under(|| Step::name(field.name.bind(py))).gather(&mut refused)?;
                    state.depth = depth;
                    reader.seek(position);
                    reader.skip_value()?;
                }
            }
            more = reader.next_member()?;
        }
        let dict = values.finish();
        if !seen.has_all(self.awaited) || self.is_finished_in_turn || self.fields.len() > 128 {
            self.complete(&dict, &mut seen, &mut refused)?;
        }
        if !refused.is_empty() {
            return Err(Box::new(Refusal::Lines(refused)));
        }
        self.build_instance(dict, &seen, others)
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
        let predicted = usize::from(self.successors[previous].load(Ordering::Relaxed));
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
