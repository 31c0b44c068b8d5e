//! Models, dataclasses and TypedDicts → M: their fields, what is left out, what stands for what is absent. Hot.
//!
//! Instances are built as pydantic-core builds them, from fields that decoding has already checked; only a custom
//! `__init__` has the values handed to Pydantic.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, OnceLock};

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PySet, PyString, PyTuple, PyType};

use crate::codec::ffi::{DictWalk, instance_dict, new_instance, set_attribute, set_copy, set_instance_dict, set_slot};
use crate::codec::key_form::{self, Role};
use crate::codec::node::{Codec, Node};
use crate::codec::options::Unset;
use crate::codec::schema::{Builder, Epoch, Own, SchemaDict, Tags, oxidyn_metadata};
use crate::codec::state::{Decoding, Encoding, Line, Outcome, Refusal, Step};
use crate::codec::{infer, python};
use crate::wire::Tag;
use crate::wire::reader::Reader;
use crate::wire::writer;

pub struct ModelNode(Box<Model>);

pub struct Model {
    own: Box<Own>,
    class: Py<PyType>,
    kind: Kind,
    pub fields: Box<[Field]>,
    by_attribute: HashMap<Box<str>, u16>,
    /// Which field followed which the last time: DynamoDB does not keep an order, but items of one table tend to have
    /// the same. The last place is for the beginning.
    successors: Box<[AtomicU16]>,
    /// Every field's default, or None where there is none: copied for each instance.
    template: Py<PyDict>,
    /// The fields whose absence takes more than the template, among the first 128.
    awaited: u128,
    /// Whether any field is left out for not being set.
    skips_unset: bool,
    no_arguments: Py<PyTuple>,
}

enum Kind {
    Model {
        post_init: Option<Py<PyString>>,
        fields_sets: FieldsSets,
    },
    /// A model whose own `__init__` takes the values.
    Initialized,
    Dataclass {
        slots: bool,
        /// What `__post_init__` takes: the defaults of the init-only fields.
        post_init: Option<Py<PyTuple>>,
    },
    TypedDict,
}

/// `model_fields_set` by which fields were there: few sets serve many items.
#[derive(Default)]
struct FieldsSets {
    /// Of the first item, which is like most others: it is looked at without a lock.
    first: OnceLock<(u128, Py<PySet>)>,
    others: Mutex<Vec<(u128, Py<PySet>)>>,
}

pub struct Field {
    pub name: Py<PyString>,
    /// `,"name":`
    head: Box<[u8]>,
    /// The name with the one wire type that the field has beside NULL, `"name":{"S":`, which is compared in one go. None
    /// where there are several types, and for keys, whose form is looked at as a whole.
    expected: Option<(Tag, Box<[u8]>)>,
    pub stored: Box<str>,
    pub node: Node,
    pub role: Role,
    /// None is not stored, because the default is literally None.
    pub omits_none: bool,
    /// An empty set is not stored, because absent gives it back.
    pub omits_empty: bool,
    skips_unset: bool,
    absent: Absent,
    /// Checks what stands for an absent value, where the model validates its defaults.
    default_check: Option<Box<Own>>,
    /// The name under which Pydantic takes the value.
    input_name: Py<PyString>,
    /// What Pydantic itself would use: for keys, and for the values of conditions and updates.
    pub own: Box<Own>,
    default: Option<Py<PyAny>>,
}

/// What stands for an attribute that is not there.
enum Absent {
    /// Nothing: it is required.
    Missing,
    /// Nothing: it is not required.
    Nothing,
    /// The default, from the template.
    Plain,
    /// A default that may be changed: a copy of it.
    Copied(Py<PyAny>),
    Factory(Py<PyAny>),
    FactoryOfData(Py<PyAny>),
    EmptySet,
}

/// Which fields were there.
#[derive(Clone, Default)]
struct Seen {
    low: u128,
    high: Vec<u128>,
}

impl Seen {
    #[inline]
    fn insert(&mut self, index: usize) {
        if index < 128 {
            self.low |= 1 << index;
        } else {
            self.insert_high(index / 128 - 1, index % 128);
        }
    }

