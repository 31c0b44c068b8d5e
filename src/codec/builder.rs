//! Compiling schemas: where the builder is, who validates there, and the errors, which name the field's path.

use std::collections::{HashMap, HashSet};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::definitions::Definitions;
use super::marks::{Epoch, Marks};
use super::node::{self, Node};
use super::nodes::function::{self, FunctionNode, Wanted, holds};
use super::nodes::known;
use super::nodes::layer::LayerNode;
use super::nodes::reference::ReferenceNode;
use super::nodes::standard;
use super::nodes::union::collect_discriminating;
use super::options::{Load, PlanOptions, Unset};
use super::own::{Own, Terms};
use super::python;
use super::schema::{SchemaDict, oxidyn_metadata, serializes_as_any};
use super::tags::Tags;
use crate::wire::Tag;

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
    /// A function that still runs where stored values are trusted takes `info`: the field needs those before it.
    pub needs_data: bool,
    /// The next model is the plan's own, whose fields have roles.
    pub at_root: bool,
    /// Names of fields by which unions may tell their members, where fields may be left out for not being set.
    discriminating: HashSet<String>,
    path: Vec<String>,
    schemas: HashMap<String, Bound<'py, PyDict>>,
    schema_list: Option<Bound<'py, PyList>>,
    /// By name, by what marks reach there (`plaintext`, `of_subclasses`, `told_by_fields`), and by who validates.
    numbers: HashMap<(String, [bool; 3], ValidatedBy), u32>,
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
            needs_data: false,
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
        let needs_data = self.needs_data;
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
                self.needs_data = needs_data;
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
        let marks = Marks {
            told_by_fields: self.marks.told_by_fields,
            ..self.marks.for_part()
        };
        let reaching = [marks.plaintext, marks.of_subclasses, marks.told_by_fields];
        let key = (name.to_owned(), reaching, self.validated_by);
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

    /// The same for a schema with functions of the user's, which run where the value is decoded. Those that need other
    /// fields have their whole model made by Pydantic, unless stored values are trusted.
    pub fn own_of_functions(&mut self, schema: &Bound<'py, PyDict>) -> PyResult<Box<Own>> {
        self.needs_data |= self.options.load == Load::Trust && holds(schema.as_any(), Wanted::OfModel, self)?;
        Ok(self.own(schema))
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
