//! A schema and the node that was compiled from it → how values are printed.
//!
//! What a field's printer cannot say is left to Pydantic for that field alone, as long as that is the cheaper way. Where a
//! model's own code may have a say in what is printed, the model is asked.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTime,
    PyTuple, PyType,
};

use super::model::{FieldPrinter, ModelPrinter, Value};
use super::{BytesForm, Printer};
use crate::codec::node::Node;
use crate::codec::nodes::list::TupleNode;
use crate::codec::nodes::model::{Absence, Field, Model, fields_of};
use crate::codec::own::Own;
use crate::codec::plan::Plan;
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::wire::writer;

/// Fields of one model that are made and printed by Pydantic each by itself. With more of them the model as a whole is the
/// cheaper way.
const MOST_MADE: usize = 3;

type Schema<'py> = Bound<'py, PyDict>;
type Compiled = (ModelPrinter, Box<[OnceLock<Printer>]>);

/// `None` where only the models can say what is printed.
pub(super) fn compile(py: Python<'_>, plan: &Plan) -> PyResult<Option<Compiled>> {
    let Node::Model(node) = plan.root_node() else {
        return Ok(None);
    };
    if plan.keys_may_change() {
        return Ok(None);
    }
    let schema = plan.schema(py).clone();
    let mut compiler = Compiler::new(py, plan, &schema)?;
    let schema = compiler.resolve(schema)?;
    let root = compiler.model(&schema, node.model(), None)?;
    Ok(root
        .filter(|_| !compiler.is_mistaken)
        .map(|root| (root, compiler.definitions.into_boxed_slice())))
}

struct Compiler<'a, 'py> {
    py: Python<'py>,
    plan: &'a Plan,
    schemas: HashMap<String, Schema<'py>>,
    definitions: Vec<OnceLock<Printer>>,
    /// Definitions that are known to have a printer or none; of those that are being compiled it is supposed.
    known: HashMap<u32, Option<bool>>,
    supposed: HashSet<u32>,
    /// What was supposed turned out wrong.
    is_mistaken: bool,
}

impl<'a, 'py> Compiler<'a, 'py> {
    fn new(py: Python<'py>, plan: &'a Plan, schema: &Schema<'py>) -> PyResult<Self> {
        let mut schemas = HashMap::new();
        if let Some(list) = schema.member("definitions")? {
            for definition in list.try_iter()? {
                let definition = definition?.cast_into::<PyDict>()?;
                if let Some(name) = definition.text("ref")? {
                    schemas.insert(name, definition);
                }
            }
        }
        let definitions = (0..plan.definitions().len()).map(|_| OnceLock::new()).collect();
        Ok(Self {
            py,
            plan,
            schemas,
            definitions,
            known: HashMap::new(),
            supposed: HashSet::new(),
            is_mistaken: false,
        })
    }