    #[cold]
    fn insert_high(&mut self, word: usize, bit: usize) {
        if self.high.len() <= word {
            self.high.resize(word + 1, 0);
        }
        self.high[word] |= 1 << bit;
    }

    #[inline]
    fn has(&self, index: usize) -> bool {
        if index < 128 {
            self.low & 1 << index != 0
        } else {
            self.high
                .get(index / 128 - 1)
                .is_some_and(|word| word & 1 << (index % 128) != 0)
        }
    }

    /// Whether these were there, of the first 128.
    #[inline]
    fn has_all(&self, fields: u128) -> bool {
        self.low & fields == fields
    }
}

impl ModelNode {
    pub fn model(&self) -> &Model {
        &self.0
    }
}

impl Model {
    pub fn class<'py>(&self, py: Python<'py>) -> &Bound<'py, PyType> {
        self.class.bind(py)
    }

    pub fn is_typed_dict(&self) -> bool {
        matches!(self.kind, Kind::TypedDict)
    }

    pub fn field(&self, py: Python<'_>, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.bind(py) == name)
    }

    pub fn is_instance(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        if self.is_typed_dict() {
            return Ok(value.is_instance_of::<PyDict>());
        }
        let class = self.class.bind(value.py());
        Ok(value.is_exact_instance(class) || value.is_instance(class)?)
    }

    /// A field's value in an instance.
    pub fn value_of<'py>(&self, instance: &Bound<'py, PyAny>, field: &Field) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = instance.py();
        match &self.kind {
            Kind::TypedDict => instance.cast::<PyDict>()?.get_item(field.name.bind(py)),
            Kind::Dataclass { slots: true, .. } => instance.getattr_opt(field.name.bind(py)),
            _ => instance_dict(instance)?.get_item(field.name.bind(py)),
        }
    }
}

// ---- build ----

impl Codec for ModelNode {
    const KINDS: &'static [&'static str] = &["model", "dataclass", "typed-dict"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let config = schema.member("config")?.map(Bound::cast_into).transpose()?;
        let config = config.or_else(|| builder.config.clone());
        builder.with_config(config, |builder| match schema.text("type")?.as_deref() {
            Some("model") => build_model(schema, builder),
            Some("dataclass") => build_dataclass(schema, builder),
            _ => build_typed_dict(schema, builder),
        })
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::M)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let model = &*self.0;
        model.own.traverse(visit)?;
        visit.call(&model.class)?;
        visit.call(&model.template)?;
        visit.call(&model.no_arguments)?;
        if let Kind::Dataclass { post_init, .. } = &model.kind {
            visit.call(post_init)?;
        }
        model.fields.iter().try_for_each(|field| {
            field.node.traverse(visit)?;
            field.own.traverse(visit)?;
            visit.call(&field.default)?;
            if let Some(own) = &field.default_check {
                own.traverse(visit)?;
            }
            match &field.absent {
                Absent::Copied(object) | Absent::Factory(object) | Absent::FactoryOfData(object) => visit.call(object),
                Absent::Missing | Absent::Nothing | Absent::Plain | Absent::EmptySet => Ok(()),
            }
        })
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        state.push(b"{\"M\":");
        state.enter()?;
        self.0.encode_fields(value, state)?;
        state.leave();
        state.push(b"}");
        Ok(())
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::M {
            return self.0.own.convert(tag, reader, state);
        }
        state.enter()?;
        let value = self.0.decode_fields(reader, state)?;
        state.leave();
        Ok(value)
    }
}

fn build_model<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    let py = builder.py;
    if schema.flag("root_model")?.unwrap_or(false) {
        return Err(builder.unsupported("a root model"));
    }
    let inner = schema.schema("schema")?;
    let kind = inner.text("type")?.unwrap_or_default();
    if kind != "model-fields" {
        return Err(builder.unsupported(&format!("a model with a `{kind}`")));
    }
    refuse_serializers(schema, &inner, builder)?;
    refuse_extra(&inner, builder)?;
    let kind = if schema.flag("custom_init")?.unwrap_or(false) {
        Kind::Initialized
    } else {
        let post_init = schema
            .text("post_init")?
            .map(|name| PyString::intern(py, &name).unbind());
        Kind::Model {
            post_init,
            fields_sets: FieldsSets::default(),
        }
    };
    let fields = inner.schema("fields")?;
    let fields = DictWalk::new(&fields).map(|(name, field)| Ok((name.extract()?, field.cast_into()?)));
    let fields = fields.collect::<PyResult<Vec<(String, Bound<'py, PyDict>)>>>()?;
    build_fields(schema, kind, fields, builder)
}

