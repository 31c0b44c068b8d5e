//! Types that only Python can make: stored as Pydantic's JSON mode writes them, read back by the type's own validator.
//!
//! Pydantic's own are recognised in `known.rs`; a type of the user's is one where its core schema says how it is written
//! and its validator takes that form back.

use pyo3::PyTraverseError;
use pyo3::exceptions::{PyAttributeError, PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBytes, PyComplex, PyDict, PyString, PyType};

use super::string::encode_str;
use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::{SchemaDict, union_choices};
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::codec::{infer, python};
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct OpaqueNode(Box<Opaque>);

struct Opaque {
    own: Box<Own>,
    /// What the values are, in messages: `an IPv4Address`.
    what: Box<str>,
    writing: Writing,
    tags: Tags,
    /// From Python the validator takes only instances; the stored form it takes as JSON.
    reads_json: bool,
    /// Not every value's form stands for that value (a pattern's flags, an object without a name): what is written is
    /// read back and compared.
    is_doubtful: bool,
    /// A validator further out makes the value, of the stored form.
    is_left_outside: bool,
    disorder: Option<&'static str>,
}

/// What is stored of a value.
pub enum Writing {
    /// `str(value)`, of an instance of the class, or of one of a tuple of classes.
    Text(Py<PyAny>),
    /// The text of a complex number, without its parentheses.
    Complex,
    /// An attribute of an instance of the class.
    Attribute(Py<PyAny>, &'static str),
    /// What the function makes of it.
    Called(Py<PyAny>),
    /// What the schema's own serializer makes of it: for Python where that can be stored, else for JSON.
    Serialized,
}

/// How the stored form comes back through the validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    Never,
    AsJson,
    AsPython,
}

impl OpaqueNode {
    /// A type of which nothing is known but its schema. UnsupportedTypeError where nothing could read it back.
    fn unknown<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let reading = reading(schema, builder, 0)?;
        if reading == Reading::Never {
            return Err(builder.refused(&format!(
                "nothing makes {} of what is stored: give it a BeforeValidator or PlainValidator that does, and a \
                 PlainSerializer for what is stored",
                describe(schema, builder)?
            )));
        }
        if lacks_serializer(schema, builder)? {
            return Err(builder.refused(&format!(
                "nothing says how {} is stored: give it a PlainSerializer",
                describe(schema, builder)?
            )));
        }
        let mut opaque = Opaque::new(schema, Writing::Serialized, builder)?;
        opaque.reads_json = reading == Reading::AsJson;
        opaque.tags = serialized_tags(schema, builder)?;
        Ok(Self(Box::new(opaque)))
    }

    /// A type that a function of the user's makes, of the stored form.
    pub fn of_function<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let mut opaque = Self::unknown(schema, builder)?.encoded(builder);
        opaque.0.reads_json = false;
        Ok(opaque.into())
    }

    /// A type that is known to be stored as `writing` says, by these wire types.
    pub fn known<'py>(
        schema: &Bound<'py, PyDict>,
        writing: Writing,
        tags: Tags,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        let mut opaque = Opaque::new(schema, writing, builder)?;
        opaque.tags = tags;
        opaque.reads_json = reading(schema, builder, 0)? == Reading::AsJson;
        Ok(Self(Box::new(opaque)))
    }

    /// Stored as S, `str(value)`.
    pub fn text<'py>(
        schema: &Bound<'py, PyDict>,
        class: Bound<'py, PyAny>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        Self::known(schema, Writing::Text(class.unbind()), Tags::of(Tag::S), builder)
    }

    /// Read back what is written, and refuse a value that is not the same then.
    #[must_use]
    pub fn doubtful(mut self) -> Self {
        self.0.is_doubtful = true;
        self
    }

    /// The validator takes the stored form and nothing else: not the value that it makes.
    #[must_use]
    pub fn encoded(mut self, builder: &Builder<'_, '_>) -> Self {
        self.0.is_left_outside = builder.validated_by != ValidatedBy::Node;
        self
    }

    /// Its values have an order that their texts have not.
    #[must_use]
    pub fn disordered(mut self, reason: &'static str) -> Self {
        self.0.disorder = Some(reason);
        self
    }

    /// Why order comparisons are refused.
    pub fn disorder(&self) -> Option<&'static str> {
        self.0.disorder
    }

    /// The class of its values, where there is one.
    pub fn class<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyType>> {
        match &self.0.writing {
            Writing::Text(class) | Writing::Attribute(class, _) => class.bind(py).cast::<PyType>().ok().cloned(),
            Writing::Complex => Some(py.get_type::<PyComplex>()),
            Writing::Called(_) | Writing::Serialized => None,
        }
    }
}

