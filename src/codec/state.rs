//! What one encoding or decoding carries along, and how a refusal travels up to become an `InvalidItem`.

use std::borrow::Cow;

use pyo3::exceptions::{PyAssertionError, PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::definitions::Definitions;
use super::names::NamesInUse;
use super::options::{AnyNumbers, PlanOptions, Unknown};
use super::python;
use crate::limits::NESTING_LEVELS;
use crate::wire::Tag;
use crate::wire::number::NumberError;
use crate::wire::reader::ReadError;

const TOO_DEEP: &str = "nesting";

/// Boxed, so that a success costs no more than the value itself.
pub type Outcome<T> = Result<T, Box<Refusal>>;

/// Why a value or stored bytes were not taken.
pub enum Refusal {
    /// What an `InvalidItem` lists.
    Lines(Vec<Line>),
    /// An exception that is not about the item: it is raised as it is, with a note of where it came from.
    Raised {
        error: PyErr,
        /// As that of a line.
        path: Vec<Step>,
    },
    /// The value says of itself that its field is absent (Pydantic's `MISSING`): the field leaves it out.
    Absent,
}

pub struct Line {
    /// The way to the value, innermost first: it grows while the refusal travels up.
    path: Vec<Step>,
    kind: Kind,
    input: Option<Py<PyAny>>,
}

/// One step of a path: a field, a key, an index.
pub enum Step {
    Name(Py<PyAny>),
    Index(usize),
}

enum Kind {
    /// Of our own: a type and a message.
    Told(Cow<'static, str>, String),
    /// Pydantic's: its type and the context that the message is made of.
    Known(String, Py<PyDict>),
}

impl Refusal {
    #[cold]
    fn raising(error: PyErr) -> Box<Self> {
        Box::new(Self::Raised {
            error,
            path: Vec::new(),
        })
    }

    /// A refusal of our own wording. `kind` is Pydantic's error type where one fits.
    #[cold]
    pub fn new(kind: &'static str, message: impl Into<String>) -> Box<Self> {
        let kind = Kind::Told(kind.into(), message.into());
        Box::new(Self::Lines(vec![Line {
            path: Vec::new(),
            kind,
            input: None,
        }]))
    }

    #[cold]
    pub fn missing() -> Box<Self> {
        Self::new("missing", "Field required")
    }

    /// The value is of another type than the field's.
    #[cold]
    pub fn unexpected(kind: &'static str, expected: &str, found: &Bound<'_, PyAny>) -> Box<Self> {
        let found_type = found
            .get_type()
            .name()
            .map_or_else(|_| "another type".into(), |name| name.to_string());
        Self::new(kind, format!("expected {expected}, found {found_type}")).with_input(found)
    }

    #[cold]
    pub fn too_deep() -> Box<Self> {
        Self::new(
            TOO_DEEP,
            format!("nested deeper than DynamoDB's {NESTING_LEVELS} levels, or a value that contains itself"),
        )
    }

    #[cold]
    pub fn number(error: NumberError) -> Box<Self> {
        Self::new("number", format!("the number {error}"))
    }

    #[cold]
    #[must_use]
    pub fn with_input(mut self: Box<Self>, input: &Bound<'_, PyAny>) -> Box<Self> {
        if let Self::Lines(lines) = &mut *self {
            for line in lines.iter_mut().filter(|line| line.input.is_none()) {
                line.input = Some(input.clone().unbind());
            }
        }
        self
    }

    /// Pydantic's own refusal, line by line.
    #[cold]
    pub fn from_validation_error(py: Python<'_>, error: PyErr) -> Box<Self> {
        Self::read_validation_error(py, &error, None).map_or_else(Self::raising, Box::new)
    }

    /// The same for a value whose wire type was not the field's: the message says which it was.
    #[cold]
    pub fn from_mismatch(py: Python<'_>, error: PyErr, tag: Tag) -> Box<Self> {
        Self::read_validation_error(py, &error, Some(tag)).map_or_else(Self::raising, Box::new)
    }

    fn read_validation_error(py: Python<'_>, error: &PyErr, mismatch: Option<Tag>) -> PyResult<Self> {
        if !error.get_type(py).is_subclass(python::validation_error(py)?)? {
            return Ok(*Self::raising(error.clone_ref(py)));
        }
        let options = PyDict::new(py);
        options.set_item("include_url", false)?;
        let mut lines = Vec::new();
        for entry in error.value(py).call_method("errors", (), Some(&options))?.try_iter()? {
            let entry = entry?.cast_into::<PyDict>()?;
            let item = |name: &str| entry.get_item(name);
            let mut path = Vec::new();
            if let Some(steps) = item("loc")? {
                for step in steps.try_iter()? {
                    let step = step?;
                    path.insert(
                        0,
                        step.extract()
                            .map_or_else(|_| Step::Name(step.clone().unbind()), Step::Index),
                    );
                }
            }
            let kind: String = item("type")?.map_or_else(|| Ok("value_error".into()), |kind| kind.extract())?;
            let context = match item("ctx")? {
                Some(context) => context.cast_into::<PyDict>()?,
                None => PyDict::new(py),
            };
            let told = mismatch.filter(|_| path.is_empty());
            let known = python::known_error(py)?.call1((&kind, &context)).is_ok();
            let kind = if known && told.is_none() {
                Kind::Known(kind, context.unbind())
            } else {
                let mut message: String = item("msg")?.map_or_else(|| Ok(String::new()), |text| text.extract())?;
                if let Some(tag) = told {
                    message.push_str(", found ");
                    message.push_str(tag.name());
                    message.push_str(" on the wire");
                }
                Kind::Told(kind.into(), message)
            };
            lines.push(Line {
                path,
                kind,
                input: item("input")?.map(Bound::unbind),
            });
        }
        Ok(Self::Lines(lines))
    }

    /// What user code raised while an instance was made of its values. As Pydantic has it, ValueError and AssertionError
    /// say that the values are refused, everything else passes.
    #[cold]
    pub fn from_user_code(py: Python<'_>, error: PyErr) -> Box<Self> {
        match Self::read_user_error(py, &error) {
            Ok(Some(line)) => Box::new(Self::Lines(vec![line])),
            Ok(None) => Self::from_validation_error(py, error),
            Err(other) => Self::raising(other),
        }
    }

    fn read_user_error(py: Python<'_>, error: &PyErr) -> PyResult<Option<Line>> {
        let class = error.get_type(py);
        let value = error.value(py);
        let kind = if class.is_subclass(python::validation_error(py)?)? {
            return Ok(None);
        } else if class.is_subclass(python::custom_error(py)?)? {
            Kind::Told(
                value.getattr("type")?.extract::<String>()?.into(),
                value.call_method0("message")?.extract()?,
            )
        } else if class.is_subclass(python::known_error(py)?)? {
            let context = value.getattr("context")?;
            Kind::Known(
                value.getattr("type")?.extract()?,
                if context.is_none() {
                    PyDict::new(py).unbind()
                } else {
                    context.cast_into::<PyDict>()?.unbind()
                },
            )
        } else if error.is_instance_of::<PyAssertionError>(py) || error.is_instance_of::<PyValueError>(py) {
            let context = PyDict::new(py);
            context.set_item("error", value)?;
            let is_assertion = error.is_instance_of::<PyAssertionError>(py);
            Kind::Known(
                if is_assertion { "assertion_error" } else { "value_error" }.into(),
                context.unbind(),
            )
        } else {
            return Ok(None);
        };
        Ok(Some(Line {
            path: Vec::new(),
            kind,
            input: None,
        }))
    }

    /// The exception that is not about the item.
    pub fn raised(&self) -> Option<&PyErr> {
        match self {
            Self::Raised { error, .. } => Some(error),
            _ => None,
        }
    }

    /// After this, another member of a union may take the value. What is not about the item passes at once; a value that
    /// is too deep, or contains itself, is so for every member.
    #[cold]
    pub fn may_try_another(self: Box<Self>) -> Outcome<()> {
        match &*self {
            Self::Raised { .. } | Self::Absent => Err(self),
            Self::Lines(lines) => {
                let too_deep = |line: &Line| matches!(&line.kind, Kind::Told(kind, _) if kind == TOO_DEEP);
                if lines.iter().any(too_deep) { Err(self) } else { Ok(()) }
            }
        }
    }

    /// Put a step in front of every line's path.
    #[cold]
    #[must_use]
    pub fn under(mut self: Box<Self>, step: impl Fn() -> Step) -> Box<Self> {
        match &mut *self {
            Self::Lines(lines) => {
                for line in lines {
                    line.path.push(step());
                }
            }
            Self::Raised { path, .. } => path.push(step()),
            Self::Absent => {}
        }
        self
    }

    /// Take as many steps from the front of every line's path: those that only Pydantic took.
    #[cold]
    #[must_use]
    pub fn without_outer_steps(mut self: Box<Self>, count: usize) -> Box<Self> {
        if let Self::Lines(lines) = &mut *self {
            for line in lines {
                line.path.truncate(line.path.len().saturating_sub(count));
            }
        }
        self
    }

    /// The lines of several values of one container; what is not about the item passes at once.
    #[cold]
    pub fn gather(self: Box<Self>, gathered: &mut Vec<Line>) -> Outcome<()> {
        match *self {
            Self::Lines(lines) => {
                gathered.extend(lines);
                Ok(())
            }
            Self::Raised { .. } | Self::Absent => Err(self),
        }
    }

    /// What is left of a refusal that may show a secret: where, and of which type, for each line.
    #[cold]
    #[must_use]
    pub fn without_values(mut self: Box<Self>) -> Box<Self> {
        if let Self::Lines(lines) = &mut *self {
            for line in lines {
                let kind = match &line.kind {
                    Kind::Told(kind, _) => kind.to_string(),
                    Kind::Known(kind, _) => kind.clone(),
                };
                let message = format!("refused ({kind}); what was found is not shown, since it may be secret");
                line.kind = Kind::Told(kind.into(), message);
                line.input = None;
            }
        }
        self
    }

    /// The same as one line of this place: a path inside a secret value may show a part of it.
    #[cold]
    #[must_use]
    pub fn without_parts(self: Box<Self>) -> Box<Self> {
        let mut refusal = self.without_values();
        match &mut *refusal {
            Self::Lines(lines) => {
                lines.truncate(1);
                for line in lines {
                    line.path.clear();
                }
            }
            Self::Raised { path, .. } => path.clear(),
            Self::Absent => {}
        }
        refusal
    }

    /// The exception: `InvalidItem` with hidden inputs, or what was raised.
    #[cold]
    pub fn into_error(self, py: Python<'_>, title: &str) -> PyErr {
        let lines = match self {
            Self::Raised { error, path } => {
                return tell_place(py, &error, title, path).map_or_else(|failure| failure, |()| error);
            }
            Self::Lines(lines) => lines,
            Self::Absent => {
                let kind = Kind::Told("missing".into(), "found MISSING, which only a field can hold".into());
                vec![Line {
                    path: Vec::new(),
                    kind,
                    input: None,
                }]
            }
        };
        invalid_item(py, title, lines).unwrap_or_else(|error| error)
    }
}

/// Add to an exception of the user's code where in the item that was.
fn tell_place(py: Python<'_>, error: &PyErr, title: &str, path: Vec<Step>) -> PyResult<()> {
    let value = error.value(py);
    if !error.is_instance_of::<PyException>(py) || value.is_instance(python::oxidyn_error(py)?)? {
        return Ok(());
    }
    let mut place = title.to_owned();
    for step in path.into_iter().rev() {
        match step {
            Step::Name(name) => {
                place.push('.');
                place.push_str(&name.bind(py).str()?.to_string_lossy());
            }
            Step::Index(index) => {
                place.push('[');
                place.push_str(&index.to_string());
                place.push(']');
            }
        }
    }
    python::add_note(value, &format!("oxidyn: at {place}"))
}

fn invalid_item(py: Python<'_>, title: &str, lines: Vec<Line>) -> PyResult<PyErr> {
    let details = PyList::empty(py);
    for line in lines {
        let detail = PyDict::new(py);
        match line.kind {
            Kind::Told(kind, message) => {
                // A message without context is taken as it is, braces and all.
                detail.set_item("type", python::custom_error(py)?.call1((kind, message))?)?;
            }
            Kind::Known(kind, context) => {
                detail.set_item("type", kind)?;
                detail.set_item("ctx", context)?;
            }
        }
        let path: Vec<Bound<'_, PyAny>> = line
            .path
            .into_iter()
            .rev()
            .map(|step| match step {
                Step::Name(name) => Ok(name.into_bound(py)),
                Step::Index(index) => Ok(index.into_pyobject(py)?.into_any()),
            })
            .collect::<PyResult<_>>()?;
        detail.set_item("loc", PyTuple::new(py, path)?)?;
        detail.set_item("input", line.input)?;
        details.append(detail)?;
    }
    let options = PyDict::new(py);
    options.set_item("hide_input", true)?;
    let error =
        python::invalid_item(py)?.call_method("from_exception_data", (title, details, "python"), Some(&options))?;
    Ok(PyErr::from_value(error))
}

impl From<PyErr> for Box<Refusal> {
    fn from(error: PyErr) -> Self {
        Refusal::raising(error)
    }
}

impl From<ReadError> for Box<Refusal> {
    fn from(error: ReadError) -> Self {
        Refusal::new("wire", format!("not DynamoDB JSON: {error}"))
    }
}

impl Step {
    pub fn name(name: &Bound<'_, PyString>) -> Self {
        Self::Name(name.clone().into_any().unbind())
    }

    pub fn text(py: Python<'_>, text: &str) -> Self {
        Self::Name(PyString::new(py, text).into_any().unbind())
    }
}

/// What an encoding carries along.
pub struct Encoding<'a> {
    pub out: &'a mut Vec<u8>,
    pub definitions: &'a Definitions,
    /// Lists and maps that are open.
    pub depth: usize,
}

impl Encoding<'_> {
    /// Go into a list or map that is not empty. DynamoDB takes a value inside 31 of them and refuses it inside 32.
    #[inline]
    pub fn enter(&mut self) -> Outcome<()> {
        self.depth += 1;
        if self.depth >= NESTING_LEVELS {
            Err(Refusal::too_deep())
        } else {
            Ok(())
        }
    }

    #[inline]
    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
}