    fn resolve(&self, mut schema: Schema<'py>) -> PyResult<Schema<'py>> {
        loop {
            schema = match schema.text("type")?.as_deref() {
                Some("definitions") => schema.schema("schema")?,
                Some("definition-ref") => {
                    let name = schema.text("schema_ref")?.unwrap_or_default();
                    self.schemas.get(&name).expect("the plan was compiled").clone()
                }
                _ => return Ok(schema),
            }
        }
    }

    /// How the values of a node are printed; `None` where Pydantic must be asked.
    fn printer(
        &mut self,
        schema: &Schema<'py>,
        node: &Node,
        config: Option<&Schema<'py>>,
    ) -> PyResult<Option<Printer>> {
        let mut schema = schema.clone();
        loop {
            if schema.member("serialization")?.is_some() {
                return Ok(None);
            }
            schema = match (schema.text("type")?.as_deref(), node) {
                (Some("definition-ref"), Node::Reference(node)) => {
                    let schema = self.resolve(schema)?;
                    return self.reference(node.number(), &schema);
                }
                (Some("definitions" | "definition-ref"), _) => self.resolve(schema)?,
                (Some("default"), _) => schema.schema("schema")?,
                _ => break,
            }
        }
        let kind = schema.text("type")?.unwrap_or_default();
        let is_iso = is_iso(config, "ser_json_temporal")?;
        Ok(match (kind.as_str(), node) {
            ("none", Node::None(_)) => Some(Printer::Null),
            ("bool", Node::Bool(_)) => Some(Printer::Bool),
            ("int", Node::Int(node)) if node.is_checked_here() => Some(Printer::Int),
            ("float", Node::Float(node)) if node.is_checked_here() => Some(Printer::Float),
            ("decimal", Node::Decimal(node)) if node.is_plain() => Some(Printer::Decimal),
            ("str", Node::Str(node)) if node.keeps_text() => Some(Printer::Str),
            ("bytes", Node::Bytes(node)) if node.is_plain() => bytes_form(config)?.map(Printer::Bytes),
            ("date", Node::Date(node)) if node.is_plain() && is_iso => Some(Printer::Date),
            ("datetime", Node::DateTime(node)) if node.is_plain() && is_iso => Some(Printer::DateTime),
            ("time", Node::Time(node)) if node.is_plain() && is_iso => Some(Printer::Time),
            ("timedelta", Node::Timedelta(node)) if node.is_plain() && is_iso => {
                is_iso_alone(config)?.then_some(Printer::Timedelta)
            }
            ("uuid", Node::Uuid(node)) if node.is_plain() => Some(Printer::Uuid),
            ("enum", Node::Enum(node)) => self.choice(&schema, node.objects(), config),
            ("literal", Node::Literal(node)) => self.choice(&schema, node.objects(), config),
            ("list", Node::List(node)) => {
                let element = self.part(&schema, "items_schema", node.element(), config)?;
                element.map(|element| Printer::List(Box::new(element)))
            }
            ("tuple", Node::Tuple(node)) => self.tuple(&schema, node, config)?,
            ("set" | "frozenset", Node::Set(node)) => {
                let element = self.part(&schema, "items_schema", node.element(), config)?;
                matches!(element, Some(Printer::Str | Printer::Int)).then_some(Printer::Set)
            }
            ("dict", Node::Map(node)) if node.has_plain_keys() => {
                let value = self.part(&schema, "values_schema", node.value(), config)?;
                value.map(|value| Printer::Map(Box::new(value)))
            }
            ("model", Node::RootModel(node)) if node.is_made_plainly() && makes_bare_instances(&schema)? => {
                let config = schema.member("config")?.map(Bound::cast_into).transpose()?;
                let root = self.printer(&schema.schema("schema")?, node.root(), config.as_ref())?;
                root.map(|root| Printer::RootModel(Box::new(root)))
            }
            ("model" | "dataclass", Node::Model(node)) => {
                let model = self.model(&schema, node.model(), config)?;
                model.map(|model| Printer::Model(Box::new(model)))
            }
            ("nullable", Node::Nullable(node)) => {
                let inner = self.printer(&schema.schema("schema")?, node.inner(), config)?;
                inner.map(|inner| Printer::Nullable(Box::new(inner)))
            }
            _ => None,
        })
    }

    /// The printer of a part that may have no schema: then it is of any type.
    fn part(
        &mut self,
        schema: &Schema<'py>,
        name: &str,
        node: &Node,
        config: Option<&Schema<'py>>,
    ) -> PyResult<Option<Printer>> {
        match schema.member(name)? {
            Some(part) => self.printer(&part.cast_into()?, node, config),
            None => Ok(None),
        }
    }

    fn tuple(
        &mut self,
        schema: &Schema<'py>,
        node: &TupleNode,
        config: Option<&Schema<'py>>,
    ) -> PyResult<Option<Printer>> {
        let schemas = schema.required("items_schema")?.cast_into::<PyList>()?;
        let nodes: Vec<&Node> = match (node.repeated(), node.places()) {
            (Some(element), _) => vec![element],
            (None, Some(places)) => places.iter().collect(),
            (None, None) => return Ok(None),
        };
        let mut printers = Vec::with_capacity(nodes.len());
        for (schema, node) in schemas.iter().zip(nodes) {
            match self.printer(&schema.cast_into()?, node, config)? {
                Some(printer) => printers.push(printer),
                None => return Ok(None),
            }
        }
        Ok(Some(Printer::Tuple(printers.into_boxed_slice())))
    }

    /// What each choice is printed as: Pydantic says it once.
    fn choice<'o>(
        &self,
        schema: &Schema<'py>,
        objects: impl Iterator<Item = &'o Py<PyAny>>,
        config: Option<&Schema<'py>>,
    ) -> Option<Printer> {
        let own = Own::new(schema, config, None);
        let printed = objects.map(|object| {
            let json = own.dump_json(object.bind(self.py), true);
            json.ok().map(|json| json.as_bytes().into())
        });
        Some(Printer::Choice(printed.collect::<Option<_>>()?))
    }

