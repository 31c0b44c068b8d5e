//! Reading core-schema dicts: what a node is compiled from, and the errors of compiling, which name the field's path.

use std::collections::{HashMap, HashSet};

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::definitions::Definitions;
use super::node::{self, Node};
use super::nodes::function::{self, FunctionNode, Wanted, holds};
use super::nodes::known;
use super::nodes::layer::LayerNode;
use super::nodes::reference::ReferenceNode;
use super::nodes::standard;
use super::nodes::union::collect_discriminating;
use super::options::{PlanOptions, Unset};
use super::own::Terms;
pub use super::own::Own;
use super::python;
use crate::wire::Tag;

/// Members of a core-schema dict.
pub trait SchemaDict<'py> {
    fn member(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>>;
    fn required(&self, name: &str) -> PyResult<Bound<'py, PyAny>>;
    fn text(&self, name: &str) -> PyResult<Option<String>>;
    fn flag(&self, name: &str) -> PyResult<Option<bool>>;
    fn schema(&self, name: &str) -> PyResult<Bound<'py, PyDict>>;
    fn has_any(&self, names: &[&str]) -> PyResult<bool>;
}

impl<'py> SchemaDict<'py> for Bound<'py, PyDict> {
    /// A member that is there and not None.
    fn member(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.get_item(name)?.filter(|value| !value.is_none()))
    }

    fn required(&self, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.get_item(name)?
            .ok_or_else(|| PyKeyError::new_err(format!("a core schema without {name:?}")))
    }

    fn text(&self, name: &str) -> PyResult<Option<String>> {
        self.member(name)?.map(|value| value.extract()).transpose()
    }

    fn flag(&self, name: &str) -> PyResult<Option<bool>> {
        self.member(name)?.map(|value| value.extract()).transpose()
    }

    fn schema(&self, name: &str) -> PyResult<Bound<'py, PyDict>> {
        Ok(self.required(name)?.cast_into()?)
    }

    fn has_any(&self, names: &[&str]) -> PyResult<bool> {
        for name in names {
            if self.member(name)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// How a datetime is stored, where a marker says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    Seconds,
    Milliseconds,
    /// Whole seconds, rounded up.
    Ttl,
}

/// A text form in place of the usual one, of fixed width as well, so that it is a key's and sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A datetime without its fraction.
    Seconds,
    /// A datetime with `+00:00` for `Z`.
    Offset,
    /// A UUID as 32 hex digits.
    Hex,
    /// A UUID with upper-case digits.
    Upper,
}

impl Format {
    const ALL: [(&'static str, Self); 4] = [
        ("seconds", Self::Seconds),
        ("offset", Self::Offset),
        ("hex", Self::Hex),
        ("upper", Self::Upper),
    ];

    /// The types it is for, by their core schemas and in words.
    const fn owner(self) -> (&'static str, &'static str) {
        match self {
            Self::Seconds | Self::Offset => ("datetime", "datetime"),
            Self::Hex | Self::Upper => ("uuid", "UUID"),
        }
    }
}

/// What our markers say about a type, read from its schema's metadata.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
pub struct Marks {
    pub epoch: Option<Epoch>,
    /// `Attribute(utc=False)`: a datetime keeps its offset.
    pub keeps_offset: bool,
    /// `Attribute(format=…)`.
    pub format: Option<Format>,
    /// `Attribute(plaintext=True)`: secrets at any depth are stored in the clear.
    pub plaintext: bool,
    /// `SerializeAsAny`: instances of subclasses are stored with their own fields.
    pub of_subclasses: bool,
    /// The type is a field's, not an element's: its value may be absent.
    pub is_field: bool,
}

impl Marks {
    /// What reaches a field or an element below.
    fn for_part(&self) -> Self {
        Self {
            plaintext: self.plaintext,
            of_subclasses: self.of_subclasses,
            ..Self::default()
        }
    }

