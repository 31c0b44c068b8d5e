//! Models, dataclasses and TypedDicts → M: their fields, what is left out, what stands for what is absent. Hot.
//!
//! | file | what it holds |
//! |---|---|
//! | `build` | a model's schema → [`Model`] |
//! | `field` | one field: its names, its node, what stands for its absence |
//! | `encode`, `decode` | an instance's fields → attributes and back |
//! | `instance` | how an instance is made of its fields |
//! | `values` | attributes → what `model_validate` takes, where Pydantic makes the instance |
//! | `in_turn` | fields whose validators see those before them |
//! | `fields_set` | which fields were there |
//! | `computed` | computed fields that are stored |
//! | `extras`, `kept` | attributes that are no field: values of `extra="allow"`, bytes of `unknown="keep"` |

mod build;
mod computed;
mod decode;
mod encode;
mod extras;
mod field;
mod fields_set;
mod in_turn;
mod instance;
mod kept;
mod values;

use std::collections::HashMap;
use std::sync::atomic::AtomicU16;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyTuple, PyType};

pub use build::{fields_of, holder_of_fields};
pub use decode::Place;
pub use field::{Absence, Field, stored_name_of};
pub use values::Input;

use crate::codec::builder::Builder;
use crate::codec::ffi::instance_dict;
use crate::codec::instance::encode_instance;
use crate::codec::node::{Codec, Node};
use crate::codec::nodes::root_model::RootModelNode;
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome};
use crate::codec::tags::Tags;
use crate::codec::template::Template;
use crate::wire::Tag;
use crate::wire::reader::Reader;
use extras::Extras;
use fields_set::Low;
use instance::Kind;
use values::Made;

pub struct ModelNode(Box<Model>);

#[expect(clippy::struct_excessive_bools, reason = "each is asked for by itself")]
pub struct Model {
    own: Box<Own>,
    class: Py<PyType>,
    kind: Kind,
    made: Made,
    pub fields: Box<[Field]>,
    /// Computed fields that are stored.
    pub computed: Box<[Field]>,
    /// The places of the fields, and behind them of the computed ones, by stored names.
    by_attribute: HashMap<Box<str>, u16>,
    /// Which field followed which the last time: DynamoDB does not keep an order, but items of one table tend to have
    /// the same. The last place is for the beginning.
    successors: Box<[AtomicU16]>,
    /// Every field's default, or None where there is none: copied for each instance.
    template: Template,
    /// The fields whose absence takes more than the template, among the first.
    awaited: Low,
    /// Whether there is more to do for fields that were read.
    is_finished_in_turn: bool,
    /// Whether any field is left out for not being set.
    skips_unset: bool,
    no_arguments: Py<PyTuple>,
    /// What `extra="allow"` takes.
    extras: Option<Box<Extras>>,
    /// Whether attributes that are no field are written back.
    keeps_unknown: bool,
    /// `SerializeAsAny`: instances of subclasses are stored by what their own class says.
    by_own_class: bool,
}

impl ModelNode {
    pub fn model(&self) -> &Model {
        &self.0
    }
}

impl Model {
    /// Whether Pydantic's own validator makes the instance or some of its fields, and may change a key on the way.
    pub fn is_made_by_pydantic(&self) -> bool {
        self.made != Made::Here || self.is_finished_in_turn
    }

    /// Whether the instance is nothing but its fields: no code of the user's sees it while it is made, and nothing of an
    /// item that is no field gets into it.
    pub fn is_made_plainly(&self) -> bool {
        let has_post_init = match &self.kind {
            Kind::Model { post_init, .. } => post_init.is_some(),
            Kind::Dataclass { post_init, .. } => post_init.is_some(),
            Kind::TypedDict => true,
        };
        !self.is_made_by_pydantic() && !has_post_init && self.extras.is_none() && !self.by_own_class
    }

    pub fn class<'py>(&self, py: Python<'py>) -> &Bound<'py, PyType> {
        self.class.bind(py)
    }

    /// Whether it has attributes that are no field.
    pub fn has_extras(&self) -> bool {
        self.extras.is_some()
    }

    pub fn is_typed_dict(&self) -> bool {
        matches!(self.kind, Kind::TypedDict)
    }

    pub fn field(&self, py: Python<'_>, name: &str) -> Option<&Field> {
        self.field_at(py, name).map(|(_, field)| field)
    }

    /// The field and its place among all.
    pub fn field_at(&self, py: Python<'_>, name: &str) -> Option<(usize, &Field)> {
        let mut stored = self.fields.iter().chain(&self.computed).enumerate();
        stored.find(|(_, field)| field.name.bind(py) == name)
    }

    /// Whether it has room for attributes that are no field.
    pub fn takes_extras(&self) -> bool {
        self.extras.is_some()
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
        if self.computed.iter().any(|computed| std::ptr::eq(computed, field)) {
            return instance.getattr(field.name.bind(py)).map(Some);
        }
        match &self.kind {
            Kind::TypedDict => instance.cast::<PyDict>()?.get_item(field.name.bind(py)),
            Kind::Dataclass { slots: true, .. } => instance.getattr_opt(field.name.bind(py)),
            _ => instance_dict(instance)?.get_item(field.name.bind(py)),
        }
    }
}

impl Codec for ModelNode {
    const KINDS: &'static [&'static str] = &["model", "dataclass", "typed-dict"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let config = schema.member("config")?.map(Bound::cast_into).transpose()?;
        let config = config.or_else(|| builder.config.clone());
        // What `SerializeAsAny` says of a model does not reach into its fields.
        let of_subclasses = std::mem::take(&mut builder.marks.of_subclasses);
        let node = builder.with_config(config, |builder| match schema.text("type")?.as_deref() {
            Some("model") if schema.flag("root_model")?.unwrap_or(false) => RootModelNode::build(schema, builder),
            Some("model") => build::build_model(schema, builder),
            Some("dataclass") => build::build_dataclass(schema, builder),
            _ => build::build_typed_dict(schema, builder),
        });
        builder.marks.of_subclasses = of_subclasses;
        let mut node = node?;
        if let Node::Model(Self(model)) = &mut node {
            model.by_own_class = of_subclasses && !model.is_typed_dict();
            if builder.marks.told_by_fields {
                model.fields.iter_mut().for_each(Field::store_empty);
            }
        }
        Ok(node)
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::M)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let model = &*self.0;
        model.own.traverse(visit)?;
        visit.call(&model.class)?;
        model.template.traverse(visit)?;
        visit.call(&model.no_arguments)?;
        model.kind.traverse(visit)?;
        if let Some(extras) = &model.extras {
            extras.traverse(visit)?;
        }
        let mut stored = model.fields.iter().chain(&model.computed);
        stored.try_for_each(|field| field.traverse(visit))
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let model = &*self.0;
        if model.by_own_class && model.is_instance(value)? && !value.is_exact_instance(model.class(value.py())) {
            return encode_instance(value, state).map(drop);
        }
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