/// What a decoding carries along.
pub struct Decoding<'a, 'py> {
    pub py: Python<'py>,
    pub definitions: &'a Definitions,
    /// What is done with an attribute that is no field.
    pub unknown: Unknown,
    pub any_numbers: AnyNumbers,
    pub depth: usize,
    /// Names of maps.
    pub names: NamesInUse<'a>,
    /// Elements of the lists that are being read, innermost last: one allocation serves all of them.
    pub elements: Vec<Bound<'py, PyAny>>,
    /// Bytes that unions have read more than once.
    pub read_again: usize,
}

impl<'a, 'py> Decoding<'a, 'py> {
    pub fn new(py: Python<'py>, definitions: &'a Definitions, options: &PlanOptions) -> Self {
        Self {
            unknown: options.unknown,
            any_numbers: options.any_numbers,
            ..Self::untyped(py, definitions)
        }
    }

    /// What reads values without a plan.
    pub fn untyped(py: Python<'py>, definitions: &'a Definitions) -> Self {
        Self {
            py,
            definitions,
            unknown: Unknown::default(),
            any_numbers: AnyNumbers::default(),
            depth: 0,
            elements: Vec::new(),
            read_again: 0,
            names: NamesInUse::new(&definitions.names),
        }
    }
}

impl Decoding<'_, '_> {
    /// Unions of like members inside such unions read their values again and again: an end to that, where each byte of a
    /// full item would have been read many times.
    pub fn read_again(&mut self, bytes: usize) -> Outcome<()> {
        const MOST: usize = 8 << 20;
        self.read_again += bytes;
        if self.read_again > MOST {
            return Err(Refusal::new(
                "union",
                "unions of models that the stored attributes do not tell apart lie inside each other too deeply: give them \
                 a discriminator",
            ));
        }
        Ok(())
    }

    #[inline]
    pub fn enter(&mut self) -> Outcome<()> {
        self.depth += 1;
        if self.depth > NESTING_LEVELS {
            Err(Refusal::too_deep())
        } else {
            Ok(())
        }
    }

    #[inline]
    pub fn leave(&mut self) {
        self.depth -= 1;
    }
}
