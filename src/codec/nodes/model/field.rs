//! One field: its names, its node, and what stands for its absence.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyFrozenSet, PySet, PyString};

use super::build::fields_of;
use super::in_turn::InTurn;
use super::instance::Kind;
use super::values::Input;
use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::infer;
use crate::codec::key_form::{self, Role};
use crate::codec::marks::Epoch;
use crate::codec::node::Node;
use crate::codec::nodes::function::{is_transparent, may_be_lenient};
use crate::codec::nodes::missing;
use crate::codec::options::Unset;
use crate::codec::own::Own;
use crate::codec::schema::{SchemaDict, oxidyn_metadata};
use crate::codec::state::{Decoding, Outcome};
use crate::limits::NAME_BYTES;
use crate::wire::Tag;
use crate::wire::reader::Reader;
use crate::wire::writer;

#[expect(clippy::struct_excessive_bools, reason = "each is asked for by itself")]
pub struct Field {
    pub name: Py<PyString>,
    /// `,"name":`
    pub(super) head: Box<[u8]>,
    /// How the field goes on behind another where it has the one wire type that it has beside NULL: `},"name":{"S":`,
    /// which is compared in one go. None where there are several types, and for keys, whose form is looked at as a whole.
    pub(super) expected: Option<(Tag, Box<[u8]>)>,
    pub stored: Box<str>,
    pub node: Node,
    pub role: Role,
    /// The node makes the field's value. Where a validator further out does, the plan looks at the finished keys.
    pub(super) is_finished: bool,
    /// A value that the node refuses is read without its type, for a validator further out.
    pub(super) lenient: bool,
    /// None is not stored, because the default is literally None.
    pub omits_none: bool,
    /// An empty set is not stored, because absent gives it back.
    pub omits_empty: bool,
    pub(super) skips_unset: bool,
    pub(super) absent: Absent,
    /// Checks what stands for an absent value, where the model validates its defaults.
    pub(super) default_check: Option<Box<Own>>,
    /// Makes the value when the fields before it are finished.
    pub(super) in_turn: Option<Box<InTurn>>,
    pub(super) input: Input,
    /// Writes just this field of an instance, where a serializer of the model's decides what is stored.
    pub(super) serializer: Option<Box<Own>>,
    /// What Pydantic itself would use: for keys, and for the values of conditions and updates.
    pub own: Box<Own>,
    pub(super) default: Option<Py<PyAny>>,
}

/// What stands for an attribute that is not there.
pub(super) enum Absent {
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

/// What stands for a field of its own, where the other fields of its model are not known.
pub enum Absence {
    /// Nothing.
    Refused,
    Plain(Py<PyAny>),
    EmptySet,
    /// What Pydantic makes: a copy, what a factory gives, a default that is validated.
    Made,
    /// What a factory makes of the other fields.
    OfOthers,
}

impl Field {
    pub fn default<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyAny>> {
        self.default.as_ref().map(|default| default.bind(py))
    }

    pub fn absence(&self, py: Python<'_>) -> Absence {
        match (&self.absent, self.default(py)) {
            (Absent::Missing | Absent::Nothing, _) => Absence::Refused,
            (Absent::EmptySet, _) => Absence::EmptySet,
            (Absent::FactoryOfData(_), _) => Absence::OfOthers,
            (Absent::Plain, Some(default)) if !self.checks_default() => Absence::Plain(default.clone().unbind()),
            _ => Absence::Made,
        }
    }

    /// Whether nothing stands for it where it is absent.
    pub fn is_required(&self) -> bool {
        matches!(self.absent, Absent::Missing)
    }

    /// The default that stands for an absent value, and whether it is a factory of such; none where it needs other fields.
    pub fn absent(&self) -> Option<(&Py<PyAny>, bool)> {
        match &self.absent {
            Absent::Plain => self.default.as_ref().map(|default| (default, false)),
            Absent::Copied(default) => Some((default, false)),
            Absent::Factory(factory) => Some((factory, true)),
            Absent::Missing | Absent::Nothing | Absent::FactoryOfData(_) | Absent::EmptySet => None,
        }
    }

    /// Whether every instance has it.
    pub fn is_always_there(&self) -> bool {
        !matches!(self.absent, Absent::Nothing)
    }

    /// Store None and the empty set too: an absent field does not tell one model from another.
    pub(super) fn store_empty(&mut self) {
        self.omits_none &= !self.node.tags().has(Tag::Null);
        self.omits_empty &= !self.node.tags().has(Tag::L);
    }

    pub fn checks_default(&self) -> bool {
        self.default_check.is_some() || self.in_turn.as_ref().is_some_and(|in_turn| in_turn.of_absent)
    }

