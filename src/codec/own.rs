//! Pydantic's own validator and serializer of a node's schema: the way to what only Python can do.

use std::sync::OnceLock;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::schema::{remove, without_constraints};
use super::state::{Decoding, Outcome, Refusal};
use super::{infer, python};
use crate::wire::Tag;
use crate::wire::reader::Reader;

/// The schema of a node as Pydantic itself would use it: the way for every value that the node does not take natively,
/// and for the constraints that it does not check itself. Its validator is made when it is first needed.
pub struct Own {
    schema: Py<PyDict>,
    config: Option<Py<PyDict>>,
    definitions: Option<Py<PyList>>,
    validate: OnceLock<Py<PyAny>>,
    /// The same with validators that take what is known of other fields; None where none of them asks.
    informed: OnceLock<Option<Py<PyAny>>>,
    to_python: OnceLock<Py<PyAny>>,
}

/// On what terms a validator takes what decoding hands over to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// Some fields are reached by their own names only.
    pub by_name: bool,
    /// Some values come in a form that a strict field would refuse: members of unions by their wire types alone.
    pub lax: bool,
}

impl Terms {
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            by_name: self.by_name || other.by_name,
            lax: self.lax || other.lax,
        }
    }
}

impl Own {
    /// `definitions` are those that the schema may refer to.
    pub fn new<'py>(
        schema: &Bound<'py, PyDict>,
        config: Option<&Bound<'py, PyDict>>,
        definitions: Option<&Bound<'py, PyList>>,
    ) -> Self {
        Self {
            schema: schema.clone().unbind(),
            config: config.map(|config| config.clone().unbind()),
            definitions: definitions.map(|definitions| definitions.clone().unbind()),
            validate: OnceLock::new(),
            informed: OnceLock::new(),
            to_python: OnceLock::new(),
        }
    }

    /// The value as Pydantic takes it, in lax mode where `lax`, else as the schema says.
    #[inline(never)]
    pub fn validate<'py>(&self, value: &Bound<'py, PyAny>, lax: bool) -> Outcome<Bound<'py, PyAny>> {
        let py = value.py();
        let validate = self.validator(py)?;
        let result = if lax {
            let options = PyDict::new(py);
            options.set_item("strict", false)?;
            validate.call((value,), Some(&options))
        } else {
            validate.call1((value,))
        };
        result.map_err(|error| Refusal::from_validation_error(py, error))
    }

    /// The same for the value of a field by itself: validators that take `info` get what is known of the others, by their
    /// names, and are skipped where they ask for more.
    pub fn validate_among<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        lax: bool,
        (field, others): (Option<&Bound<'py, PyAny>>, Option<&Bound<'py, PyDict>>),
    ) -> Outcome<Bound<'py, PyAny>> {
        let py = value.py();
        let Some(validate) = self.informed(py)? else {
            return self.validate(value, lax);
        };
        let options = PyDict::new(py);
        let others = others.map_or_else(|| PyDict::new(py), Bound::clone);
        options.set_item("context", (field, others))?;
        if lax {
            options.set_item("strict", false)?;
        }
        validate
            .call((value,), Some(&options))
            .map_err(|error| Refusal::from_validation_error(py, error))
    }

    /// Whether a validator takes `info`.
    pub fn takes_info(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.informed(py)?.is_some())
    }

    /// The value that JSON text stands for, as Pydantic's JSON mode reads it.
    #[inline(never)]
    pub fn validate_json<'py>(&self, py: Python<'py>, json: &[u8]) -> Outcome<Bound<'py, PyAny>> {
        let validator = self.validator(py)?.getattr(pyo3::intern!(py, "__self__"))?;
        validator
            .call_method1(pyo3::intern!(py, "validate_json"), (PyBytes::new(py, json),))
            .map_err(|error| Refusal::from_validation_error(py, error))
    }

    /// The same where models' fields are given by their names, or by their aliases.
    #[inline(never)]
    pub fn validate_json_by_name<'py>(&self, py: Python<'py>, json: &[u8]) -> Outcome<Bound<'py, PyAny>> {
        let validator = self.validator(py)?.getattr(pyo3::intern!(py, "__self__"))?;
        let options = PyDict::new(py);
        options.set_item("by_alias", true)?;
        options.set_item("by_name", true)?;
        validator
            .call_method("validate_json", (PyBytes::new(py, json),), Some(&options))
            .map_err(|error| Refusal::from_validation_error(py, error))
    }

    /// Read a value of a wire type that is not the node's, and leave it to Pydantic.
    #[cold]
    #[inline(never)]
    pub fn convert<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let value = infer::decode(tag, reader, state)?;
        let py = state.py;
        self.validator(py)?
            .call1((&value,))
            .map_err(|error| Refusal::from_mismatch(py, error, tag))
    }

    /// What Pydantic gives for a field that is not there; `None` where it has no default.
    pub fn default_value<'py>(&self, py: Python<'py>) -> Outcome<Option<Bound<'py, PyAny>>> {
        let validator = self.validator(py)?.getattr(pyo3::intern!(py, "__self__"))?;
        let found = validator
            .call_method0(pyo3::intern!(py, "get_default_value"))
            .map_err(|error| Refusal::from_user_code(py, error))?;
        if found.is_none() {
            return Ok(None);
        }
        Ok(Some(found.getattr(pyo3::intern!(py, "value"))?))
    }

    /// Values as decoding hands them over.
    pub fn validate_on<'py>(&self, terms: Terms, values: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        if terms == Terms::default() {
            return self.validate(values, false);
        }
        let py = values.py();
        let options = PyDict::new(py);
        if terms.by_name {
            options.set_item("by_name", true)?;
        }
        if terms.lax {
            options.set_item("strict", false)?;
        }
        self.validator(py)?
            .call((values,), Some(&options))
            .map_err(|error| Refusal::from_validation_error(py, error))
    }

    /// What the schema's serializer makes of the value, in Pydantic's python mode.
    #[inline(never)]
    pub fn to_python<'py>(&self, value: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        let py = value.py();
        let serialized = self.serializer(py).and_then(|to_python| to_python.call1((value,)));
        serialized.map_err(|error| Refusal::from_user_code(py, error))
    }

    /// What the schema's serializer makes of the value in Pydantic's `mode`; of a value that is not the type's, an error.
    #[inline(never)]
    pub fn serialize<'py>(&self, value: &Bound<'py, PyAny>, mode: &str) -> PyResult<Bound<'py, PyAny>> {
        let options = PyDict::new(value.py());
        options.set_item("mode", mode)?;
        // An unexpected type is Pydantic's warning; for what is stored it is an error.
        options.set_item("warnings", "error")?;
        self.serializer(value.py())?.call((value,), Some(&options))
    }

    /// The JSON of the value by alias, as a part of the model's. With `is_certain`, an error of a value that is not the
    /// type's, of which Pydantic else warns.
    pub fn dump_json<'py>(&self, value: &Bound<'py, PyAny>, is_certain: bool) -> PyResult<Bound<'py, PyBytes>> {
        let py = value.py();
        let options = PyDict::new(py);
        options.set_item("by_alias", true)?;
        if is_certain {
            options.set_item("warnings", "error")?;
        }
        let serializer = self.serializer(py)?.getattr(pyo3::intern!(py, "__self__"))?;
        let json = serializer.call_method(pyo3::intern!(py, "to_json"), (value,), Some(&options))?;
        Ok(json.cast_into()?)
    }

    /// The JSON text that `Json[T]` takes for the value.
    pub fn to_json_text<'py>(&self, value: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        let py = value.py();
        let options = PyDict::new(py);
        options.set_item("round_trip", true)?;
        let written = self
            .serializer(py)
            .and_then(|to_python| to_python.call((value,), Some(&options)));
        written.map_err(|error| Refusal::from_user_code(py, error))
    }

    fn serializer<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        if let Some(to_python) = self.to_python.get() {
            return Ok(to_python.bind(py));
        }
        let serializer = python::schema_serializer(py)?.call1((self.whole(py)?, &self.config))?;
        let to_python = serializer.getattr("to_python")?.unbind();
        Ok(self.to_python.get_or_init(|| to_python).bind(py))
    }

    fn validator<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        if let Some(validate) = self.validate.get() {
            return Ok(validate.bind(py));
        }
        let validator = python::schema_validator(py)?.call1((self.whole(py)?, &self.config))?;
        let validate = validator.getattr("validate_python")?.unbind();
        // Another thread may have made one meanwhile; either will do.
        Ok(self.validate.get_or_init(|| validate).bind(py))
    }

    fn informed<'py>(&self, py: Python<'py>) -> PyResult<Option<&Bound<'py, PyAny>>> {
        if self.informed.get().is_none() {
            let schema = python::informed(py)?.call1((self.whole(py)?,))?;
            let validate = if schema.is_none() {
                None
            } else {
                let validator = python::schema_validator(py)?.call1((schema, &self.config))?;
                Some(validator.getattr("validate_python")?.unbind())
            };
            // Another thread may have made one meanwhile; either will do.
            let _ = self.informed.set(validate);
        }
        let informed = self.informed.get().and_then(Option::as_ref);
        Ok(informed.map(|validate| validate.bind(py)))
    }

    /// The schema with what it may refer to.
    fn whole<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let schema = self.schema.bind(py);
        let Some(definitions) = &self.definitions else {
            return Ok(schema.clone());
        };
        let whole = PyDict::new(py);
        whole.set_item("type", "definitions")?;
        whole.set_item("schema", schema)?;
        whole.set_item("definitions", definitions)?;
        Ok(whole)
    }

    /// What converts a value and asks nothing more of it.
    pub fn without_constraints(&self, py: Python<'_>) -> PyResult<Self> {
        let config = self.config.as_ref().map(|config| config.bind(py).copy()).transpose()?;
        if let Some(config) = &config {
            let constraints = [
                "str_min_length",
                "str_max_length",
                "str_strip_whitespace",
                "str_to_lower",
                "str_to_upper",
            ];
            remove(config, &constraints)?;
        }
        let schema = without_constraints(self.schema.bind(py))?;
        let definitions = self.definitions.as_ref().map(|definitions| definitions.bind(py));
        Ok(Self::new(&schema, config.as_ref(), definitions))
    }

    /// The schema and its config.
    pub fn parts<'py>(&self, py: Python<'py>) -> (Bound<'py, PyDict>, Option<Bound<'py, PyDict>>) {
        (
            self.schema.bind(py).clone(),
            self.config.as_ref().map(|config| config.bind(py).clone()),
        )
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.schema)?;
        visit.call(&self.config)?;
        visit.call(&self.definitions)?;
        visit.call(self.validate.get())?;
        visit.call(self.informed.get().and_then(Option::as_ref))?;
        visit.call(self.to_python.get())
    }
}
