//! An instance's fields → attributes. Hot.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet};

use super::field::Absent;
use super::instance::Kind;
use super::{Field, Model};
use crate::codec::ffi::{DictWalk, instance_dict};
use crate::codec::infer;
use crate::codec::key_form::{self, Role};
use crate::codec::state::{Encoding, Line, Outcome, Refusal, Step};
use crate::wire::writer;

impl Model {
    /// Append the fields as an object: `{"name":{"S":"x"}}`.
    pub fn encode_fields(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let py = value.py();
        self.check_instance(value)?;
        let fields_set = match &self.kind {
            // A bare `cls.__new__(cls)` has none: then everything it has is stored.
            Kind::Model { .. } if self.skips_unset => value
                .getattr_opt(pyo3::intern!(py, "__pydantic_fields_set__"))?
                .and_then(|set| set.cast_into::<PySet>().ok()),
            _ => None,
        };
        let mut fields = FieldWriter {
            first: true,
            refused: Vec::new(),
            instance: value,
            fields_set,
            state,
        };
        fields.state.push(b"{");
        match &self.kind {
            Kind::Dataclass { slots: true, .. } => {
                for field in &self.fields {
                    fields.write(field, value.getattr_opt(field.name.bind(py))?)?;
                }
            }
            Kind::TypedDict => {
                let dict = value.cast::<PyDict>().map_err(PyErr::from)?;
                self.encode_dict(dict, &mut fields)?;
                if self.extras.is_none() {
                    self.refuse_undeclared(dict, &mut fields.refused)?;
                }
            }
            Kind::Model { .. } | Kind::Dataclass { .. } => {
                self.encode_dict(&instance_dict(value)?, &mut fields)?;
            }
        }
        for field in &self.computed {
            fields.write(field, Some(value.getattr(field.name.bind(py))?))?;
        }
        if self.extras.is_some() || self.keeps_unknown {
            self.write_others(value, &mut fields)?;
        }
        fields.state.push(b"}");
        let FieldWriter { refused, .. } = fields;
        if refused.is_empty() {
            Ok(())
        } else {
            Err(Box::new(Refusal::Lines(refused)))
        }
    }

    /// Refuse what is no instance.
    #[inline]
    pub fn check_instance(&self, value: &Bound<'_, PyAny>) -> Outcome<()> {
        if self.is_instance(value)? {
            return Ok(());
        }
        let class = self.class.bind(value.py()).name()?;
        let kind = if self.is_typed_dict() {
            "dict_type"
        } else {
            "model_type"
        };
        Err(Refusal::unexpected(kind, &format!("an instance of {class}"), value))
    }