fn build_dataclass<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    let py = builder.py;
    let inner = schema.schema("schema")?;
    let kind = inner.text("type")?.unwrap_or_default();
    if kind != "dataclass-args" {
        return Err(builder.unsupported(&format!("a dataclass with a `{kind}`")));
    }
    refuse_serializers(schema, &inner, builder)?;
    refuse_extra(&inner, builder)?;
    let mut fields = Vec::new();
    let mut init_only = Vec::new();
    for field in inner.required("fields")?.try_iter()? {
        let field = field?.cast_into::<PyDict>()?;
        let name = field.text("name")?.unwrap_or_default();
        if field.flag("init_only")?.unwrap_or(false) {
            let default = field.schema("schema")?.get_item("default")?;
            let Some(default) = default else {
                return builder.inside(name, |builder| Err(builder.unsupported("an InitVar without a default")));
            };
            init_only.push(default);
        } else {
            fields.push((name, field));
        }
    }
    let post_init = schema.flag("post_init")?.unwrap_or(false);
    let post_init = post_init
        .then(|| PyTuple::new(py, init_only).map(Bound::unbind))
        .transpose()?;
    let kind = Kind::Dataclass {
        slots: schema.flag("slots")?.unwrap_or(false),
        post_init,
    };
    build_fields(schema, kind, fields, builder)
}

fn build_typed_dict<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    refuse_extra(schema, builder)?;
    let fields = schema.schema("fields")?;
    let fields = DictWalk::new(&fields).map(|(name, field)| Ok((name.extract()?, field.cast_into()?)));
    let fields = fields.collect::<PyResult<Vec<(String, Bound<'py, PyDict>)>>>()?;
    build_fields(schema, Kind::TypedDict, fields, builder)
}

fn refuse_serializers<'py>(
    schema: &Bound<'py, PyDict>,
    inner: &Bound<'py, PyDict>,
    builder: &Builder<'_, 'py>,
) -> PyResult<()> {
    builder.refuse_serializer(schema)?;
    builder.refuse_serializer(inner)
}

fn refuse_extra<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<()> {
    let extra = builder.setting(schema, "extra_behavior", "extra_fields_behavior")?;
    if extra.is_some_and(|extra| extra.extract::<String>().is_ok_and(|extra| extra == "allow")) {
        return Err(builder.unsupported("a model with extra=\"allow\""));
    }
    Ok(())
}

fn build_fields<'py>(
    schema: &Bound<'py, PyDict>,
    kind: Kind,
    schemas: Vec<(String, Bound<'py, PyDict>)>,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Node> {
    let py = builder.py;
    let is_root = std::mem::take(&mut builder.at_root);
    let template = PyDict::new(py);
    let mut fields = Vec::with_capacity(schemas.len());
    let mut by_attribute = HashMap::with_capacity(schemas.len());
    for (name, schema) in schemas {
        let field = builder.inside(name.clone(), |builder| {
            build_field(&name, &schema, &kind, is_root, builder)
        })?;
        let index = u16::try_from(fields.len()).expect("fewer fields than 65,536");
        if by_attribute.insert(field.stored.clone(), index).is_some() {
            let message = format!("the name {:?} is stored for another field already", field.stored);
            return builder.inside(name, |builder| Err(builder.schema_error(&message)));
        }
        if !matches!(kind, Kind::TypedDict) {
            let default = field.default.as_ref().filter(|_| matches!(field.absent, Absent::Plain));
            template.set_item(&field.name, default)?;
        }
        fields.push(field);
    }
    let successors = (1..=fields.len())
        .chain([0])
        .map(|next| AtomicU16::new(u16::try_from(next).unwrap_or(0)));
    let from_template = |field: &Field| {
        !matches!(kind, Kind::TypedDict) && matches!(field.absent, Absent::Plain) && field.default_check.is_none()
    };
    let awaited = (0..128u32).zip(&fields).filter(|(_, field)| !from_template(field));
    let awaited = awaited.fold(0u128, |awaited, (index, _)| awaited | 1 << index);
    let model = Model {
        own: builder.own(schema),
        class: match schema.member("cls")? {
            Some(class) => class.cast_into()?.unbind(),
            None => py.get_type::<PyDict>().unbind(),
        },
        kind,
        skips_unset: fields.iter().any(|field| field.skips_unset),
        successors: successors.collect(),
        awaited,
        fields: fields.into_boxed_slice(),
        by_attribute,
        template: template.unbind(),
        no_arguments: PyTuple::empty(py).unbind(),
    };
    Ok(ModelNode(Box::new(model)).into())
}

