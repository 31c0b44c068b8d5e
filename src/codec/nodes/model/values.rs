//! Attributes → the dict that `model_validate` takes: for models that only their own validator can make, because of an
//! `__init__` of their own or of validators that look at other fields, and for those below a validator of the user's.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyInt, PyList, PyString};

use super::decode::Others;
use super::field::Absent;
use super::{Field, Model, kept};
use crate::codec::builder::Builder;
use crate::codec::ffi::instance_dict;
use crate::codec::infer;
use crate::codec::node::Node;
use crate::codec::own::Terms;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Line, Outcome, Refusal, Step};
use crate::wire::reader::Reader;

/// Who makes the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// Decoding, as pydantic-core would.
    Here,
    /// The model's own validator, of a dict of the values.
    ByValidator(Terms),
    /// A validator around it, of the dict.
    Outside,
}

/// Under which name Pydantic takes a field's value.
pub enum Input {
    /// The first plain validation alias, else the field's name.
    Name(Py<PyString>),
    /// The steps of an alias path.
    Path(Box<[Py<PyAny>]>),
}

impl Model {
    /// Read an object of attributes. What Pydantic itself would say of a missing field is left to it.
    pub(super) fn decode_values<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let py = state.py;
        let values = PyDict::new(py);
        let mut there = vec![false; self.fields.len()];
        let mut refused: Vec<Line> = Vec::new();
        let mut others = Others::default();
        let mut previous = self.fields.len();
        let mut more = reader.begin_object()?;
        while more {
            if let Some(index) = self.read_name(previous, reader, state, &mut others, &mut refused)? {
                let field = &self.fields[index];
                previous = index;
                there[index] = true;
                let position = reader.position();
                let depth = state.depth;
                let elements = state.elements.len();
                let read = field.read(reader, state).or_else(|refusal| {
                    if !field.lenient {
                        return Err(refusal);
                    }
                    refusal.may_try_another()?;
                    reader.seek(position);
                    state.depth = depth;
                    state.elements.truncate(elements);
                    infer::decode_value(reader, state)
                });
                match read {
                    Ok(value) => field.input.place(&values, value)?,
                    Err(refusal) => {
                        refusal.under(|| Step::name(field.name.bind(py))).gather(&mut refused)?;
                        state.depth = depth;
                        reader.seek(position);
                        reader.skip_value()?;
                    }
                }
            }
            more = reader.next_member()?;
        }
        for (field, there) in self.fields.iter().zip(there) {
            match &field.absent {
                Absent::EmptySet if !there => {
                    if let Node::Set(node) = field.node.unlayered() {
                        field.input.place(&values, node.empty(py)?)?;
                    }
                }
                // Pydantic will not be asked.
                Absent::Missing if !there && !refused.is_empty() => {
                    Refusal::missing()
                        .under(|| Step::name(field.name.bind(py)))
                        .gather(&mut refused)?;
                }
                _ => {}
            }
        }
        if !refused.is_empty() {
            return Err(Box::new(Refusal::Lines(refused)));
        }
        if let Some(extras) = &others.extras {
            values.update(extras.as_mapping())?;
        }
        let instance = match self.made {
            Made::ByValidator(terms) => self.own.validate_on(terms, values.as_any())?,
            Made::Here | Made::Outside => values.into_any(),
        };
        if !others.kept.is_empty() {
            kept::put(others.kept, &instance_dict(&instance)?)?;
        }
        Ok(instance)
    }
}