    fn reference(&mut self, number: u32, schema: &Schema<'py>) -> PyResult<Option<Printer>> {
        let has_printer = match self.known.get(&number) {
            Some(Some(known)) => *known,
            Some(None) => {
                self.supposed.insert(number);
                true
            }
            None => {
                self.known.insert(number, None);
                let node = self.plan.definitions().get(number);
                let printer = self.printer(schema, node, None)?;
                let has_printer = printer.is_some();
                if let Some(printer) = printer {
                    assert!(
                        self.definitions[number as usize].set(printer).is_ok(),
                        "each definition is compiled once"
                    );
                }
                self.known.insert(number, Some(has_printer));
                self.is_mistaken |= !has_printer && self.supposed.contains(&number);
                has_printer
            }
        };
        Ok(has_printer.then_some(Printer::Reference(number)))
    }

    /// `None` where the model's own code, or its computed fields, have a say in what is printed.
    fn model(
        &mut self,
        schema: &Schema<'py>,
        model: &Model,
        config: Option<&Schema<'py>>,
    ) -> PyResult<Option<ModelPrinter>> {
        if !model.is_made_plainly() || !makes_bare_instances(schema)? || is_serialized_as_a_whole(schema)? {
            return Ok(None);
        }
        let own_config = schema.member("config")?.map(Bound::cast_into).transpose()?;
        let config = own_config.as_ref().or(config);
        let schemas: HashMap<String, Schema<'py>> = fields_of(schema)?.into_iter().collect();
        let names = model.fields.iter().map(|field| field.name.bind(self.py).extract());
        let names = names.collect::<PyResult<Vec<String>>>()?;
        let Some(order) = printed_order(schema, &names)? else {
            return Ok(None);
        };
        let mut fields = Vec::with_capacity(names.len());
        let mut made = 0;
        for (name, field) in names.iter().zip(&model.fields) {
            let Some(printer) = self.field(name, &schemas[name], field, config)? else {
                return Ok(None);
            };
            made += usize::from(matches!(printer.value, Value::Made));
            fields.push(printer);
        }
        // The values of inferred types would be printed by the model's config, where Pydantic asks the outermost one's.
        if made > MOST_MADE || (made > 0 && has_formats(config)?) {
            return Ok(None);
        }
        let fields = fields.into_boxed_slice();
        Ok(Some(ModelPrinter { fields, order }))
    }

    fn field(
        &mut self,
        name: &str,
        schema: &Schema<'py>,
        field: &Field,
        config: Option<&Schema<'py>>,
    ) -> PyResult<Option<FieldPrinter>> {
        let of_value = schema.schema("schema")?;
        if schema.member("serialization_exclude_if")?.is_some() || asks_the_instance(&of_value)? {
            return Ok(None);
        }
        let is_shown = !schema.flag("serialization_exclude")?.unwrap_or(false);
        let alias = schema.text("serialization_alias")?;
        let mut head = Vec::new();
        writer::push_key(&mut head, alias.as_deref().unwrap_or(name));
        let value = match self.printer(&of_value, &field.node, config)? {
            Some(printer) => Value::Printed(printer),
            None => Value::Made,
        };
        let default = self.default_of(field)?.map(|default| {
            if is_shown {
                [&head, default.as_bytes(), b","].concat().into_boxed_slice()
            } else {
                Box::default()
            }
        });
        Ok(Some(FieldPrinter {
            name: head.into_boxed_slice(),
            value,
            is_shown,
            default,
        }))
    }

    /// What stands for an absent value, where that is the same each time.
    fn default_of(&self, field: &Field) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let py = self.py;
        let default = match field.absence(py) {
            Absence::Refused | Absence::OfOthers => None,
            Absence::Plain(default) => Some(default.into_bound(py)),
            Absence::EmptySet => match field.node.unlayered() {
                Node::Set(node) => node.empty(py).ok(),
                _ => None,
            },
            Absence::Made if field.checks_default() => None,
            Absence::Made => match field.absent() {
                Some((factory, true)) if is_type_of_constants(factory.bind(py)) => Some(factory.bind(py).call0()?),
                Some((_, true)) | None => None,
                Some((default, false)) => Some(default.bind(py).clone()),
            },
        };
        match default {
            Some(default) if is_constant(&default)? => Ok(field.own.dump_json(&default, true).ok()),
            _ => Ok(None),
        }
    }
}

/// Whether `__new__` is none of the user's.
fn makes_bare_instances(schema: &Schema<'_>) -> PyResult<bool> {
    let py = schema.py();
    let new = intern!(py, "__new__");
    let class = schema.required("cls")?;
    Ok(class.getattr(new)?.is(&python::object(py)?.getattr(new)?))
}