fn build_field<'py>(
    name: &str,
    field: &Bound<'py, PyDict>,
    kind: &Kind,
    is_root: bool,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Field> {
    let py = builder.py;
    let schema = field.schema("schema")?;
    let role = if is_root {
        Role::of(name, builder.options)
    } else {
        Role::None
    };
    if is_root && builder.options.ttl.as_deref() == Some(name) {
        builder.marks.epoch = Some(Epoch::Ttl);
    }
    let node = builder.with_order(role != Role::None, |builder| builder.build(&schema))?;

    let has_default = schema.text("type")?.as_deref() == Some("default");
    let default = if has_default { schema.get_item("default")? } else { None };
    let factory = if has_default {
        schema.member("default_factory")?
    } else {
        None
    };
    let is_set = matches!(node, Node::Set(_));
    let is_optional = match kind {
        Kind::TypedDict => !field.flag("required")?.unwrap_or(true),
        Kind::Dataclass { .. } => field.flag("init")? == Some(false),
        Kind::Model { .. } | Kind::Initialized => false,
    };
    let gives_empty_set = match (&default, &factory) {
        (Some(default), _) => infer::is_empty_set(default),
        (None, Some(factory)) => factory.is(py.get_type::<PySet>()) || factory.is(py.get_type::<PyFrozenSet>()),
        (None, None) => !is_optional,
    };
    let absent = match (&default, &factory) {
        (Some(default), _) if schema.flag("copy_default")?.unwrap_or(false) || default.hash().is_err() => {
            Absent::Copied(default.clone().unbind())
        }
        (Some(_), _) => Absent::Plain,
        (None, Some(factory)) if schema.flag("default_factory_takes_data")?.unwrap_or(false) => {
            Absent::FactoryOfData(factory.clone().unbind())
        }
        (None, Some(factory)) => Absent::Factory(factory.clone().unbind()),
        (None, None) if is_optional => Absent::Nothing,
        (None, None) if is_set && !matches!(kind, Kind::TypedDict) => Absent::EmptySet,
        (None, None) => Absent::Missing,
    };
    let validates_default = builder.setting(&schema, "validate_default", "validate_default")?;
    let default_check = match validates_default {
        Some(on) if has_default && on.is_truthy()? => Some(builder.own(&schema.schema("schema")?)),
        _ => None,
    };
    let stored = stored_name(name, field, &schema, builder)?;
    let mut head = vec![b','];
    writer::push_key(&mut head, &stored);
    let is_choice = matches!(node, Node::Literal(_) | Node::Enum(_));
    let discriminates = is_choice && builder.discriminates(name, field)?;
    let tag = node.tags().without(Tag::Null).only().filter(|_| role == Role::None);
    let expected = tag.map(|tag| {
        let written = [&head[1..], b"{\"", tag.name().as_bytes(), b"\":"].concat();
        (tag, written.into_boxed_slice())
    });
    let plain_default = default.is_some() && matches!(kind, Kind::Model { .. } | Kind::Initialized);
    Ok(Field {
        name: PyString::intern(py, name).unbind(),
        head: head.into_boxed_slice(),
        expected,
        stored: stored.into_boxed_str(),
        node,
        role,
        omits_none: !matches!(kind, Kind::TypedDict) && default.as_ref().is_some_and(|default| default.is_none()),
        omits_empty: is_set && !matches!(kind, Kind::TypedDict) && gives_empty_set,
        skips_unset: builder.options.unset == Unset::Skip && plain_default && role == Role::None && !discriminates,
        absent,
        default_check,
        input_name: PyString::intern(py, &input_name(name, field, kind, builder)?).unbind(),
        own: builder.own(&schema),
        default: default.map(Bound::unbind),
    })
}