// ---- build ----

impl Opaque {
    fn new<'py>(schema: &Bound<'py, PyDict>, writing: Writing, builder: &Builder<'_, 'py>) -> PyResult<Self> {
        Ok(Self {
            own: builder.own(schema),
            what: describe(schema, builder)?.into_boxed_str(),
            writing,
            tags: Tags::ALL,
            reads_json: false,
            is_doubtful: false,
            is_left_outside: false,
            disorder: None,
        })
    }
}

/// What a schema's values are, in messages.
fn describe<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<String> {
    if let Some(class) = instance_class(schema, builder, 0)? {
        let name: String = match class.getattr_opt("__name__")? {
            Some(name) => name.extract()?,
            None => class.str()?.to_string(),
        };
        return Ok(format!("an instance of {name}"));
    }
    Ok("a value of the type".to_owned())
}

/// The class whose instances a schema takes, where it says so.
pub fn instance_class<'py>(
    schema: &Bound<'py, PyDict>,
    builder: &Builder<'_, 'py>,
    depth: usize,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if depth > MOST_LEVELS {
        return Ok(None);
    }
    let schema = builder.resolve(schema)?;
    let parts = match schema.text("type")?.unwrap_or_default().as_str() {
        "is-instance" => return schema.member("cls"),
        "json-or-python" => vec![schema.schema("python_schema")?],
        "lax-or-strict" => vec![schema.schema("strict_schema")?, schema.schema("lax_schema")?],
        "union" => union_choices(&schema)?.into_iter().map(|(choice, _)| choice).collect(),
        "chain" => steps(&schema)?,
        "nullable" | "default" | "custom-error" | "function-after" | "function-before" | "function-wrap" => {
            vec![schema.schema("schema")?]
        }
        _ => return Ok(None),
    };
    for part in parts {
        if let Some(class) = instance_class(&part, builder, depth + 1)? {
            return Ok(Some(class));
        }
    }
    Ok(None)
}

pub fn steps<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let steps = schema.required("steps")?.try_iter()?;
    steps.map(|step| Ok(step?.cast_into()?)).collect()
}

/// Schemas lie in each other only so deeply; what refers to itself has an end here.
const MOST_LEVELS: usize = 16;

fn reading<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>, depth: usize) -> PyResult<Reading> {
    let schema = builder.resolve(schema)?;
    if depth > MOST_LEVELS {
        return Ok(Reading::AsPython);
    }
    let part = |part: &Bound<'py, PyDict>| reading(part, builder, depth + 1);
    Ok(match schema.text("type")?.unwrap_or_default().as_str() {
        "is-instance" | "is-subclass" | "callable" | "generator" => Reading::Never,
        "json-or-python" => match part(&schema.schema("python_schema")?)? {
            Reading::AsPython => Reading::AsPython,
            _ => part(&schema.schema("json_schema")?)?.min(Reading::AsJson),
        },
        // What is stored is not what a strict field takes, so it is read in lax mode.
        "lax-or-strict" => part(&schema.schema("lax_schema")?)?,
        "union" => {
            let choices = union_choices(&schema)?;
            let choices = choices.iter().map(|(choice, _)| part(choice));
            choices
                .collect::<PyResult<Vec<_>>>()?
                .into_iter()
                .max()
                .unwrap_or(Reading::Never)
        }
        "chain" => {
            let steps = steps(&schema)?;
            let steps = steps.iter().map(part).collect::<PyResult<Vec<_>>>()?;
            // What comes after a function is an instance, as it should be.
            steps.first().copied().unwrap_or(Reading::Never)
        }
        "nullable" | "default" | "custom-error" | "function-after" => part(&schema.schema("schema")?)?,
        _ => Reading::AsPython,
    })
}

/// Whether functions make instances of a class that nothing writes.
fn lacks_serializer<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<bool> {
    let mut layer = schema.clone();
    while layer.text("type")?.is_some_and(|kind| kind.starts_with("function-")) {
        if layer.member("serialization")?.is_some() {
            return Ok(false);
        }
        let Some(inner) = layer.member("schema")? else {
            return Ok(false);
        };
        layer = inner.cast_into()?;
    }
    if layer.is(schema) || layer.member("serialization")?.is_some() {
        return Ok(false);
    }
    Ok(instance_class(&layer, builder, 0)?.is_some() && !is_storable_itself(&layer, builder)?)
}