    /// What reaches one member of a union.
    pub fn for_member(&self) -> Self {
        Self {
            is_field: self.is_field,
            ..self.for_part()
        }
    }
}

impl Marks {
    pub fn is_empty(&self) -> bool {
        self.epoch.is_none() && !self.keeps_offset && self.format.is_none()
    }
}

/// Who validates what a node decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ValidatedBy {
    /// The node: functions run where they stand, models are instances.
    #[default]
    Node,
    /// The validator of the model around it: functions are left to that; models are instances, which it takes as they are.
    Model,
    /// A before, wrap or plain validator around it, which expects what `model_validate` gets: models are dicts.
    Function,
}

/// Compiles schemas, and knows where it is.
pub struct Builder<'a, 'py> {
    pub py: Python<'py>,
    pub options: &'a PlanOptions,
    pub definitions: Definitions,
    pub marks: Marks,
    /// The config of the model that is being compiled.
    pub config: Option<Bound<'py, PyDict>>,
    /// The value is a key, or is compared by order: forms that do not sort are refused.
    pub ordered: bool,
    pub validated_by: ValidatedBy,
    /// The outermost schema of the value that is being compiled: with its default, `| None` and functions.
    pub whole: Option<Bound<'py, PyDict>>,
    /// What a validator outside must be told for what was compiled so far.
    pub terms: Terms,
    /// The next model is the plan's own, whose fields have roles.
    pub at_root: bool,
    /// Names of fields by which unions may tell their members, where fields may be left out for not being set.
    discriminating: HashSet<String>,
    path: Vec<String>,
    schemas: HashMap<String, Bound<'py, PyDict>>,
    schema_list: Option<Bound<'py, PyList>>,
    /// By name, by what marks reach there (`plaintext`, `of_subclasses`), and by who validates.
    numbers: HashMap<(String, bool, bool, ValidatedBy), u32>,
    pending: Vec<Pending<'py>>,
    /// References that are being compiled in place: meeting one again is a recursion.
    open: Vec<String>,
}

/// A definition that is referred to and not compiled yet.
#[derive(Clone)]
struct Pending<'py> {
    number: u32,
    schema: Bound<'py, PyDict>,
    marks: Marks,
    validated_by: ValidatedBy,
}

impl<'a, 'py> Builder<'a, 'py> {
    pub fn new(py: Python<'py>, options: &'a PlanOptions, schema: &Bound<'py, PyDict>) -> PyResult<Self> {
        let mut builder = Self {
            py,
            options,
            definitions: Definitions::new(options),
            marks: Marks::default(),
            config: None,
            ordered: false,
            validated_by: ValidatedBy::default(),
            whole: None,
            terms: Terms::default(),
            at_root: false,
            discriminating: HashSet::new(),
            path: vec![options.title.clone()],
            schemas: HashMap::new(),
            schema_list: None,
            numbers: HashMap::new(),
            pending: Vec::new(),
            open: Vec::new(),
        };
        if schema.text("type")?.as_deref() == Some("definitions") {
            let list = schema.required("definitions")?.cast_into::<PyList>()?;
            for definition in &list {
                let definition = definition.cast_into::<PyDict>()?;
                if let Some(name) = definition.text("ref")? {
                    builder.schemas.insert(name, definition);
                }
            }
            builder.schema_list = Some(list);
        }
        if options.unset == Unset::Skip {
            let mut names = HashSet::new();
            collect_discriminating(schema, &builder, &mut names)?;
            builder.discriminating = names;
        }
        Ok(builder)
    }

    /// A schema that refers to others stands for the one it refers to: the root of a plan, the type behind a reference.
    pub fn resolve(&self, schema: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        let mut schema = schema.clone();
        loop {
            schema = match schema.text("type")?.as_deref() {
                Some("definitions") => schema.schema("schema")?,
                Some("definition-ref") => self.definition(&schema.text("schema_ref")?.unwrap_or_default())?,
                _ => return Ok(schema),
            }
        }
    }