    pub(super) fn is_finished_in_turn(&self) -> bool {
        self.in_turn.as_ref().is_some_and(|in_turn| in_turn.of_present)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.node.traverse(visit)?;
        self.own.traverse(visit)?;
        visit.call(&self.default)?;
        self.input.traverse(visit)?;
        for own in [&self.default_check, &self.serializer].into_iter().flatten() {
            own.traverse(visit)?;
        }
        if let Some(in_turn) = &self.in_turn {
            in_turn.traverse(visit)?;
        }
        match &self.absent {
            Absent::Copied(object) | Absent::Factory(object) | Absent::FactoryOfData(object) => visit.call(object),
            Absent::Missing | Absent::Nothing | Absent::Plain | Absent::EmptySet => Ok(()),
        }
    }

    /// Read the name and the head of the value if they are written as they mostly are, and say of which wire type it is;
    /// otherwise nothing is read.
    #[inline]
    pub(super) fn read_head(&self, reader: &mut Reader<'_>) -> Option<Tag> {
        let (tag, written) = self.expected.as_ref()?;
        reader.try_bytes(&written[2..]).then_some(*tag)
    }

    /// The same behind another field, whose value's closing bracket is not read yet.
    #[inline]
    pub(super) fn read_head_behind(&self, reader: &mut Reader<'_>) -> Option<Tag> {
        let (tag, written) = self.expected.as_ref()?;
        reader.try_bytes(written).then_some(*tag)
    }

    /// Read the field's value, and in a key require its canonical form.
    #[inline]
    pub fn read<'py>(&self, reader: &mut Reader<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
        if self.role == Role::None {
            return self.node.decode_value(reader, state);
        }
        reader.peek();
        let start = reader.position();
        let value = self.node.decode_value(reader, state)?;
        let stored = &reader.bytes()[start..reader.position()];
        if self.is_finished && !self.node.writes_again(stored) {
            key_form::check_stored(stored, &self.node, &value, state)?;
        }
        Ok(value)
    }
}

pub(super) fn build_field<'py>(
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
    builder.marks.is_field = true;
    let node = builder.with_order(role != Role::None, |builder| builder.build(&schema))?;
    let lenient =
        builder.validated_by == ValidatedBy::Function && role == Role::None && may_be_lenient(&schema, builder)?;

    let has_default = schema.text("type")?.as_deref() == Some("default");
    let mut default = if has_default { schema.get_item("default")? } else { None };
    let factory = if has_default {
        schema.member("default_factory")?
    } else {
        None
    };
    if node.may_be_missing() {
        default = Some(missing::default_of(default, factory.is_some(), builder)?);
    }
    let is_set = matches!(node.unlayered(), Node::Set(_));
    let is_optional = match kind {
        Kind::TypedDict => !field.flag("required")?.unwrap_or(true),
        Kind::Dataclass { .. } => field.flag("init")? == Some(false),
        Kind::Model { .. } => false,
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
    if stored.is_empty() || stored.len() > NAME_BYTES {
        return Err(builder.schema_error(&format!(
            "an attribute's name has 1 to {NAME_BYTES} bytes, and the stored name has {}",
            stored.len()
        )));
    }
    let mut head = vec![b','];
    writer::push_key(&mut head, &stored);
    let is_choice = matches!(node, Node::Literal(_) | Node::Enum(_));
    let discriminates = is_choice && builder.discriminates(name, field)?;
    let tag = node.tags().without(Tag::Null).only().filter(|_| role == Role::None);
    let expected = tag.map(|tag| {
        let written = [b"}", &*head, b"{\"", tag.name().as_bytes(), b"\":"].concat();
        (tag, written.into_boxed_slice())
    });
    let plain_default = default.is_some() && matches!(kind, Kind::Model { .. });
    Ok(Field {
        name: PyString::intern(py, name).unbind(),
        head: head.into_boxed_slice(),
        expected,
        stored: stored.into_boxed_str(),
        node,
        role,
        is_finished: builder.validated_by == ValidatedBy::Node,
        lenient,
        omits_none: !matches!(kind, Kind::TypedDict) && default.as_ref().is_some_and(|default| default.is_none()),
        omits_empty: is_set && !matches!(kind, Kind::TypedDict) && gives_empty_set,
        skips_unset: builder.options.unset == Unset::Skip && plain_default && role == Role::None && !discriminates,
        absent,
        default_check,
        in_turn: None,
        input: Input::build(name, field, builder)?,
        serializer: None,
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
            Some(kind) if is_transparent(kind) => schema = schema.schema("schema")?,
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