/// The wire types that a serializer is certain to give.
fn serialized_tags<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<Tags> {
    let Some(serializer) = schema.member("serialization")? else {
        return Ok(Tags::ALL);
    };
    let serializer = serializer.cast_into::<PyDict>()?;
    let gives_text = match serializer.text("type")?.as_deref() {
        Some("to-string" | "format") => true,
        Some("function-plain" | "function-wrap") => {
            let given = serializer.member("return_schema")?;
            let given = given.map(|given| given.cast_into::<PyDict>()).transpose()?;
            given.map_or(Ok(None), |given| given.text("type"))?.as_deref() == Some("str")
        }
        _ => false,
    };
    let used = serializer.text("when_used")?;
    let is_always = matches!(used.as_deref(), Some("always" | "unless-none"))
        || used.is_none()
            && serializer
                .text("type")?
                .is_some_and(|kind| kind.starts_with("function-"));
    if gives_text && (is_always || !is_storable_itself(schema, builder)?) {
        return Ok(Tags::of(Tag::S));
    }
    Ok(Tags::ALL)
}

/// Whether the values themselves could be stored without a type, so that a serializer for JSON is not asked.
fn is_storable_itself<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<bool> {
    let Some(class) = instance_class(schema, builder, 0)? else {
        return Ok(true);
    };
    let Ok(class) = class.cast::<PyType>() else {
        return Ok(true);
    };
    Ok(!class.is(builder.py.get_type::<PyAny>()) && infer::is_storable_class(class)?)
}

impl Codec for OpaqueNode {
    const KINDS: &'static [&'static str] = &["url", "multi-host-url", "fraction", "complex"];

    /// Of another kind, it is a type of which nothing is known but its schema.
    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let py = builder.py;
        let node = match schema.text("type")?.as_deref() {
            Some("url") => Self::text(schema, python::url(py)?.clone(), builder)?,
            Some("multi-host-url") => Self::text(schema, python::multi_host_url(py)?.clone(), builder)?,
            Some("fraction") => Self::text(schema, python::fraction(py)?.clone(), builder)?.disordered(FRACTIONS),
            Some("complex") => Self::known(schema, Writing::Complex, Tags::of(Tag::S), builder)?,
            _ => Self::unknown(schema, builder)?,
        };
        Ok(node.into())
    }

    fn tags(&self) -> Tags {
        self.0.tags
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        match &self.0.writing {
            Writing::Text(object) | Writing::Attribute(object, _) | Writing::Called(object) => visit.call(object),
            Writing::Complex | Writing::Serialized => Ok(()),
        }
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let start = state.out.len();
        let depth = state.depth;
        let Err(refusal) = self.0.write(value, state) else {
            return Ok(());
        };
        // An unvalidated default is often the text of the value that it stands for.
        if !value.is_exact_instance_of::<PyString>() {
            return Err(refusal);
        }
        let Ok(meant) = self.0.own.validate(value, true) else {
            return Err(refusal);
        };
        state.out.truncate(start);
        state.depth = depth;
        self.0.write(&meant, state)
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if !self.0.tags.has(tag) {
            return self.0.own.convert(tag, reader, state);
        }
        let stored = infer::decode_typed(tag, reader, state)?;
        if self.0.is_left_outside {
            return Ok(stored);
        }
        self.0.read(&stored)
    }
}

pub const FRACTIONS: &str = "a fraction is stored as text, which does not sort as fractions do";
pub const ADDRESSES: &str = "an IP address is stored as text, which does not sort as addresses do";

// ---- encode ----

impl Opaque {
    fn write(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let py = value.py();
        let unexpected = || Refusal::unexpected("value_type", &self.what, value);
        let start = state.out.len();
        let stored = match &self.writing {
            Writing::Text(class) => {
                if !value.is_instance(class.bind(py))? {
                    return Err(unexpected());
                }
                value.str()?.into_any()
            }
            Writing::Complex => {
                if !value.is_instance_of::<PyComplex>() {
                    return Err(unexpected());
                }
                let text = value.str()?;
                let text = text.to_str()?;
                let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
                PyString::new(py, bare.unwrap_or(text)).into_any()
            }
            Writing::Attribute(class, name) => {
                if !value.is_instance(class.bind(py))? {
                    return Err(unexpected());
                }
                value.getattr(*name)?
            }
            Writing::Called(function) => function.bind(py).call1((value,)).map_err(|error| {
                // Pydantic's own functions say so of a value of another type.
                let is_type = error.is_instance_of::<PyTypeError>(py)
                    || error.is_instance_of::<PyValueError>(py)
                    || error.is_instance_of::<PyAttributeError>(py);
                if is_type { unexpected() } else { error.into() }
            })?,
            Writing::Serialized => return self.write_serialized(value, state),
        };
        match stored.cast::<PyString>() {
            Ok(text) => encode_str(text, state)?,
            Err(_) => infer::encode(&stored, state)?,
        }
        self.check_written(value, &stored, &state.out[start..])
    }