impl Input {
    /// The input's name or path; where the path is one that no plain dict can have, the name, and the model must be asked
    /// to take names.
    pub(super) fn build<'py>(name: &str, field: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let input = Self::of(name, field, builder.config.as_ref())?;
        if let Some(input) = input {
            return Ok(input);
        }
        let config = builder.config.as_ref();
        let by_name = match setting(config, "validate_by_name")? {
            Some(by_name) => by_name,
            None => setting(config, "populate_by_name")?.unwrap_or(false),
        };
        builder.terms.by_name |= !by_name;
        Ok(Self::Name(PyString::intern(builder.py, name).unbind()))
    }

    /// The name under which a model takes a field; `None` where it takes it by a path.
    pub fn name_of<'py>(
        model: &Bound<'py, PyDict>,
        name: &str,
        field: &Bound<'py, PyDict>,
        builder: &Builder<'_, 'py>,
    ) -> PyResult<Option<String>> {
        let config = model.member("config")?.map(Bound::cast_into).transpose()?;
        let config = config.as_ref().or(builder.config.as_ref());
        match Self::of(name, field, config)? {
            Some(Self::Name(name)) => Ok(Some(name.bind(builder.py).to_str()?.to_owned())),
            Some(Self::Path(_)) => Ok(None),
            None => Ok(Some(name.to_owned())),
        }
    }

    /// `None` where only a path reaches the field, and it is one that no plain dict can have.
    fn of<'py>(name: &str, field: &Bound<'py, PyDict>, config: Option<&Bound<'py, PyDict>>) -> PyResult<Option<Self>> {
        let py = field.py();
        let named = |name: &str| Some(Self::Name(PyString::intern(py, name).unbind()));
        let alias = field.member("validation_alias")?;
        let (Some(alias), false) = (alias, setting(config, "validate_by_alias")? == Some(false)) else {
            return Ok(named(name));
        };
        if let Ok(alias) = alias.cast::<PyString>() {
            return Ok(named(alias.to_str()?));
        }
        // One path, or several that are tried in turn.
        let paths = alias.cast::<PyList>()?;
        let paths: Vec<Bound<'py, PyList>> = match paths.iter().map(Bound::cast_into::<PyList>).collect() {
            Ok(paths) => paths,
            Err(_) => vec![paths.clone()],
        };
        if let Some(alias) = paths.iter().find(|path| path.len() == 1) {
            return Ok(Some(Self::Name(alias.get_item(0)?.cast_into::<PyString>()?.unbind())));
        }
        let is_reachable = |path: &&Bound<'py, PyList>| {
            path.iter()
                .skip(1)
                .all(|step| step.is_instance_of::<PyString>() || step.extract::<u8>().is_ok())
        };
        let path = paths.iter().find(is_reachable);
        Ok(path.map(|path| Self::Path(path.iter().map(Bound::unbind).collect())))
    }

    /// Put the value where Pydantic looks for it.
    fn place<'py>(&self, values: &Bound<'py, PyDict>, value: Bound<'py, PyAny>) -> PyResult<()> {
        let py = values.py();
        let path = match self {
            Self::Name(name) => return values.set_item(name, value),
            Self::Path(path) => path,
        };
        let mut holder = values.clone().into_any();
        for (at, step) in path.iter().enumerate() {
            let step = step.bind(py);
            let next = match path.get(at + 1) {
                None => value.clone(),
                Some(next) if next.bind(py).is_instance_of::<PyInt>() => PyList::empty(py).into_any(),
                Some(_) => PyDict::new(py).into_any(),
            };
            let is_last = at + 1 == path.len();
            if let Ok(list) = holder.cast::<PyList>() {
                let index: usize = step.extract()?;
                while list.len() <= index {
                    list.append(py.None())?;
                }
                if is_last || list.get_item(index)?.is_none() {
                    list.set_item(index, next)?;
                }
            } else if is_last || !holder.contains(step)? {
                holder.set_item(step, next)?;
            }
            if !is_last {
                holder = holder.get_item(step)?;
            }
        }
        Ok(())
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Name(_) => Ok(()),
            Self::Path(path) => path.iter().try_for_each(|step| visit.call(step)),
        }
    }
}

impl Field {
    /// The value as the field's own serializer gives it, where that decides what is stored.
    #[cold]
    pub(super) fn serialized<'py>(&self, instance: &Bound<'py, PyAny>) -> Outcome<Option<Bound<'py, PyAny>>> {
        let Some(serializer) = &self.serializer else {
            return Ok(None);
        };
        let values = serializer
            .to_python(instance)?
            .cast_into::<PyDict>()
            .map_err(PyErr::from)?;
        Ok(values.get_item(&self.name)?)
    }
}

fn setting(config: Option<&Bound<'_, PyDict>>, name: &str) -> PyResult<Option<bool>> {
    Ok(config.map(|config| config.flag(name)).transpose()?.flatten())
}
