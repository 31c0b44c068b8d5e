//! A model's schema → its plan.

use std::collections::HashMap;
use std::sync::atomic::AtomicU16;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::computed::build_computed;
use super::extras::Extras;
use super::field::Absent;
use super::fields_set::{FieldsSets, LOW, Low, insert_low};
use super::in_turn;
use super::instance::Kind;
use super::values::Made;
use super::{Field, Model, ModelNode};
use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::ffi::{DictWalk, Slots};
use crate::codec::node::Node;
use crate::codec::nodes::function::{Wanted, holds, is_transparent};
use crate::codec::options::{Load, Unknown};
use crate::codec::own::Own;
use crate::codec::own::Terms;
use crate::codec::python;
use crate::codec::schema::{SchemaDict, remove};
use crate::codec::template::Template;

pub(super) fn build_model<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    let py = builder.py;
    let (inner, _) = holder_of_fields(schema)?;
    let kind = inner.text("type")?.unwrap_or_default();
    if kind != "model-fields" {
        return Err(builder.unsupported(&format!("a model with a `{kind}`")));
    }
    let post_init = schema
        .text("post_init")?
        .map(|name| PyString::intern(py, &name).unbind());
    let kind = Kind::Model {
        post_init,
        fields_sets: FieldsSets::default(),
        slots: slots_of(schema, &inner, builder)?,
    };
    let fields = inner.schema("fields")?;
    let fields = DictWalk::new(&fields).map(|(name, field)| Ok((name.extract()?, field.cast_into()?)));
    let fields = fields.collect::<PyResult<Vec<(String, Bound<'py, PyDict>)>>>()?;
    build_fields(schema, &inner, kind, fields, builder)
}

pub(super) fn build_dataclass<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    let py = builder.py;
    let (inner, _) = holder_of_fields(schema)?;
    let kind = inner.text("type")?.unwrap_or_default();
    if kind != "dataclass-args" {
        return Err(builder.unsupported(&format!("a dataclass with a `{kind}`")));
    }
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
    build_fields(schema, &inner, kind, fields, builder)
}

pub(super) fn build_typed_dict<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
    let fields = schema.schema("fields")?;
    let fields = DictWalk::new(&fields).map(|(name, field)| Ok((name.extract()?, field.cast_into()?)));
    let fields = fields.collect::<PyResult<Vec<(String, Bound<'py, PyDict>)>>>()?;
    build_fields(schema, schema, Kind::TypedDict, fields, builder)
}

/// The slots of `BaseModel`, where there are no extras and the class has no annotation of its own in front of theirs.
fn slots_of<'py>(
    schema: &Bound<'py, PyDict>,
    inner: &Bound<'py, PyDict>,
    builder: &Builder<'_, 'py>,
) -> PyResult<Option<Slots<3>>> {
    let py = builder.py;
    let class = schema.required("cls")?.cast_into::<PyType>()?;
    let of_base = python::model_extra(py)?;
    let slot = class.getattr_opt(intern!(py, "__pydantic_extra__"))?;
    if Extras::are_allowed(inner, builder)? || !slot.is_some_and(|slot| of_base.is(&slot)) {
        return Ok(None);
    }
    let slots = [python::model_fields_set(py)?, python::model_private(py)?, of_base];
    Ok(Some(Slots::of(class, slots)))
}

/// With `unknown="keep"`, attributes that are no field lie in the instance's `__dict__`.
fn refuse_to_keep(kind: &Kind, made: Made, builder: &Builder<'_, '_>) -> PyResult<()> {
    let what = match kind {
        Kind::TypedDict => "a TypedDict",
        Kind::Dataclass { slots: true, .. } => "a dataclass with slots",
        Kind::Model { .. } | Kind::Dataclass { .. } if made == Made::Outside => {
            "a model below a validator of yours, which makes the instance,"
        }
        Kind::Model { .. } | Kind::Dataclass { .. } => return Ok(()),
    };
    Err(builder.schema_error(&format!(
        "unknown=\"keep\" holds attributes that are no field beside the instance, and {what} has no place for them: \
         use a model, or unknown=\"skip\""
    )))
}