    fn write_serialized(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let start = state.out.len();
        let depth = state.depth;
        let in_mode = |mode: &str| {
            let serialized = self.own.serialize(value, mode);
            serialized.map_err(|error| self.not_serialized(value, error))
        };
        let for_python = in_mode("python")?;
        let stored = match infer::encode(&for_python, state) {
            Ok(()) => for_python,
            Err(refusal) => {
                refusal.may_try_another()?;
                state.out.truncate(start);
                state.depth = depth;
                let for_json = in_mode("json")?;
                infer::encode(&for_json, state)?;
                for_json
            }
        };
        self.check_written(value, &stored, &state.out[start..])
    }

    /// Pydantic wraps what a serializer raises; its own words may hold the value.
    #[cold]
    fn not_serialized(&self, value: &Bound<'_, PyAny>, error: PyErr) -> Box<Refusal> {
        let py = value.py();
        if !error.is_instance_of::<PyValueError>(py) {
            return error.into();
        }
        match error.cause(py) {
            Some(cause) => Refusal::new(
                "serialization",
                format!("{} was refused by its serializer: {cause}", self.what),
            )
            .with_input(value),
            None => Refusal::unexpected(
                "serialization",
                &format!("{} that a serializer writes (a PlainSerializer says how)", self.what),
                value,
            ),
        }
    }

    fn check_written(&self, value: &Bound<'_, PyAny>, stored: &Bound<'_, PyAny>, written: &[u8]) -> Outcome<()> {
        let tag = Reader::new(written).tag()?;
        if self.tags.has(tag) {
            return if self.is_doubtful {
                self.check_form(value, stored)
            } else {
                Ok(())
            };
        }
        // A serializer may give what its return type does not say; a set of text cannot hold it.
        let expected: Vec<&str> = Tag::ALL
            .into_iter()
            .filter(|&tag| self.tags.has(tag))
            .map(Tag::name)
            .collect();
        Err(Refusal::new(
            "serialization",
            format!(
                "expected a form that is stored as {}, found one that is stored as {}",
                expected.join(" or "),
                tag.name()
            ),
        )
        .with_input(value))
    }

    #[cold]
    fn check_form(&self, value: &Bound<'_, PyAny>, stored: &Bound<'_, PyAny>) -> Outcome<()> {
        let again = match self.read(stored) {
            Ok(again) => again,
            Err(refusal) => {
                refusal.may_try_another()?;
                return Err(lossy(value));
            }
        };
        if again.is(value) || again.eq(value)? {
            Ok(())
        } else {
            Err(lossy(value))
        }
    }
}

#[cold]
fn lossy(value: &Bound<'_, PyAny>) -> Box<Refusal> {
    Refusal::unexpected("form", "a value that its stored text stands for", value)
}

// ---- decode ----

impl Opaque {
    fn read<'py>(&self, stored: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        // Older Pydantics do not read every text that Python writes (`1-0j`).
        if matches!(self.writing, Writing::Complex)
            && let Ok(number) = stored.py().get_type::<PyComplex>().call1((stored,))
        {
            return Ok(number);
        }
        self.validate(stored).map_err(|refusal| {
            // A name that is looked up in files may be none that a file can have.
            let is_lookup = refusal
                .raised()
                .is_some_and(|error| error.is_instance_of::<PyOSError>(stored.py()));
            if is_lookup {
                return Refusal::unexpected("value_error", &self.what, stored);
            }
            refusal
        })
    }

    fn validate<'py>(&self, stored: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        if !self.reads_json {
            return self.own.validate(stored, true);
        }
        let py = stored.py();
        let json = python::to_json(py)?.call1((stored,))?;
        let json = json.cast::<PyBytes>().map_err(PyErr::from)?;
        self.own.validate_json(py, json.as_bytes())
    }
}