/// `Attribute(name=…)`, else the serialization alias where the model serializes by alias, else the name.
fn stored_name<'py>(
    name: &str,
    field: &Bound<'py, PyDict>,
    schema: &Bound<'py, PyDict>,
    builder: &Builder<'_, 'py>,
) -> PyResult<String> {
    let mut schema = schema.clone();
    loop {
        if let Some(stored) = oxidyn_metadata(&schema)?
            .map(|marks| marks.text("name"))
            .transpose()?
            .flatten()
        {
            return Ok(stored);
        }
        match schema.text("type")?.as_deref() {
            Some("default" | "nullable") => schema = schema.schema("schema")?,
            _ => break,
        }
    }
    let by_alias = builder
        .config
        .as_ref()
        .map(|config| config.flag("serialize_by_alias"))
        .transpose()?
        .flatten();
    let alias = if by_alias.unwrap_or(false) {
        field.text("serialization_alias")?
    } else {
        None
    };
    Ok(alias.unwrap_or_else(|| name.to_owned()))
}

/// The name under which a model stores the field that Pydantic takes by this name; `None` where it has none.
pub fn stored_name_of<'py>(
    schema: &Bound<'py, PyDict>,
    name: &str,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Option<String>> {
    let config = schema.member("config")?.map(Bound::cast_into).transpose()?;
    let config = config.or_else(|| builder.config.clone());
    for (own, field) in fields_of(schema)? {
        let alias = field.member("validation_alias")?;
        let is_alias = alias.is_some_and(|alias| alias.extract::<String>().is_ok_and(|alias| alias == name));
        if own == name || is_alias {
            let of_field = field.schema("schema")?;
            return builder.with_config(config, |builder| {
                stored_name(&own, &field, &of_field, builder).map(Some)
            });
        }
    }
    Ok(None)
}

/// The fields of a model's, dataclass's or TypedDict's schema; of another schema none.
pub fn fields_of<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Vec<(String, Bound<'py, PyDict>)>> {
    let mut fields = Vec::new();
    let holder = match schema.text("type")?.as_deref() {
        Some("model" | "dataclass") => schema.schema("schema")?,
        Some("typed-dict") => schema.clone(),
        _ => return Ok(fields),
    };
    let Some(declared) = holder.member("fields")? else {
        return Ok(fields);
    };
    if let Ok(declared) = declared.cast::<PyDict>() {
        for (name, field) in declared.iter() {
            fields.push((name.extract()?, field.cast_into()?));
        }
    } else {
        for field in declared.try_iter()? {
            let field = field?.cast_into::<PyDict>()?;
            fields.push((field.text("name")?.unwrap_or_default(), field));
        }
    }
    Ok(fields)
}

/// The first plain validation alias, else the name, where the model takes it.
fn input_name<'py>(
    name: &str,
    field: &Bound<'py, PyDict>,
    kind: &Kind,
    builder: &Builder<'_, 'py>,
) -> PyResult<String> {
    let setting = |name: &str| -> PyResult<Option<bool>> {
        Ok(builder
            .config
            .as_ref()
            .map(|config| config.flag(name))
            .transpose()?
            .flatten())
    };
    let alias = field.member("validation_alias")?;
    let (Some(alias), false) = (alias, setting("validate_by_alias")? == Some(false)) else {
        return Ok(name.to_owned());
    };
    if let Ok(alias) = alias.extract::<String>() {
        return Ok(alias);
    }
    for path in alias.cast::<PyList>()?.iter() {
        // One path may stand alone, or several in a list.
        if let Ok(path) = path.cast::<PyList>()
            && path.len() == 1
        {
            return path.get_item(0)?.extract();
        }
    }
    let by_name = setting("validate_by_name")?
        .or(setting("populate_by_name")?)
        .unwrap_or(false);
    if matches!(kind, Kind::Initialized) && !by_name {
        return Err(builder.unsupported(
            "a field that only an alias path reaches, in a model with an `__init__` of its own (validate_by_name=True helps),",
        ));
    }
    Ok(name.to_owned())
}

