//! `extra="allow"`: attributes that are no field, as values beside the fields.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyString};

use super::Model;
use super::instance::Kind;
use super::kept;
use crate::codec::builder::Builder;
use crate::codec::ffi::{DictWalk, instance_dict};
use crate::codec::node::Node;
use crate::codec::nodes::map::check_key;
use crate::codec::nodes::string::surrogates;
use crate::codec::own::Own;
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Line, Outcome, Refusal, Step};
use crate::wire::reader::{Reader, Text};

pub(super) struct Extras {
    pub(super) value: Node,
    /// Checks the names, where `__pydantic_extra__` asks for more than str.
    name: Option<Box<Own>>,
}

impl Extras {
    pub(super) fn are_allowed<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<bool> {
        let behaviour = builder.setting(schema, "extra_behavior", "extra_fields_behavior")?;
        behaviour.map_or(Ok(false), |behaviour| behaviour.eq("allow"))
    }

    /// The extras of a model's fields; `None` where it takes none.
    pub(super) fn build<'py>(
        schema: &Bound<'py, PyDict>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Option<Box<Self>>> {
        if !Self::are_allowed(schema, builder)? {
            return Ok(None);
        }
        let value = builder.part_schema(schema, "extras_schema")?;
        let name = schema.member("extras_keys_schema")?;
        Ok(Some(Box::new(Self {
            value: builder.build_part("[extra]", &value)?,
            name: name
                .map(|name| Ok::<_, PyErr>(builder.own(&name.cast_into()?)))
                .transpose()?,
        })))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.value.traverse(visit)?;
        self.name.as_ref().map_or(Ok(()), |name| name.traverse(visit))
    }

    /// Read the value of the attribute whose name is read.
    pub(super) fn read<'py>(
        &self,
        name: &Text<'_>,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
        extras: &Bound<'py, PyDict>,
        refused: &mut Vec<Line>,
    ) -> Outcome<()> {
        let start = reader.position();
        let depth = state.depth;
        let text = PyString::new(state.py, name).into_any();
        let checked = match &self.name {
            Some(own) => own.validate(&text, false),
            None => Ok(text.clone()),
        };
        let read = checked.and_then(|checked| Ok(extras.set_item(checked, self.value.decode_value(reader, state)?)?));
        if let Err(refusal) = read {
            refusal.under(|| Step::Name(text.clone().unbind())).gather(refused)?;
            state.depth = depth;
            reader.seek(start);
            reader.skip_value()?;
        }
        Ok(())
    }
}

impl Model {
    /// The extra values of an instance, by name.
    pub(super) fn extras_of<'py>(
        &self,
        value: &Bound<'py, PyAny>,
    ) -> Outcome<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
        let py = value.py();
        match &self.kind {
            Kind::Model { .. } => {
                let extras = value.getattr_opt(pyo3::intern!(py, "__pydantic_extra__"))?;
                let extras = extras.and_then(|extras| extras.cast_into::<PyDict>().ok());
                Ok(extras.map_or_else(Vec::new, |extras| DictWalk::new(&extras).collect()))
            }
            Kind::TypedDict => {
                let dict = value.cast::<PyDict>().map_err(PyErr::from)?;
                Ok(DictWalk::new(dict).filter(|(name, _)| !self.declares(name)).collect())
            }
            Kind::Dataclass { .. } => {
                let class = value.get_type();
                let mut extras = Vec::new();
                for (name, extra) in DictWalk::new(&instance_dict(value)?) {
                    if self.template.has(&name)? || kept::is_name(&name)? {
                        continue;
                    }
                    // What a `cached_property` left there is made again when it is asked for.
                    let attribute = name
                        .cast::<PyString>()
                        .ok()
                        .map(|name| class.getattr_opt(name))
                        .transpose()?;
                    let cached = attribute
                        .flatten()
                        .map(|of| of.is_instance(python::cached_property(py)?))
                        .transpose()?;
                    if !cached.unwrap_or(false) {
                        extras.push((name, extra));
                    }
                }
                Ok(extras)
            }
        }
    }

    /// The text under which an extra value is stored.
    pub(super) fn extra_name<'a>(&self, name: &'a Bound<'_, PyAny>) -> Outcome<&'a str> {
        let Ok(text) = name.cast::<PyString>() else {
            return Err(Refusal::unexpected("string_type", "a str as an extra's name", name));
        };
        let text = text.to_str().map_err(|_| surrogates(text))?;
        check_key(text.len())?;
        if self.by_attribute.contains_key(text) {
            let message = "found an extra value by the name under which a field is stored";
            return Err(Refusal::new("extra_clash", message));
        }
        Ok(text)
    }
}
