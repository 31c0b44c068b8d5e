//! Models → JSON objects: their fields in the model's order, which is not the stored one. Hot.

use pyo3::prelude::*;

use super::print::{HEAD_AROUND_TAG, is_canonical};
use super::{Printed, Printer, Printing, UNUSUAL, Unusual};
use crate::codec::key_form::Role;
use crate::codec::nodes::model::{self, Field, Model};
use crate::codec::options::Unknown;
use crate::wire::Tag;
use crate::wire::reader::Reader;
use crate::wire::writer;

pub(super) struct ModelPrinter {
    /// In the order of the model's own.
    pub fields: Box<[FieldPrinter]>,
    /// In which they are printed.
    pub order: Box<[usize]>,
}

pub(super) struct FieldPrinter {
    /// `"name":`, by alias.
    pub name: Box<[u8]>,
    pub value: Value,
    /// `exclude=True`: what is stored must be right all the same.
    pub is_shown: bool,
    /// `"name":"default",` where that stands for an absent value.
    pub default: Option<Box<[u8]>>,
}

pub(super) enum Value {
    Printed(Printer),
    /// It is made, and printed by Pydantic.
    Made,
}

/// Where a field lies in what is printed: `"name":"value",`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    start: usize,
    end: usize,
}

impl Place {
    /// Of a field that is not there yet: no field ends before the bracket in front of it.
    const NONE: Self = Self { start: 0, end: 0 };

    const fn is_none(self) -> bool {
        self.end == 0
    }
}

impl ModelPrinter {
    /// Append the JSON of an object of attributes.
    pub fn push(&self, model: &Model, reader: &mut Reader<'_>, printing: &mut Printing<'_, '_, '_>) -> Printed {
        let first = printing.places.len();
        printing.places.resize(first + self.fields.len(), Place::NONE);
        let start = printing.out.len();
        printing.push(b"{");
        let mut previous = self.fields.len();
        let mut more = reader.begin_object()?;
        while more {
            match model.read_place(previous, reader)? {
                model::Place::Field(index, tag) => {
                    previous = index;
                    let start = printing.out.len();
                    self.fields[index].push(&model.fields[index], tag, reader, printing)?;
                    let end = printing.out.len();
                    printing.places[first + index] = Place { start, end };
                }
                model::Place::Unknown if printing.decoding.unknown != Unknown::Skip => return Err(UNUSUAL),
                model::Place::Unknown | model::Place::Computed => reader.skip_value()?,
            }
            more = reader.next_member()?;
        }
        self.arrange(start, first, printing)?;
        printing.places.truncate(first);
        Ok(())
    }

    /// Put the fields that were read behind `start` into the model's order, with the defaults of those that were not.
    fn arrange(&self, start: usize, first: usize, printing: &mut Printing<'_, '_, '_>) -> Printed {
        let read = printing.out.len();
        printing.push(b"{");
        for &index in &self.order {
            let place = printing.places[first + index];
            if place.is_none() {
                printing.push(self.fields[index].default.as_ref().ok_or(UNUSUAL)?);
            } else {
                printing.out.extend_from_within(place.start..place.end);
            }
        }
        let arranged = printing.out.len() - read;
        printing.out.copy_within(read.., start);
        printing.out.truncate(start + arranged);
        match printing.out.last_mut() {
            Some(last) if *last == b',' => *last = b'}',
            _ => printing.push(b"}"),
        }
        Ok(())
    }
}

impl FieldPrinter {
    /// Append `"name":"value",` of a field whose name is read, and where there is a tag, the head of its value too.
    #[inline]
    fn push(
        &self,
        field: &Field,
        tag: Option<Tag>,
        reader: &mut Reader<'_>,
        printing: &mut Printing<'_, '_, '_>,
    ) -> Printed {
        let start = printing.out.len();
        writer::push_small(printing.out, &self.name);
        match (&self.value, tag) {
            (Value::Printed(printer), Some(tag)) => {
                printer.push(&field.node, tag, reader, printing)?;
                reader.end()?;
            }
            (Value::Printed(printer), None) => {
                reader.peek();
                let stored = reader.position();
                let tag = reader.tag()?;
                printer.push(&field.node, tag, reader, printing)?;
                reader.end()?;
                if field.role != Role::None && !is_canonical(&field.node, &reader.bytes()[stored..reader.position()]) {
                    return Err(UNUSUAL);
                }
            }
            (Value::Made, tag) => {
                if let Some(tag) = tag {
                    reader.seek(reader.position() - tag.name().len() - HEAD_AROUND_TAG);
                }
                let py = printing.decoding.py;
                let read = field.read(reader, &mut printing.decoding);
                let value = read.map_err(|refusal| Unusual::refused(py, &refusal))?;
                if self.is_shown {
                    let json = field.own.dump_json(&value, false);
                    let json = json.map_err(|error| Unusual::raised(py, &error))?;
                    printing.push(json.as_bytes());
                }
            }
        }
        if self.is_shown {
            printing.push(b",");
        } else {
            printing.out.truncate(start);
        }
        Ok(())
    }
}