/// `inner` is the schema that holds the fields.
fn build_fields<'py>(
    schema: &Bound<'py, PyDict>,
    inner: &Bound<'py, PyDict>,
    kind: Kind,
    schemas: Vec<(String, Bound<'py, PyDict>)>,
    builder: &mut Builder<'_, 'py>,
) -> PyResult<Node> {
    let py = builder.py;
    let is_root = std::mem::take(&mut builder.at_root);
    let template = PyDict::new(py);
    let mut fields = Vec::with_capacity(schemas.len());
    let mut by_attribute = HashMap::with_capacity(schemas.len());
    let (mut made, validated_by) = who_makes(schema, &schemas, builder)?;
    let outer_terms = std::mem::take(&mut builder.terms);
    for (name, field_schema) in schemas {
        let mut field = in_turn::build(&name, &field_schema, &kind, (is_root, validated_by), &fields, builder)?;
        if field.node.needs_instance() {
            field.serializer = Some(serializer_of_one(schema, &name, builder)?);
        }
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
    match &mut made {
        Made::ByValidator(terms) => *terms = std::mem::replace(&mut builder.terms, outer_terms),
        Made::Outside => {
            builder.terms = builder.terms.and(outer_terms);
        }
        Made::Here => builder.terms = outer_terms,
    }
    let computed = builder.with_validation(ValidatedBy::Node, |builder| {
        build_computed(inner, &kind, is_root, builder)
    })?;
    for (place, field) in (fields.len()..).zip(&computed) {
        let index = u16::try_from(place).expect("fewer fields than 65,536");
        if by_attribute.insert(field.stored.clone(), index).is_some() {
            let message = format!("the name {:?} is stored for another field already", field.stored);
            let name = field.name.bind(py).to_string();
            return builder.inside(name, |builder| Err(builder.schema_error(&message)));
        }
    }
    let successors = (1..=fields.len())
        .chain([0])
        .map(|next| AtomicU16::new(u16::try_from(next).unwrap_or(0)));
    let from_template = |field: &Field| {
        !matches!(kind, Kind::TypedDict) && matches!(field.absent, Absent::Plain) && !field.checks_default()
    };
    let mut awaited = Low::default();
    for (index, field) in fields.iter().enumerate().take(LOW) {
        if !from_template(field) {
            insert_low(&mut awaited, index);
        }
    }
    let extras = match kind {
        // What does not go into `__dict__` is lost in Pydantic too.
        Kind::Dataclass { slots: true, .. } => None,
        _ => builder.with_validation(validated_by, |builder| Extras::build(inner, builder))?,
    };
    let keeps_unknown = builder.options.unknown == Unknown::Keep && extras.is_none();
    if keeps_unknown {
        refuse_to_keep(&kind, made, builder)?;
    }
    let is_typed_dict = matches!(kind, Kind::TypedDict);
    let names = fields.iter().map(|field| field.name.clone_ref(py)).collect();
    let model = Model {
        own: builder.own(schema),
        class: match schema.member("cls")? {
            Some(class) => class.cast_into()?.unbind(),
            None => py.get_type::<PyDict>().unbind(),
        },
        kind,
        made,
        skips_unset: fields.iter().any(|field| field.skips_unset),
        successors: successors.collect(),
        awaited,
        is_finished_in_turn: fields.iter().any(Field::is_finished_in_turn),
        fields: fields.into_boxed_slice(),
        computed: computed.into_boxed_slice(),
        by_attribute,
        template: if is_typed_dict {
            Template::empty(py, names)
        } else {
            Template::new(template, names)?
        },
        no_arguments: PyTuple::empty(py).unbind(),
        extras,
        keeps_unknown,
        by_own_class: false,
    };
    Ok(ModelNode(Box::new(model)).into())
}

/// Who makes the instance, and who then validates the fields.
fn who_makes<'py>(
    schema: &Bound<'py, PyDict>,
    fields: &[(String, Bound<'py, PyDict>)],
    builder: &Builder<'_, 'py>,
) -> PyResult<(Made, ValidatedBy)> {
    let kind = schema.text("type")?;
    let is_typed_dict = kind.as_deref() == Some("typed-dict");
    let strict = builder.setting(schema, "strict", "strict")?;
    // Instances are all that Pydantic takes there.
    let takes_instances =
        kind.as_deref() == Some("dataclass") && strict.is_some_and(|strict| strict.is_truthy().unwrap_or(false));
    // A dict is taken apart by every validator outside it.
    if builder.hands_over(schema)? && !takes_instances || is_typed_dict && builder.validated_by == ValidatedBy::Model {
        return Ok((Made::Outside, builder.validated_by));
    }
    if builder.options.load == Load::Trust {
        return Ok((Made::Here, ValidatedBy::Node));
    }
    if !is_typed_dict && holder_of_fields(schema)?.1 {
        return Ok((Made::ByValidator(Terms::default()), ValidatedBy::Function));
    }
    let mut by_validator = schema.flag("custom_init")?.unwrap_or(false);
    for (_, field) in fields {
        by_validator = by_validator || holds(field.schema("schema")?.as_any(), Wanted::OfModel, builder)?;
    }
    Ok(if by_validator {
        (Made::ByValidator(Terms::default()), ValidatedBy::Model)
    } else {
        (Made::Here, ValidatedBy::Node)
    })
}

/// What serializes one field of an instance and no other, whether the API shows it or not.
fn serializer_of_one<'py>(schema: &Bound<'py, PyDict>, name: &str, builder: &Builder<'_, 'py>) -> PyResult<Box<Own>> {
    let alone = |field: &Bound<'py, PyDict>| -> PyResult<Bound<'py, PyDict>> {
        let field = field.copy()?;
        remove(
            &field,
            &[
                "serialization_exclude",
                "serialization_exclude_if",
                "serialization_alias",
            ],
        )?;
        Ok(field)
    };
    let (schema, inner) = (schema.copy()?, holder_of_fields(schema)?.0.copy()?);
    let fields = inner.required("fields")?;
    if let Ok(fields) = fields.cast::<PyDict>() {
        let only = PyDict::new(builder.py);
        only.set_item(name, alone(&fields.as_any().get_item(name)?.cast_into()?)?)?;
        inner.set_item("fields", only)?;
    } else {
        for field in fields.try_iter()? {
            let field = field?.cast_into::<PyDict>()?;
            if field.text("name")?.as_deref() == Some(name) {
                inner.set_item("fields", [alone(&field)?])?;
            }
        }
        schema.set_item("fields", [name])?;
    }
    // The class has a serializer of its own, which Pydantic would take.
    schema.set_item("cls", builder.py.get_type::<PyAny>())?;
    remove(&inner, &["computed_fields", "serialization"])?;
    remove(&schema, &["ref", "serialization"])?;
    schema.set_item("schema", inner)?;
    Ok(builder.own(&schema))
}

/// The schema that holds a model's or dataclass's fields, and whether validators of the model stand around it: those
/// that get what `model_validate` gets are inside the model's own schema.
pub fn holder_of_fields<'py>(schema: &Bound<'py, PyDict>) -> PyResult<(Bound<'py, PyDict>, bool)> {
    let mut holder = schema.schema("schema")?;
    let mut is_wrapped = false;
    while holder.text("type")?.is_some_and(|kind| is_transparent(&kind)) {
        holder = holder.schema("schema")?;
        is_wrapped = true;
    }
    Ok((holder, is_wrapped))
}

/// The fields of a model's, dataclass's or TypedDict's schema; of another schema none.
pub fn fields_of<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Vec<(String, Bound<'py, PyDict>)>> {
    let mut fields = Vec::new();
    let holder = match schema.text("type")?.as_deref() {
        Some("model" | "dataclass") => holder_of_fields(schema)?.0,
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