/// In which order the fields of these names are printed. A dataclass has another one for them than for its arguments.
fn printed_order(schema: &Schema<'_>, names: &[String]) -> PyResult<Option<Box<[usize]>>> {
    if schema.text("type")?.as_deref() != Some("dataclass") {
        return Ok(Some((0..names.len()).collect()));
    }
    let printed: Vec<String> = schema.required("fields")?.extract()?;
    let places = printed
        .iter()
        .map(|printed| names.iter().position(|name| name == printed));
    let places: Option<Box<[usize]>> = places.collect();
    Ok(places.filter(|places| places.len() == names.len()))
}

/// Whether a serializer of the model, or computed fields, stand around its fields.
fn is_serialized_as_a_whole(schema: &Schema<'_>) -> PyResult<bool> {
    let mut layer = schema.clone();
    loop {
        if layer.member("serialization")?.is_some() {
            return Ok(true);
        }
        match layer.text("type")?.as_deref() {
            Some("model-fields" | "dataclass-args") => {
                let computed = layer.member("computed_fields")?;
                return computed.map_or(Ok(false), |computed| computed.is_truthy());
            }
            _ => layer = layer.schema("schema")?,
        }
    }
}

/// Whether a field's serializer is a method of the instance that holds it.
fn asks_the_instance(schema: &Schema<'_>) -> PyResult<bool> {
    let mut layer = schema.clone();
    loop {
        if let Some(serializer) = layer.member("serialization")?
            && let Ok(serializer) = serializer.cast_into::<PyDict>()
            && serializer.flag("is_field_serializer")?.unwrap_or(false)
        {
            return Ok(true);
        }
        match layer.member("schema")? {
            Some(inner) if inner.is_instance_of::<PyDict>() => layer = inner.cast_into()?,
            _ => return Ok(false),
        }
    }
}

fn setting(config: Option<&Schema<'_>>, name: &str) -> PyResult<Option<String>> {
    config.map_or(Ok(None), |config| config.text(name))
}

fn is_iso(config: Option<&Schema<'_>>, name: &str) -> PyResult<bool> {
    Ok(setting(config, name)?.is_none_or(|form| form == "iso8601"))
}

fn is_iso_alone(config: Option<&Schema<'_>>) -> PyResult<bool> {
    is_iso(config, "ser_json_timedelta")
}

fn bytes_form(config: Option<&Schema<'_>>) -> PyResult<Option<BytesForm>> {
    Ok(match setting(config, "ser_json_bytes")?.as_deref() {
        None | Some("utf8") => Some(BytesForm::Utf8),
        Some("base64") => Some(BytesForm::Base64),
        Some("hex") => Some(BytesForm::Hex),
        Some(_) => None,
    })
}

/// Whether a config says in which forms values are printed.
fn has_formats(config: Option<&Schema<'_>>) -> PyResult<bool> {
    let Some(config) = config else { return Ok(false) };
    for name in config.keys() {
        if name.extract::<String>()?.starts_with("ser_json_") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a factory gives an empty value of a type each time.
fn is_type_of_constants(factory: &Bound<'_, PyAny>) -> bool {
    let py = factory.py();
    [
        py.get_type::<PyList>(),
        py.get_type::<PyDict>(),
        py.get_type::<PySet>(),
        py.get_type::<PyFrozenSet>(),
        py.get_type::<PyTuple>(),
        py.get_type::<PyString>(),
        py.get_type::<PyBytes>(),
        py.get_type::<PyInt>(),
        py.get_type::<PyFloat>(),
        py.get_type::<PyBool>(),
    ]
    .iter()
    .any(|constant: &Bound<'_, PyType>| factory.is(constant))
}

/// Whether a default, or each copy of it, is printed the same each time. A set's copy may have another order.
fn is_constant(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = value.py();
    let is_scalar = value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyDate>()
        || value.is_exact_instance_of::<PyDateTime>()
        || value.is_exact_instance_of::<PyTime>()
        || value.is_exact_instance_of::<PyDelta>()
        || value.is_exact_instance(python::decimal(py)?)
        || value.is_exact_instance(python::uuid(py)?)
        || value.is_instance(python::enum_base(py)?)?;
    if is_scalar {
        return Ok(true);
    }
    let parts = if let Ok(dict) = value.cast_exact::<PyDict>() {
        for (name, value) in dict.iter() {
            if !is_constant(&name)? || !is_constant(&value)? {
                return Ok(false);
            }
        }
        return Ok(true);
    } else if value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PyFrozenSet>()
        || value.is_exact_instance_of::<PySet>() && value.len()? <= 1
    {
        value.try_iter()?
    } else {
        return Ok(false);
    };
    for part in parts {
        if !is_constant(&part?)? {
            return Ok(false);
        }
    }
    Ok(true)
}