    fn definition(&self, name: &str) -> PyResult<Bound<'py, PyDict>> {
        let definition = self.schemas.get(name).cloned();
        definition
            .ok_or_else(|| self.schema_error(&format!("its core schema refers to {name:?}, which it does not define")))
    }

    /// Whether a union may tell its members by this field.
    pub fn discriminates(&self, name: &str, field: &Bound<'py, PyDict>) -> PyResult<bool> {
        let alias = field.member("validation_alias")?;
        let alias = alias.and_then(|alias| alias.extract::<String>().ok());
        Ok(self.discriminating.contains(name) || alias.is_some_and(|alias| self.discriminating.contains(&alias)))
    }

    /// Compile a schema.
    pub fn build(&mut self, schema: &Bound<'py, PyDict>) -> PyResult<Node> {
        if self.whole.is_some() {
            return self.build_layer(schema);
        }
        self.whole = Some(schema.clone());
        let node = self.build_layer(schema);
        self.whole = None;
        node
    }

    /// Compile one of the schemas that stand around one value: a default, `| None`, a function, the type itself.
    pub fn build_layer(&mut self, schema: &Bound<'py, PyDict>) -> PyResult<Node> {
        let kind = schema.text("type")?.unwrap_or_default();
        let reveals = self.read_marks(schema)?;
        let node = self.build_kind(&kind, schema)?;
        Ok(if reveals {
            LayerNode::hiding(schema, node, self)
        } else {
            node
        })
    }

    /// The node of a type that Pydantic makes of other schemas.
    fn claim(&mut self, kind: &str, schema: &Bound<'py, PyDict>) -> PyResult<Option<Node>> {
        if let Some(node) = standard::claims(schema, self)? {
            return Ok(Some(node));
        }
        let node = known::claim(kind, schema, self)?;
        if node.is_some() {
            self.check_marks(kind)?;
        }
        Ok(node)
    }

    fn build_kind(&mut self, kind: &str, schema: &Bound<'py, PyDict>) -> PyResult<Node> {
        self.marks.of_subclasses |= serializes_as_any(schema)?;
        if standard::of(schema)?.is_some()
            && let Some(node) = function::build_by_serializer(schema, self)?
        {
            return Ok(node);
        }
        let whole = self.whole.take();
        let claimed = self.claim(kind, schema)?;
        self.whole = whole;
        if let Some(node) = claimed {
            return Ok(node);
        }
        if let Some(node) = function::build(kind, schema, self)? {
            return Ok(node);
        }
        match kind {
            "definitions" => self.build(&schema.schema("schema")?),
            "default" => {
                let node = self.build(&schema.schema("schema")?)?;
                let replaces = schema.text("on_error")?.is_some_and(|on_error| on_error != "raise");
                if replaces {
                    FunctionNode::replaced(node, schema, self)
                } else {
                    Ok(node)
                }
            }
            "definition-ref" => self.build_reference(&schema.text("schema_ref")?.unwrap_or_default()),
            "nullable" => node::build(kind, schema, self),
            _ => {
                self.check_marks(kind)?;
                let whole = self.whole.take();
                let node = node::build(kind, schema, self);
                self.whole = whole;
                let node = node?;
                if matches!(node, Node::Union(_))
                    && self.validated_by != ValidatedBy::Node
                    && holds(schema.as_any(), Wanted::Any, self)?
                {
                    return Ok(FunctionNode::left_outside(node, self));
                }
                Ok(node)
            }
        }
    }

    /// Compile a schema that may be of a type that is not stored: then nothing was done.
    pub fn attempt(&mut self, schema: &Bound<'py, PyDict>) -> PyResult<Option<Node>> {
        let numbers = self.numbers.clone();
        let pending = self.pending.clone();
        let reserved = self.definitions.len();
        let marks = self.marks.clone();
        match self.build(schema) {
            Ok(node) => Ok(Some(node)),
            Err(error)
                if error
                    .get_type(self.py)
                    .is_subclass(python::unsupported_type_error(self.py)?)? =>
            {
                self.numbers = numbers;
                self.pending = pending;
                self.definitions.truncate(reserved);
                self.marks = marks;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a validator outside a model makes its instances, of values that decoding hands over.
    pub fn hands_over(&self, schema: &Bound<'py, PyDict>) -> PyResult<bool> {
        Ok(match self.validated_by {
            ValidatedBy::Node => false,
            ValidatedBy::Function => true,
            // An instance that is validated again would be so twice.
            ValidatedBy::Model => {
                let revalidates = self.setting(schema, "revalidate_instances", "revalidate_instances")?;
                revalidates.is_some_and(|when| when.extract::<String>().is_ok_and(|when| when != "never"))
            }
        })
    }

    /// Compile what another validator than the nodes' own will see.
    pub fn with_validation<T>(
        &mut self,
        validated_by: ValidatedBy,
        build: impl FnOnce(&mut Self) -> PyResult<T>,
    ) -> PyResult<T> {
        let outer = std::mem::replace(&mut self.validated_by, validated_by);
        let result = build(self);
        self.validated_by = outer;
        result
    }

    /// Compile the schema of a part: a field, an element. Markers of the whole do not reach it.
    pub fn build_part(&mut self, name: impl Into<String>, schema: &Bound<'py, PyDict>) -> PyResult<Node> {
        self.inside(name, |builder| {
            let marks = oxidyn_metadata(schema)?;
            if marks.map(|marks| marks.member("name")).transpose()?.flatten().is_some() {
                return Err(
                    builder.schema_error("Attribute(name=...) names a field, and an element has no name of its own")
                );
            }
            builder.build(schema)
        })
    }

    pub fn inside<T>(&mut self, name: impl Into<String>, build: impl FnOnce(&mut Self) -> PyResult<T>) -> PyResult<T> {
        self.path.push(name.into());
        let part = self.marks.for_part();
        let marks = std::mem::replace(&mut self.marks, part);
        let result = build(self);
        self.marks = marks;
        self.path.pop();
        result
    }

    /// Compile under another model's config.
    pub fn with_config<T>(
        &mut self,
        config: Option<Bound<'py, PyDict>>,
        build: impl FnOnce(&mut Self) -> PyResult<T>,
    ) -> PyResult<T> {
        let outer = std::mem::replace(&mut self.config, config);
        let result = build(self);
        self.config = outer;
        result
    }

    /// Compile a field that is a key, or compared by order.
    pub fn with_order<T>(&mut self, ordered: bool, build: impl FnOnce(&mut Self) -> PyResult<T>) -> PyResult<T> {
        let outer = std::mem::replace(&mut self.ordered, ordered);
        let result = build(self);
        self.ordered = outer;
        result
    }

    /// Models are compiled once each and may be recursive; what else is shared (enums, named types) is small, and is
    /// compiled where it stands, so that its wire types are known there.
    fn build_reference(&mut self, name: &str) -> PyResult<Node> {
        let schema = self.definition(name)?;
        let kind = schema.text("type")?.unwrap_or_default();
        let is_root_model = schema.flag("root_model")?.unwrap_or(false);
        let is_model = matches!(kind.as_str(), "model" | "dataclass" | "typed-dict") && !is_root_model;
        if !is_model && !self.open.iter().any(|open| open == name) {
            self.open.push(name.to_owned());
            let node = self.build(&schema);
            self.open.pop();
            return node;
        }
        let form = self.innermost(&schema)?;
        let tags = match form.text("type")?.as_deref() {
            Some("model" | "dataclass" | "typed-dict" | "dict" | "ordered-dict" | "counter" | "frozendict") => {
                Tags::of(Tag::M)
            }
            Some("list" | "deque" | "tuple" | "named-tuple" | "call" | "set" | "frozenset") => Tags::of(Tag::L),
            Some("union" | "tagged-union" | "nullable") => Tags::ALL,
            _ if let Some(standard) = standard::of(&form)? => standard.tags(),
            _ => return Err(self.unsupported("a type that contains itself other than through a model, list or dict")),
        };
        let marks = self.marks.for_part();
        let key = (name.to_owned(), marks.plaintext, marks.of_subclasses, self.validated_by);
        let number = match self.numbers.get(&key) {
            Some(&number) => number,
            None => {
                let number = self.definitions.reserve();
                self.numbers.insert(key, number);
                self.pending.push(Pending {
                    number,
                    schema,
                    marks,
                    validated_by: self.validated_by,
                });
                number
            }
        };
        Ok(ReferenceNode::new(number, tags).into())
    }

    /// The schema of the type behind functions and root models.
    fn innermost(&self, schema: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        let mut schema = schema.clone();
        loop {
            let kind = schema.text("type")?.unwrap_or_default();
            let is_root = schema.flag("root_model")?.unwrap_or(false);
            let is_type = kind == "nullable" || !function::is_transparent(&kind) || standard::of(&schema)?.is_some();
            if !is_root && is_type {
                return Ok(schema);
            }
            schema = self.resolve(&schema.schema("schema")?)?;
        }
    }

    /// Compile what was referred to, until nothing is left.
    pub fn finish_definitions(&mut self) -> PyResult<()> {
        while let Some(Pending {
            number,
            schema,
            marks,
            validated_by,
        }) = self.pending.pop()
        {
            self.marks = marks;
            let name = match schema.member("cls")? {
                Some(class) => class.getattr("__name__")?.extract()?,
                None => self.options.title.clone(),
            };
            let path = std::mem::replace(&mut self.path, vec![name]);
            let ordered = std::mem::take(&mut self.ordered);
            let reference = schema.text("ref")?.unwrap_or_default();
            self.open.push(reference);
            let node = self.with_config(None, |builder| {
                builder.with_validation(validated_by, |builder| builder.build(&schema))
            })?;
            self.open.pop();
            self.definitions.set(number, node);
            self.ordered = ordered;
            self.path = path;
        }
        Ok(())
    }

    /// What Pydantic itself would use for this schema.
    pub fn own(&self, schema: &Bound<'py, PyDict>) -> Box<Own> {
        Box::new(Own::new(schema, self.config.as_ref(), self.schema_list.as_ref()))
    }

    /// The same without constraints: what converts a value and asks nothing more of it.
    pub fn own_without_constraints(&self, schema: &Bound<'py, PyDict>) -> PyResult<Box<Own>> {
        Ok(Box::new(self.own(schema).without_constraints(self.py)?))
    }

    /// Compile the schema of a place in a plan that is compiled already.
    pub fn build_again(&mut self, schema: &Bound<'py, PyDict>, is_ttl: bool, ordered: bool) -> PyResult<Node> {
        self.marks = Marks {
            epoch: is_ttl.then_some(Epoch::Ttl),
            // The plan was compiled, so a secret that is in it may be.
            plaintext: true,
            is_field: true,
            ..Marks::default()
        };
        self.with_order(ordered, |builder| builder.build(schema))
    }

    /// A scalar's: it refers to nothing.
    pub fn own_scalar(&self, schema: &Bound<'py, PyDict>) -> Box<Own> {
        Box::new(Own::new(schema, self.config.as_ref(), None))
    }

    /// A member of the schema, else of the model's config under another name.
    pub fn setting(
        &self,
        schema: &Bound<'py, PyDict>,
        name: &str,
        in_config: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match (schema.member(name)?, &self.config) {
            (Some(value), _) => Ok(Some(value)),
            (None, Some(config)) => config.member(in_config),
            (None, None) => Ok(None),
        }
    }

    /// The schema of a part: where it has no type, any.
    pub fn part_schema(&self, schema: &Bound<'py, PyDict>, name: &str) -> PyResult<Bound<'py, PyDict>> {
        if let Some(part) = schema.member(name)? {
            return Ok(part.cast_into()?);
        }
        let any = PyDict::new(self.py);
        any.set_item("type", "any")?;
        Ok(any)
    }

    /// Take over what the schema's markers say; true where they say that its secrets are stored in the clear.
    fn read_marks(&mut self, schema: &Bound<'py, PyDict>) -> PyResult<bool> {
        let Some(marks) = oxidyn_metadata(schema)? else {
            return Ok(false);
        };
        match marks.text("epoch")?.as_deref() {
            Some("s") => self.marks.epoch = Some(Epoch::Seconds),
            Some("ms") => self.marks.epoch = Some(Epoch::Milliseconds),
            Some(other) => return Err(self.schema_error(&format!("Epoch is \"s\" or \"ms\", not {other:?}"))),
            None => {}
        }
        if marks.flag("utc")? == Some(false) {
            self.marks.keeps_offset = true;
        }
        if let Some(name) = marks.text("format")? {
            let known = Format::ALL.into_iter().find(|(known, _)| *known == name);
            let Some((_, format)) = known else {
                return Err(self.schema_error(&format!("Attribute(format={name:?}) is none that this version knows")));
            };
            self.marks.format = Some(format);
        }
        let reveals = marks.flag("plaintext")?.unwrap_or(false);
        self.marks.plaintext |= reveals;
        Ok(reveals)
    }

    /// A marker on a type that it says nothing about is a mistake. What wraps a type hands its markers on.
    pub fn check_marks(&self, kind: &str) -> PyResult<()> {
        if kind == "missing-sentinel" {
            return Ok(());
        }
        let Marks {
            epoch,
            keeps_offset,
            format,
            ..
        } = self.marks;
        if epoch.is_some() && !matches!(kind, "datetime" | "int") {
            return Err(self.schema_error("Epoch and TTL are for datetime and int fields"));
        }
        if keeps_offset && kind != "datetime" {
            return Err(self.schema_error("Attribute(utc=False) is for datetime fields"));
        }
        if let Some(format) = format {
            let (owner, words) = format.owner();
            if kind != owner {
                let name = Format::ALL.into_iter().find(|(_, known)| *known == format);
                let name = name.map_or("", |(name, _)| name);
                return Err(self.schema_error(&format!("Attribute(format={name:?}) is for {words} fields")));
            }
            if epoch.is_some() || keeps_offset {
                return Err(self.schema_error(
                    "Attribute(format=...) is a form of its own: it goes without Epoch, TTL and utc=False",
                ));
            }
        }
        Ok(())
    }

    /// A map's keys are text as Pydantic's JSON mode writes them, whatever a marker says.
    pub fn refuse_marks(&self, schema: &Bound<'py, PyDict>) -> PyResult<()> {
        let marks = oxidyn_metadata(schema)?;
        let is_marked = |marks: Bound<'py, PyDict>| marks.has_any(&["epoch", "utc", "format", "name"]);
        if marks.map(is_marked).transpose()?.unwrap_or(false) {
            return Err(self.schema_error("Attribute, Epoch and TTL are for values, and this is a map's key"));
        }
        Ok(())
    }

    /// Where no serializer can decide what is stored.
    pub fn refuse_serializer(&self, schema: &Bound<'py, PyDict>) -> PyResult<()> {
        if function::has_serializer(schema)? {
            return Err(self.unsupported("a part of it with a serializer"));
        }
        Ok(())
    }

    pub fn path(&self) -> String {
        let mut path = String::new();
        for part in &self.path {
            if !path.is_empty() && !part.starts_with('[') {
                path.push('.');
            }
            path.push_str(part);
        }
        path
    }

    #[cold]
    pub fn schema_error(&self, reason: &str) -> PyErr {
        self.error(python::schema_error(self.py), reason)
    }

    /// A type or schema node that is not stored.
    #[cold]
    pub fn unsupported(&self, what: &str) -> PyErr {
        self.error(
            python::unsupported_type_error(self.py),
            &format!("{what} cannot be stored; the page \"Supported types\" lists what can"),
        )
    }

    /// A type that is not stored, for a reason of its own.
    #[cold]
    pub fn refused(&self, reason: &str) -> PyErr {
        self.error(python::unsupported_type_error(self.py), reason)
    }

    fn error(&self, class: PyResult<&Bound<'py, PyAny>>, reason: &str) -> PyErr {
        class
            .and_then(|class| class.call1((format!("{}: {reason}.", self.path()),)))
            .map_or_else(|error| error, PyErr::from_value)
    }
}

/// Whether the schema is one of `SerializeAsAny`, which is a function in Pydantic's older releases.
pub fn serializes_as_any(schema: &Bound<'_, PyDict>) -> PyResult<bool> {
    let Some(serializer) = schema.member("serialization")? else {
        return Ok(false);
    };
    let serializer = serializer.cast_into::<PyDict>()?;
    match serializer.text("type")?.as_deref() {
        Some("any") => Ok(true),
        Some("function-wrap") => known::is_function(
            &serializer,
            "SerializeAsAny.__get_pydantic_core_schema__.<locals>.<lambda>",
        ),
        _ => Ok(false),
    }
}

/// The schema without what narrows its type: constraints and functions.
pub fn without_constraints<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let schema = schema.copy()?;
    remove(
        &schema,
        &[
            "gt",
            "ge",
            "lt",
            "le",
            "multiple_of",
            "min_length",
            "max_length",
            "max_digits",
            "decimal_places",
            "pattern",
            "strip_whitespace",
            "to_lower",
            "to_upper",
            "ascii_only",
            "now_op",
            "version",
        ],
    )?;
    match schema.text("type")?.as_deref() {
        Some("model") if !schema.flag("root_model")?.unwrap_or(false) => {}
        Some("default" | "nullable" | "model") => {
            schema.set_item("schema", without_constraints(&schema.schema("schema")?)?)?;
        }
        Some("function-after" | "function-before" | "function-wrap") if !known::makes_type(&schema)? => {
            return without_constraints(&schema.schema("schema")?);
        }
        Some("union") => {
            let choices = union_choices(&schema)?;
            let choices = choices.iter().map(|(choice, _)| without_constraints(choice));
            schema.set_item("choices", choices.collect::<PyResult<Vec<_>>>()?)?;
        }
        _ => {}
    }
    Ok(schema)
}

/// Take members out of a schema.
pub fn remove(dict: &Bound<'_, PyDict>, names: &[&str]) -> PyResult<()> {
    for name in names {
        if dict.contains(name)? {
            dict.del_item(name)?;
        }
    }
    Ok(())
}

/// The members of a union, some with a label of their own.
pub fn union_choices<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Vec<(Bound<'py, PyDict>, Option<String>)>> {
    let choices = schema.required("choices")?.try_iter()?;
    let choices = choices.map(|choice| {
        let choice = choice?;
        match choice.cast::<PyTuple>() {
            Ok(labelled) => Ok((
                labelled.get_item(0)?.cast_into()?,
                Some(labelled.get_item(1)?.extract()?),
            )),
            Err(_) => Ok((choice.cast_into()?, None)),
        }
    });
    choices.collect()
}

/// What our markers left in a schema's metadata.
pub fn oxidyn_metadata<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(metadata) = schema.member("metadata")? else {
        return Ok(None);
    };
    let Ok(metadata) = metadata.cast_into::<PyDict>() else {
        return Ok(None);
    };
    Ok(metadata.member("oxidyn")?.map(Bound::cast_into).transpose()?)
}

/// The wire types that a node writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags(u16);

impl Tags {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self((1 << Tag::ALL.len()) - 1);

    pub const fn of(tag: Tag) -> Self {
        Self(1 << tag as u16)
    }

    #[must_use]
    pub const fn and(self, tag: Tag) -> Self {
        Self(self.0 | 1 << tag as u16)
    }

    pub const fn has(self, tag: Tag) -> bool {
        self.0 & 1 << tag as u16 != 0
    }

    #[must_use]
    pub const fn without(self, tag: Tag) -> Self {
        Self(self.0 & !(1 << tag as u16))
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The one tag, where there is only one.
    pub fn only(self) -> Option<Tag> {
        Tag::ALL.into_iter().find(|&tag| self == Self::of(tag))
    }
}