// ---- encode ----

impl Model {
    /// Append the fields as an object: `{"name":{"S":"x"}}`.
    pub fn encode_fields(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let py = value.py();
        if !self.is_instance(value)? {
            let class = self.class.bind(py).name()?;
            let kind = if self.is_typed_dict() {
                "dict_type"
            } else {
                "model_type"
            };
            return Err(Refusal::unexpected(kind, &format!("an instance of {class}"), value));
        }
        let fields_set = match &self.kind {
            // A bare `cls.__new__(cls)` has none: then everything it has is stored.
            Kind::Model { .. } | Kind::Initialized if self.skips_unset => value
                .getattr_opt(pyo3::intern!(py, "__pydantic_fields_set__"))?
                .and_then(|set| set.cast_into::<PySet>().ok()),
            _ => None,
        };
        let mut fields = FieldWriter {
            first: true,
            refused: Vec::new(),
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
                self.refuse_undeclared(dict, &mut fields.refused)?;
            }
            Kind::Model { .. } | Kind::Initialized | Kind::Dataclass { .. } => {
                self.encode_dict(&instance_dict(value)?, &mut fields)?;
            }
        }
        fields.state.push(b"}");
        let FieldWriter { refused, .. } = fields;
        if refused.is_empty() {
            Ok(())
        } else {
            Err(Box::new(Refusal::Lines(refused)))
        }
    }

    /// Instances have their fields in the model's order: then each is the next one of the walk, told by its name's
    /// address. From the first that is not, fields are looked up.
    #[inline]
    fn encode_dict<'py>(&self, dict: &Bound<'py, PyDict>, fields: &mut FieldWriter<'_, '_, 'py>) -> Outcome<()> {
        let py = dict.py();
        let mut walk = DictWalk::new(dict);
        for (index, field) in self.fields.iter().enumerate() {
            match walk.next_named(&field.name) {
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

    /// A key that the TypedDict does not declare would be lost.
    fn refuse_undeclared(&self, dict: &Bound<'_, PyDict>, refused: &mut Vec<Line>) -> Outcome<()> {
        let py = dict.py();
        for (name, _) in DictWalk::new(dict) {
            let declared = self.fields.iter().any(|field| name.is(&field.name))
                || self
                    .fields
                    .iter()
                    .any(|field| name.eq(field.name.bind(py)).unwrap_or(false));
            if !declared {
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

struct FieldWriter<'a, 'b, 'py> {
    first: bool,
    refused: Vec<Line>,
    fields_set: Option<Bound<'py, PySet>>,
    state: &'a mut Encoding<'b>,
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
        let written = field.node.encode(&value, self.state).and_then(|()| match field.role {
            Role::None => Ok(()),
            Role::Key | Role::Index => key_form::check_written(&self.state.out[content..]),
        });
        match written {
            Ok(()) => self.first = false,
            Err(refusal) => {
                refusal
                    .under(|| Step::name(field.name.bind(value.py())))
                    .gather(&mut self.refused)?;
                self.state.out.truncate(start);
                self.state.depth = depth;
            }
        }
        Ok(())
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

// ---- decode ----

impl Model {
    /// Read an object of attributes: `{"name":{"S":"x"}}`.
    pub fn decode_fields<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let py = state.py;
        let dict = match self.kind {
            Kind::TypedDict => PyDict::new(py),
            _ => self.template.bind(py).copy()?,
        };
        let mut seen = Seen::default();
        let mut refused: Vec<Line> = Vec::new();
        let mut previous = self.fields.len();
        let mut more = reader.begin_object()?;
        while more {
            let start = reader.position();
            let depth = state.depth;
            let predicted = usize::from(self.successors[previous].load(Ordering::Relaxed));
            let likely = self.fields.get(predicted);
            let (index, position, value) = match likely.and_then(|field| field.read_expected(reader, state)) {
                Some(value) => (predicted, start + self.fields[predicted].head.len() - 1, value),
                None => {
                    let Some(index) = self.read_name(previous, reader, state, &mut refused)? else {
                        more = reader.next_member()?;
                        continue;
                    };
                    let position = reader.position();
                    (index, position, self.fields[index].read(reader, state))
                }
            };
            previous = index;
            let field = &self.fields[index];
            seen.insert(index);
            match value {
                Ok(value) => dict.set_item(field.name.bind(py), value)?,
                Err(refusal) => {
                    refusal.under(|| Step::name(field.name.bind(py))).gather(&mut refused)?;
                    state.depth = depth;
                    reader.seek(position);
                    reader.skip_value()?;
                }
            }
            more = reader.next_member()?;
        }
        if !seen.has_all(self.awaited) || self.fields.len() > 128 {
            self.fill_absent(&dict, &mut seen, &mut refused)?;
        }
        if !refused.is_empty() {
            return Err(Box::new(Refusal::Lines(refused)));
        }
        self.build_instance(dict, &seen)
    }

    /// Read an attribute's name: the predicted one is compared, another looked up. One that is no field is skipped with
    /// its value.
    #[inline]
    fn read_name(
        &self,
        previous: usize,
        reader: &mut Reader<'_>,
        state: &Decoding<'_, '_>,
        refused: &mut Vec<Line>,
    ) -> Outcome<Option<usize>> {
        let predicted = usize::from(self.successors[previous].load(Ordering::Relaxed));
        if let Some(field) = self.fields.get(predicted)
            && reader.try_key(&field.head[1..])
        {
            return Ok(Some(predicted));
        }
        let name = reader.key()?;
        if let Some(&index) = self.by_attribute.get(&*name) {
            self.successors[previous].store(index, Ordering::Relaxed);
            return Ok(Some(usize::from(index)));
        }
        if state.refuses_unknown {
            let message = "found an attribute that is no field (unknown=\"error\")";
            Refusal::new("extra_forbidden", message)
                .under(|| Step::text(state.py, &name))
                .gather(refused)?;
        }
        reader.skip_value()?;
        Ok(None)
    }

    #[cold]
    fn fill_absent(&self, dict: &Bound<'_, PyDict>, seen: &mut Seen, refused: &mut Vec<Line>) -> Outcome<()> {
        let py = dict.py();
        for (index, field) in self.fields.iter().enumerate() {
            if seen.has(index) {
                continue;
            }
            let name = field.name.bind(py);
            let value = match &field.absent {
                Absent::Missing => Err(Refusal::missing()),
                Absent::Nothing => {
                    if !self.is_typed_dict() {
                        dict.del_item(name)?;
                    }
                    continue;
                }
                Absent::Plain => match &field.default_check {
                    None if !self.is_typed_dict() => continue,
                    _ => Ok(field.default(py).expect("a plain default").clone()),
                },
                Absent::Copied(default) => Ok(python::deepcopy(py)?.call1((default,))?),
                // A factory that needs the other fields is not called when those are refused, as Pydantic has it.
                Absent::FactoryOfData(_) if !refused.is_empty() => continue,
                Absent::FactoryOfData(factory) => {
                    let data = PyDict::new(py);
                    for earlier in &self.fields[..index] {
                        data.set_item(&earlier.name, dict.get_item(&earlier.name)?)?;
                    }
                    Ok(factory.bind(py).call1((data,))?)
                }
                Absent::Factory(factory) => Ok(factory.bind(py).call0()?),
                Absent::EmptySet => {
                    seen.insert(index);
                    match &field.node {
                        Node::Set(node) => node.empty(py),
                        _ => Err(Refusal::missing()),
                    }
                }
            };
            let checked = value.and_then(|value| match &field.default_check {
                Some(own) => own.validate(&value, false),
                None => Ok(value),
            });
            match checked {
                Ok(value) => dict.set_item(name, value)?,
                Err(refusal) => refusal.under(|| Step::name(name)).gather(refused)?,
            }
        }
        Ok(())
    }

    fn build_instance<'py>(&self, dict: Bound<'py, PyDict>, seen: &Seen) -> Outcome<Bound<'py, PyAny>> {
        let py = dict.py();
        match &self.kind {
            Kind::TypedDict => Ok(dict.into_any()),
            Kind::Initialized => {
                let values = PyDict::new(py);
                for (index, field) in self.fields.iter().enumerate() {
                    if seen.has(index) {
                        values.set_item(&field.input_name, dict.get_item(&field.name)?)?;
                    }
                }
                self.own.validate(values.as_any(), false)
            }
            Kind::Model { post_init, fields_sets } => {
                let instance = new_instance(self.class.bind(py), self.no_arguments.bind(py))?;
                set_instance_dict(&instance, &dict)?;
                let none = py.None().into_bound(py);
                set_slot(python::model_extra(py)?, &instance, &none)?;
                set_slot(
                    python::model_fields_set(py)?,
                    &instance,
                    &self.fields_set(py, fields_sets, seen)?,
                )?;
                set_slot(python::model_private(py)?, &instance, &none)?;
                if let Some(post_init) = post_init {
                    instance
                        .call_method1(post_init, (none,))
                        .map_err(|error| Refusal::from_user_code(py, error))?;
                }
                Ok(instance)
            }
            Kind::Dataclass { slots, post_init } => {
                let instance = new_instance(self.class.bind(py), self.no_arguments.bind(py))?;
                if *slots {
                    for (name, value) in DictWalk::new(&dict) {
                        set_attribute(&instance, name.cast::<PyString>().map_err(PyErr::from)?, &value)?;
                    }
                } else {
                    set_instance_dict(&instance, &dict)?;
                }
                if let Some(arguments) = post_init {
                    instance
                        .call_method1(pyo3::intern!(py, "__post_init__"), arguments.bind(py).clone())
                        .map_err(|error| Refusal::from_user_code(py, error))?;
                }
                Ok(instance)
            }
        }
    }

    /// The set of the fields that were there.
    #[inline]
    fn fields_set<'py>(&self, py: Python<'py>, known: &FieldsSets, seen: &Seen) -> PyResult<Bound<'py, PyAny>> {
        match known.first.get() {
            Some((mask, set)) if *mask == seen.low && seen.high.is_empty() => set_copy(set.bind(py)),
            _ => self.other_fields_set(py, known, seen),
        }
    }

    fn other_fields_set<'py>(&self, py: Python<'py>, known: &FieldsSets, seen: &Seen) -> PyResult<Bound<'py, PyAny>> {
        const KEPT: usize = 8;
        let may_be_known = seen.high.is_empty();
        if may_be_known
            && let Ok(others) = known.others.lock()
            && let Some((_, set)) = others.iter().find(|(mask, _)| *mask == seen.low)
        {
            return set_copy(set.bind(py));
        }
        let set = PySet::empty(py)?;
        for (index, field) in self.fields.iter().enumerate() {
            if seen.has(index) {
                set.add(&field.name)?;
            }
        }
        if may_be_known {
            // A copy has the table that its own copies will have, which are then made as a whole.
            let kept = set_copy(&set)?.cast_into::<PySet>().map_err(PyErr::from)?.unbind();
            if let Err((mask, kept)) = known.first.set((seen.low, kept))
                && let Ok(mut others) = known.others.lock()
                && others.len() < KEPT
            {
                others.push((mask, kept));
            }
        }
        Ok(set.into_any())
    }
}

impl Field {
    pub fn default<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyAny>> {
        self.default.as_ref().map(|default| default.bind(py))
    }

    /// Whether every instance has it.
    pub fn is_always_there(&self) -> bool {
        !matches!(self.absent, Absent::Nothing)
    }

    /// Read the value if the name and the wire type are written as they mostly are; otherwise nothing is read.
    #[inline]
    fn read_expected<'py>(
        &self,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Option<Outcome<Bound<'py, PyAny>>> {
        let (tag, written) = self.expected.as_ref()?;
        reader.try_bytes(written).then(|| {
            let value = self.node.decode(*tag, reader, state)?;
            reader.end()?;
            Ok(value)
        })
    }

    /// Read the field's value, and in a key require its canonical form.
    #[inline]
    fn read<'py>(&self, reader: &mut Reader<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
        if self.role == Role::None {
            return self.node.decode_value(reader, state);
        }
        reader.peek();
        let start = reader.position();
        let value = self.node.decode_value(reader, state)?;
        let stored = &reader.bytes()[start..reader.position()];
        if !self.node.writes_again(stored) {
            key_form::check_stored(stored, &self.node, &value, state)?;
        }
        Ok(value)
    }
}