    /// Instances have their fields in the model's order: then each is where the template has it, or the next one of a walk,
    /// told by its name's address. From the first that is not, fields are looked up.
    #[inline]
    fn encode_dict<'py>(&self, dict: &Bound<'py, PyDict>, fields: &mut FieldWriter<'_, '_, 'py>) -> Outcome<()> {
        if let Some(reading) = self.template.read(dict) {
            return self.encode_in_order(dict, |index, _| reading.get(index), fields);
        }
        let mut walk = DictWalk::new(dict);
        self.encode_in_order(dict, |_, field| walk.next_named(&field.name), fields)
    }

    #[inline]
    fn encode_in_order<'py>(
        &self,
        dict: &Bound<'py, PyDict>,
        mut next: impl FnMut(usize, &Field) -> Option<Bound<'py, PyAny>>,
        fields: &mut FieldWriter<'_, '_, 'py>,
    ) -> Outcome<()> {
        let py = dict.py();
        for (index, field) in self.fields.iter().enumerate() {
            match next(index, field) {
                Some(value) => fields.write(field, Some(value))?,
                None => {
                    for field in &self.fields[index..] {
                        fields.write(field, dict.get_item(field.name.bind(py))?)?;
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    /// What stands beside the fields.
    #[cold]
    fn write_others<'py>(&self, value: &Bound<'py, PyAny>, fields: &mut FieldWriter<'_, '_, 'py>) -> Outcome<()> {
        let mut written = Vec::new();
        if let Some(extras) = &self.extras {
            for (name, extra) in self.extras_of(value)? {
                let start = fields.state.out.len();
                let (first, depth) = (fields.first, fields.state.depth);
                let outcome = self.extra_name(&name).and_then(|text| {
                    fields.separate();
                    writer::push_key(fields.state.out, text);
                    written.push(text.to_owned());
                    extras.value.encode(&extra, fields.state)
                });
                if let Err(refusal) = outcome {
                    let step = || Step::Name(name.clone().unbind());
                    refusal.under(step).gather(&mut fields.refused)?;
                    fields.state.out.truncate(start);
                    (fields.first, fields.state.depth) = (first, depth);
                }
            }
        }
        if self.keeps_unknown {
            self.write_kept(value, &written, fields)?;
        }
        Ok(())
    }

    pub(super) fn declares(&self, name: &Bound<'_, PyAny>) -> bool {
        let py = name.py();
        self.fields.iter().any(|field| name.is(&field.name))
            || self
                .fields
                .iter()
                .any(|field| name.eq(field.name.bind(py)).unwrap_or(false))
    }

    /// A key that the TypedDict does not declare would be lost.
    fn refuse_undeclared(&self, dict: &Bound<'_, PyDict>, refused: &mut Vec<Line>) -> Outcome<()> {
        for (name, _) in DictWalk::new(dict) {
            if !self.declares(&name) {
                let refusal = Refusal::new(
                    "extra_forbidden",
                    "expected only the TypedDict's own keys, found another",
                );
                refusal.under(|| Step::Name(name.clone().unbind())).gather(refused)?;
            }
        }
        Ok(())
    }
}

pub(super) struct FieldWriter<'a, 'b, 'py> {
    first: bool,
    pub(super) refused: Vec<Line>,
    instance: &'a Bound<'py, PyAny>,
    fields_set: Option<Bound<'py, PySet>>,
    pub(super) state: &'a mut Encoding<'b>,
}

impl<'py> FieldWriter<'_, '_, 'py> {
    #[inline]
    fn write(&mut self, field: &Field, value: Option<Bound<'py, PyAny>>) -> Outcome<()> {
        let Some(value) = value else {
            return self.write_nothing(field);
        };
        if value.is_none() && field.omits_none || field.omits_empty && infer::is_empty_set(&value) {
            return Ok(());
        }
        if field.skips_unset
            && let Some(fields_set) = &self.fields_set
            && !fields_set.contains(field.name.bind(value.py()))?
        {
            return Ok(());
        }
        let start = self.state.out.len();
        let depth = self.state.depth;
        writer::push_small(self.state.out, &field.head[usize::from(self.first)..]);
        let content = self.state.out.len();
        let written = match &field.serializer {
            None => field.node.encode(&value, self.state),
            Some(_) => self.write_serialized(field),
        };
        let written = written.and_then(|()| match field.role {
            Role::None => Ok(()),
            role => key_form::check_written(&self.state.out[content..], role),
        });
        match written {
            Ok(()) => self.first = false,
            Err(refusal) => {
                if !matches!(*refusal, Refusal::Absent) {
                    refusal
                        .under(|| Step::name(field.name.bind(value.py())))
                        .gather(&mut self.refused)?;
                }
                self.state.out.truncate(start);
                self.state.depth = depth;
            }
        }
        Ok(())
    }

    /// Write the comma before an attribute that is no field.
    pub(super) fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.state.push(b",");
        }
    }

    #[cold]
    fn write_serialized(&mut self, field: &Field) -> Outcome<()> {
        let value = field.serialized(self.instance)?.ok_or_else(Refusal::missing)?;
        field.node.encode(&value, self.state)
    }

    /// The instance has no such value: a TypedDict may go without, a `model_construct` may have forgotten it.
    #[cold]
    fn write_nothing(&mut self, field: &Field) -> Outcome<()> {
        if matches!(field.absent, Absent::Nothing) {
            return Ok(());
        }
        Python::attach(|py| Refusal::missing().under(|| Step::name(field.name.bind(py)))).gather(&mut self.refused)
    }
}
