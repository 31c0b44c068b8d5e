//! Unions: the wire type decides the member; members that share one are told apart as Pydantic's JSON mode would, or by
//! the discriminator.

use std::collections::HashSet;

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTime,
    PyTuple, PyType,
};

use super::model::{fields_of, stored_name_of};
use crate::codec::definitions::Definitions;
use crate::codec::node::{Codec, Node};
use crate::codec::schema::{Builder, Own, SchemaDict, Tags, union_choices};
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal, Step};
use crate::codec::{infer, python};
use crate::wire::reader::Reader;
use crate::wire::temporal::{Date, DateTime};
use crate::wire::{Tag, number, uuid};

pub struct UnionNode(Box<Union>);

struct Union {
    own: Box<Own>,
    members: Box<[Member]>,
    /// Who reads a value of each wire type, by the type's number.
    readers: [Readers; Tag::ALL.len()],
    texts: Texts,
    numbers: Numbers,
    discriminator: Option<Discriminator>,
}

struct Member {
    /// In messages.
    name: Box<str>,
    node: Node,
    /// The types whose values are most likely its own.
    classes: Box<[Py<PyType>]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    None,
    One(usize),
    Several,
}

/// The members that read S, where their texts can be told apart without asking Pydantic.
struct Texts {
    /// The schema of just these members.
    own: Option<Box<Own>>,
    known: Option<KnownTexts>,
}

/// Places among the members; the first that takes a text is the one.
#[derive(Debug, Clone, Copy, Default)]
struct KnownTexts {
    str: Option<usize>,
    uuid: Option<usize>,
    date: Option<usize>,
    datetime: Option<usize>,
    time: Option<usize>,
    /// Enums and literals: beside a str they are never preferred.
    choices: bool,
}

/// The members that read N.
struct Numbers {
    own: Option<Box<Own>>,
    int: Option<usize>,
    float: Option<usize>,
    decimal: Option<usize>,
    /// Only those, without constraints, in smart mode.
    plain: bool,
}

/// Which stored attribute tells the member, and by which values.
struct Discriminator {
    name: Box<str>,
    values: Box<[Value]>,
}

struct Value {
    attribute: Box<str>,
    tag: Tag,
    text: Box<str>,
    member: usize,
}

impl UnionNode {
    pub fn members(&self) -> impl Iterator<Item = &Node> {
        self.0.members.iter().map(|member| &member.node)
    }
}

impl Codec for UnionNode {
    const KINDS: &'static [&'static str] = &["union", "tagged-union"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let union = if schema.text("type")?.as_deref() == Some("union") {
            Union::build(schema, builder)?
        } else {
            Union::build_tagged(schema, builder)?
        };
        Ok(Self(Box::new(union)).into())
    }

    fn tags(&self) -> Tags {
        self.members().fold(Tags::NONE, |tags, node| tags.with(node.tags()))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let union = &*self.0;
        union.own.traverse(visit)?;
        for own in [&union.texts.own, &union.numbers.own].into_iter().flatten() {
            own.traverse(visit)?;
        }
        union.members.iter().try_for_each(|member| {
            member.classes.iter().try_for_each(|class| visit.call(class))?;
            member.node.traverse(visit)
        })
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        self.0.encode(value, state)
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match self.0.readers[tag as usize] {
            Readers::One(index) => {
                let node = &self.0.members[index].node;
                let start = reader.position();
                let depth = state.depth;
                match node.decode(tag, reader, state) {
                    Err(refusal) if may_be_another(node) => {
                        refusal.may_try_another()?;
                        reader.seek(start);
                        state.depth = depth;
                        self.0.own.convert(tag, reader, state)
                    }
                    read => read,
                }
            }
            Readers::Several => self.0.decode_shared(tag, reader, state),
            Readers::None => self.0.own.convert(tag, reader, state),
        }
    }
}

/// Whether Pydantic may make another member of what this one refused: of plain scalars, whose stored form is the value's
/// own. (A number of seconds is not: Pydantic may take it for milliseconds.)
fn may_be_another(node: &Node) -> bool {
    matches!(
        node,
        Node::Str(_)
            | Node::Int(_)
            | Node::Float(_)
            | Node::Decimal(_)
            | Node::Bool(_)
            | Node::Bytes(_)
            | Node::Uuid(_)
            | Node::Literal(_)
            | Node::Enum(_)
    )
}

// ---- build ----

impl Union {
    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let choices = union_choices(schema)?;
        let mut members = Vec::with_capacity(choices.len());
        for (choice, label) in &choices {
            members.push(Member::build(choice, label.clone(), builder)?);
        }
        let smart = schema.text("mode")?.is_none_or(|mode| mode == "smart");
        let readers = readers(&members);
        check_numbers(&members, builder)?;
        let sharing = |tag: Tag| -> PyResult<Option<Box<Own>>> {
            if readers[tag as usize] != Readers::Several {
                return Ok(None);
            }
            let part = schema.copy()?;
            let raw = schema.required("choices")?.try_iter()?.collect::<PyResult<Vec<_>>>()?;
            let raw = raw.into_iter().zip(&members);
            let raw = raw.filter(|(_, member)| member.node.tags().has(tag));
            part.set_item("choices", raw.map(|(choice, _)| choice).collect::<Vec<_>>())?;
            if part.contains("ref")? {
                part.del_item("ref")?;
            }
            Ok(Some(builder.own(&part)))
        };
        let texts = Texts {
            own: sharing(Tag::S)?,
            known: smart.then(|| KnownTexts::of(&members)).flatten(),
        };
        let numbers = Numbers::of(&members, smart, sharing(Tag::N)?);
        Ok(Self {
            own: builder.own(schema),
            readers,
            members: members.into_boxed_slice(),
            texts,
            numbers,
            discriminator: None,
        })
    }

    fn build_tagged<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Self> {
        let names = discriminator_names(schema)?.ok_or_else(|| {
            builder
                .unsupported("a union whose discriminator is a function, or lies deeper than a field of its members,")
        })?;
        let name = names.join(" or ").into_boxed_str();
        let definitions = Definitions::default();
        let mut members: Vec<Member> = Vec::new();
        let mut built: Vec<Bound<'py, PyDict>> = Vec::new();
        let mut values = Vec::new();
        let choices = schema.schema("choices")?;
        for (value, choice) in choices.iter() {
            let mut choice = choice;
            // A value may stand for another's member.
            while choice.cast::<PyDict>().is_err() {
                choice = choices
                    .get_item(&choice)?
                    .ok_or_else(|| builder.schema_error("its union names a member that it does not have"))?;
            }
            let choice = choice.cast_into::<PyDict>()?;
            let member = match built.iter().position(|known| known.is(&choice)) {
                Some(member) => member,
                None => {
                    members.push(Member::build(&choice, None, builder)?);
                    built.push(choice.clone());
                    members.len() - 1
                }
            };
            let mut attributes = Vec::new();
            collect_attributes(&choice, &names, builder, &mut attributes, 0)?;
            let value = if value.is_instance(python::enum_base(builder.py)?)? {
                value.getattr("value")?
            } else {
                value
            };
            let mut wire = Vec::new();
            let mut state = Encoding {
                out: &mut wire,
                definitions: &definitions,
                depth: 0,
            };
            let written = infer::encode_scalar(&value, &mut state).is_ok();
            let mut reader = Reader::new(&wire);
            let text = match reader.tag() {
                Ok(tag @ (Tag::S | Tag::N)) if written => reader.text().ok().map(|text| (tag, text)),
                _ => None,
            };
            let Some((tag, text)) = text else {
                return Err(
                    builder.unsupported("a union with a discriminating value that is neither text nor a number")
                );
            };
            if attributes.is_empty() {
                return Err(builder.unsupported(&format!(
                    "a union whose member {} has no field {name} of its own",
                    members[member].name
                )));
            }
            values.extend(attributes.into_iter().map(|attribute| Value {
                attribute: attribute.into_boxed_str(),
                tag,
                text: text.as_str().into(),
                member,
            }));
        }
        let texts = Texts { own: None, known: None };
        Ok(Self {
            own: builder.own(schema),
            readers: readers(&members),
            numbers: Numbers::of(&[], false, None),
            members: members.into_boxed_slice(),
            texts,
            discriminator: Some(Discriminator {
                name,
                values: values.into_boxed_slice(),
            }),
        })
    }
}

impl Member {
    fn build<'py>(
        schema: &Bound<'py, PyDict>,
        label: Option<String>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        // Markers of one member do not reach the next.
        let of_member = builder.marks.for_member();
        let marks = std::mem::replace(&mut builder.marks, of_member);
        let node = builder.build(schema);
        builder.marks = marks;
        let mut classes = Vec::new();
        collect_classes(schema, builder, &mut classes, 0)?;
        if let Ok(Node::Opaque(node)) = &node {
            classes.extend(node.class(builder.py));
        }
        let resolved = builder.resolve(schema)?;
        let name = match (label, resolved.member("cls")?) {
            (Some(label), _) => label,
            (None, Some(class)) => class.getattr("__name__")?.extract()?,
            (None, None) => resolved.text("type")?.unwrap_or_default(),
        };
        Ok(Self {
            name: name.into_boxed_str(),
            node: node?,
            classes: classes.into_iter().map(Bound::unbind).collect(),
        })
    }
}

fn readers(members: &[Member]) -> [Readers; Tag::ALL.len()] {
    Tag::ALL.map(|tag| {
        let mut reading = (0..members.len()).filter(|&index| members[index].node.tags().has(tag));
        match (reading.next(), reading.next()) {
            (None, _) => Readers::None,
            (Some(index), None) => Readers::One(index),
            (Some(_), Some(_)) => Readers::Several,
        }
    })
}

/// The names under which Pydantic looks for the discriminator; `None` where it is a function or a deeper path.
fn discriminator_names(schema: &Bound<'_, PyDict>) -> PyResult<Option<Vec<String>>> {
    let discriminator = schema.required("discriminator")?;
    if let Ok(name) = discriminator.extract::<String>() {
        return Ok(Some(vec![name]));
    }
    let Ok(paths) = discriminator.cast::<PyList>() else {
        return Ok(None);
    };
    let mut names = Vec::with_capacity(paths.len());
    for path in paths {
        // One path, or several that are tried in turn.
        let path = match path.cast::<PyList>() {
            Ok(path) if path.len() == 1 => path.get_item(0)?,
            Err(_) if paths.len() == 1 => path,
            _ => return Ok(None),
        };
        let Ok(name) = path.extract() else {
            return Ok(None);
        };
        names.push(name);
    }
    Ok(Some(names))
}

/// The names of the fields by which unions anywhere in a schema may tell their members: discriminators, and what members
/// of other unions hold that is an enum or a literal.
pub fn collect_discriminating<'py>(
    schema: &Bound<'py, PyAny>,
    builder: &Builder<'_, 'py>,
    found: &mut HashSet<String>,
) -> PyResult<()> {
    if let Ok(parts) = schema.cast::<PyList>() {
        return parts
            .iter()
            .try_for_each(|part| collect_discriminating(&part, builder, found));
    }
    if let Ok(labelled) = schema.cast::<PyTuple>() {
        return labelled
            .iter()
            .try_for_each(|part| collect_discriminating(&part, builder, found));
    }
    let Ok(schema) = schema.cast::<PyDict>() else {
        return Ok(());
    };
    let kind = schema.member("type")?.and_then(|kind| kind.extract::<String>().ok());
    match kind.as_deref() {
        Some("tagged-union") => found.extend(discriminator_names(schema)?.into_iter().flatten()),
        Some("union") => {
            for (choice, _) in union_choices(schema)? {
                for (name, field) in fields_of(&builder.resolve(&choice)?)? {
                    let mut of_field = builder.resolve(&field.schema("schema")?)?;
                    if of_field.text("type")?.as_deref() == Some("default") {
                        of_field = builder.resolve(&of_field.schema("schema")?)?;
                    }
                    if matches!(of_field.text("type")?.as_deref(), Some("literal" | "enum")) {
                        found.insert(name);
                    }
                }
            }
        }
        _ => {}
    }
    for (name, part) in schema.iter() {
        let is_schema = !name
            .extract::<String>()
            .is_ok_and(|name| matches!(&*name, "metadata" | "default" | "expected" | "members" | "config"));
        if is_schema {
            collect_discriminating(&part, builder, found)?;
        }
    }
    Ok(())
}

/// The names under which a member's models store the discriminator.
fn collect_attributes<'py>(
    schema: &Bound<'py, PyDict>,
    names: &[String],
    builder: &mut Builder<'_, 'py>,
    found: &mut Vec<String>,
    depth: usize,
) -> PyResult<()> {
    let schema = builder.resolve(schema)?;
    match schema.text("type")?.as_deref() {
        Some("default" | "nullable") if depth < MOST_LEVELS => {
            collect_attributes(&schema.schema("schema")?, names, builder, found, depth + 1)
        }
        Some("union") if depth < MOST_LEVELS => union_choices(&schema)?
            .iter()
            .try_for_each(|(choice, _)| collect_attributes(choice, names, builder, found, depth + 1)),
        Some("tagged-union") if depth < MOST_LEVELS => {
            for (_, choice) in schema.schema("choices")?.iter() {
                if let Ok(choice) = choice.cast::<PyDict>() {
                    collect_attributes(choice, names, builder, found, depth + 1)?;
                }
            }
            Ok(())
        }
        _ => {
            for name in names {
                if let Some(stored) = stored_name_of(&schema, name, builder)?
                    && !found.contains(&stored)
                {
                    found.push(stored);
                }
            }
            Ok(())
        }
    }
}

/// Unions lie in each other only so deeply; what refers to itself has an end here.
const MOST_LEVELS: usize = 8;

/// The types of a schema's values, as far as they tell the member.
fn collect_classes<'py>(
    schema: &Bound<'py, PyDict>,
    builder: &Builder<'_, 'py>,
    found: &mut Vec<Bound<'py, PyType>>,
    depth: usize,
) -> PyResult<()> {
    let py = builder.py;
    let schema = builder.resolve(schema)?;
    let kind = schema.text("type")?.unwrap_or_default();
    let imported = |class: &Bound<'py, PyAny>| -> PyResult<Bound<'py, PyType>> { Ok(class.cast::<PyType>()?.clone()) };
    match kind.as_str() {
        "none" => found.push(py.None().bind(py).get_type()),
        "bool" => found.push(py.get_type::<PyBool>()),
        "int" => found.push(py.get_type::<PyInt>()),
        "float" => found.push(py.get_type::<PyFloat>()),
        "decimal" => found.push(imported(python::decimal(py)?)?),
        "str" => found.push(py.get_type::<PyString>()),
        "bytes" => found.push(py.get_type::<PyBytes>()),
        "uuid" => found.push(imported(python::uuid(py)?)?),
        "date" => found.push(py.get_type::<PyDate>()),
        "datetime" => found.push(py.get_type::<PyDateTime>()),
        "time" => found.push(py.get_type::<PyTime>()),
        "timedelta" => found.push(py.get_type::<PyDelta>()),
        "list" => found.push(py.get_type::<PyList>()),
        "tuple" => found.push(py.get_type::<PyTuple>()),
        "set" => found.push(py.get_type::<PySet>()),
        "frozenset" => found.push(py.get_type::<PyFrozenSet>()),
        "dict" | "typed-dict" => found.push(py.get_type::<PyDict>()),
        "enum" | "model" | "dataclass" => found.push(schema.required("cls")?.cast_into()?),
        "literal" => {
            for value in schema.required("expected")?.try_iter()? {
                found.push(value?.get_type());
            }
        }
        "default" | "nullable" if depth < MOST_LEVELS => {
            if kind == "nullable" {
                found.push(py.None().bind(py).get_type());
            }
            collect_classes(&schema.schema("schema")?, builder, found, depth + 1)?;
        }
        "union" if depth < MOST_LEVELS => {
            for (choice, _) in union_choices(&schema)? {
                collect_classes(&choice, builder, found, depth + 1)?;
            }
        }
        "tagged-union" if depth < MOST_LEVELS => {
            for (_, choice) in schema.schema("choices")?.iter() {
                if let Ok(choice) = choice.cast::<PyDict>() {
                    collect_classes(choice, builder, found, depth + 1)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// A duration and a count are both numbers, and nothing tells them apart.
fn check_numbers(members: &[Member], builder: &Builder<'_, '_>) -> PyResult<()> {
    fn is_time(node: &Node) -> bool {
        match node {
            Node::Timedelta(_) => true,
            Node::DateTime(_) => node.tags().has(Tag::N),
            Node::Nullable(node) => is_time(node.inner()),
            Node::Union(node) => node.members().any(is_time),
            _ => false,
        }
    }
    let numbers = members.iter().filter(|member| member.node.tags().has(Tag::N));
    if numbers.count() > 1 && members.iter().any(|member| is_time(&member.node)) {
        return Err(builder.unsupported(
            "a union of numbers and times, both of which are stored as numbers and could not be told apart,",
        ));
    }
    Ok(())
}

impl KnownTexts {
    /// Nothing where two members are of one kind, or one is of another kind.
    fn of(members: &[Member]) -> Option<Self> {
        let mut known = Self::default();
        for (index, member) in members.iter().enumerate() {
            if !member.node.tags().has(Tag::S) {
                continue;
            }
            let place = match &member.node {
                Node::Str(_) => &mut known.str,
                Node::Uuid(_) => &mut known.uuid,
                Node::Date(_) => &mut known.date,
                Node::DateTime(_) => &mut known.datetime,
                Node::Time(_) => &mut known.time,
                Node::Enum(_) | Node::Literal(_) => {
                    known.choices = true;
                    continue;
                }
                _ => return None,
            };
            if place.replace(index).is_some() {
                return None;
            }
        }
        Some(known)
    }

    /// The member whose text it is, as Pydantic has it: a UUID before all, else the first that takes it without doubt.
    fn member_of(&self, text: &[u8]) -> Option<usize> {
        const UUID_LENGTHS: [usize; 4] = [32, 36, 38, 45];
        if self.uuid.is_some() && UUID_LENGTHS.contains(&text.len()) {
            return self
                .uuid
                .filter(|_| !self.choices && text.len() == 36 && uuid::decode(text).is_some());
        }
        // Neither a date nor a time, nor a number or the name of one, which may stand for an instant.
        let is_word = text
            .first()
            .is_some_and(|first| first.is_ascii_alphabetic() && !b"iInN".contains(first));
        if is_word || (self.date, self.datetime, self.time) == (None, None, None) {
            return self.str;
        }
        if self.choices {
            return None;
        }
        let first = |one: Option<usize>| one.map(|one| self.str.map_or(one, |other| other.min(one)));
        if text.len() == 10 && Date::parse(text).is_some() {
            first(self.date)
        } else if matches!(text.len(), 26 | 27) && text[10] == b'T' && DateTime::parse(text).is_some() {
            first(self.datetime)
        } else {
            None
        }
    }
}

impl Numbers {
    fn of(members: &[Member], smart: bool, own: Option<Box<Own>>) -> Self {
        let mut numbers = Self {
            own,
            int: None,
            float: None,
            decimal: None,
            plain: smart,
        };
        for (index, member) in members.iter().enumerate() {
            if !member.node.tags().has(Tag::N) {
                continue;
            }
            let (place, plain) = match &member.node {
                Node::Int(node) => (&mut numbers.int, node.is_plain()),
                Node::Float(node) => (&mut numbers.float, node.is_plain()),
                Node::Decimal(node) => (&mut numbers.decimal, node.is_plain()),
                _ => {
                    numbers.plain = false;
                    continue;
                }
            };
            numbers.plain &= plain && place.replace(index).is_none();
        }
        numbers
    }
}

// ---- encode ----

impl Union {
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let class = value.get_type();
        let is_of = |member: &&Member| member.classes.iter().any(|known| known.is(&class));
        let mut likely = self.members.iter().filter(is_of);
        let Some(first) = likely.next() else {
            return self.encode_by_trying(value, state);
        };
        let start = state.out.len();
        let depth = state.depth;
        let Err(mut refusal) = first.node.encode(value, state) else {
            return Ok(());
        };
        let mut alone = true;
        for member in likely {
            refusal.may_try_another()?;
            alone = false;
            state.out.truncate(start);
            state.depth = depth;
            match member.node.encode(value, state) {
                Ok(()) => return Ok(()),
                Err(other) => refusal = other,
            }
        }
        if alone {
            return Err(refusal);
        }
        refusal.may_try_another()?;
        Err(self.unexpected(value))
    }

    /// A value of no member's exact type: of a subclass, or a stray.
    #[cold]
    fn encode_by_trying(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let start = state.out.len();
        let depth = state.depth;
        for member in &self.members {
            match member.node.encode(value, state) {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal.may_try_another()?,
            }
            state.out.truncate(start);
            state.depth = depth;
        }
        Err(self.unexpected(value))
    }

    #[cold]
    fn unexpected(&self, value: &Bound<'_, PyAny>) -> Box<Refusal> {
        let names: Vec<&str> = self.members.iter().map(|member| &*member.name).collect();
        Refusal::unexpected(
            "union",
            &format!("a value of a member of the union ({})", names.join(", ")),
            value,
        )
    }
}

// ---- decode ----

impl Union {
    #[inline(never)]
    fn decode_shared<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match (&self.discriminator, tag) {
            (Some(discriminator), Tag::M) => {
                let start = reader.position();
                let member = discriminator.member(reader, state, &self.members)?;
                reader.seek(start);
                self.members[member].node.decode(tag, reader, state)
            }
            (None, Tag::S) => self.decode_text(reader, state),
            (None, Tag::N) => self.decode_number(reader, state),
            _ => self.decode_by_trying(tag, reader, state),
        }
    }

    /// Text that none of these members takes is left to all of them, as Pydantic would have it.
    fn decode_text<'py>(&self, reader: &mut Reader<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
        let start = reader.position();
        let text = reader.text()?;
        let end = reader.position();
        if let Some(member) = self.texts.known.and_then(|known| known.member_of(text.as_bytes())) {
            reader.seek(start);
            if let Ok(value) = self.members[member].node.decode(Tag::S, reader, state) {
                return Ok(value);
            }
        }
        let own = self.texts.own.as_ref().unwrap_or(&self.own);
        let value = match own.validate_json(state.py, &reader.bytes()[start..end]) {
            Ok(value) => value,
            Err(refusal) => {
                refusal.may_try_another()?;
                reader.seek(start);
                return self.own.convert(Tag::S, reader, state);
            }
        };
        // Pydantic's own timezone object is another than the one that such members read.
        if value.is_instance_of::<PyDateTime>() || value.is_instance_of::<PyTime>() {
            let class = value.get_type();
            for member in &self.members {
                if !member.classes.iter().any(|known| known.is(&class)) {
                    continue;
                }
                reader.seek(start);
                if let Ok(again) = member.node.decode(Tag::S, reader, state)
                    && again.eq(&value)?
                {
                    return Ok(again);
                }
            }
        }
        reader.seek(end);
        Ok(value)
    }

    fn decode_number<'py>(&self, reader: &mut Reader<'_>, state: &mut Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
        let start = reader.position();
        let text = reader.text()?;
        let end = reader.position();
        let Numbers {
            own,
            int,
            float,
            decimal,
            plain,
        } = &self.numbers;
        let mut canonical = Vec::with_capacity(text.len());
        number::push_canonical(&mut canonical, &text).map_err(Refusal::number)?;
        let integral = !canonical.contains(&b'.');
        // JSON's numbers are floats to Pydantic: what no float is stays a Decimal.
        let exact = decimal.is_none() || (integral && int.is_some()) || infer::exact_float(&text).is_some();
        let member = if !exact {
            *decimal
        } else if !*plain {
            None
        } else if integral && int.is_some() {
            *int
        } else if integral && float.is_some() && decimal.is_some() {
            (*float).min(*decimal)
        } else {
            float.or(*decimal)
        };
        if let Some(member) = member {
            reader.seek(start);
            let read = self.members[member].node.decode(Tag::N, reader, state);
            if read.is_ok() || *plain {
                return read;
            }
            reader.seek(end);
        }
        let own = own.as_ref().unwrap_or(&self.own);
        own.validate_json(state.py, &canonical).or_else(|refusal| {
            refusal.may_try_another()?;
            reader.seek(start);
            self.own.convert(Tag::N, reader, state)
        })
    }

    /// Lists, maps and the like: the only member that takes it, or the one of several that Pydantic prefers.
    fn decode_by_trying<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let start = reader.position();
        let depth = state.depth;
        let mut end = start;
        let mut taken: Vec<Bound<'py, PyAny>> = Vec::new();
        let mut refused = Vec::new();
        for member in self.members.iter().filter(|member| member.node.tags().has(tag)) {
            let elements = state.elements.len();
            reader.seek(start);
            match member.node.decode(tag, reader, state) {
                Ok(value) => {
                    taken.push(value);
                    end = reader.position();
                }
                Err(refusal) => {
                    let step = || Step::text(state.py, &member.name);
                    refusal.under(step).gather(&mut refused)?;
                }
            }
            state.depth = depth;
            state.elements.truncate(elements);
            state.read_again(reader.position() - start)?;
        }
        let mut taken = taken.into_iter();
        let Some(first) = taken.next() else {
            return Err(Box::new(Refusal::Lines(refused)));
        };
        let rest: Vec<_> = taken.collect();
        if rest.is_empty() {
            reader.seek(end);
            return Ok(first);
        }
        state.read_again(end - start)?;
        reader.seek(start);
        let untyped = infer::decode(tag, reader, state)?;
        Ok(self.preferred(&untyped, first, rest))
    }

    /// Which of the values Pydantic would make of the same attributes as JSON; the first where it would make none.
    fn preferred<'py>(
        &self,
        untyped: &Bound<'py, PyAny>,
        first: Bound<'py, PyAny>,
        rest: Vec<Bound<'py, PyAny>>,
    ) -> Bound<'py, PyAny> {
        let py = untyped.py();
        let json = python::to_json(py).and_then(|to_json| to_json.call1((untyped,)));
        let json = json.and_then(|json| Ok(json.cast_into::<PyBytes>()?));
        let Some(preferred) = json
            .ok()
            .and_then(|json| self.own.validate_json(py, json.as_bytes()).ok())
        else {
            return first;
        };
        let class = preferred.get_type();
        let mut alike = std::iter::once(&first)
            .chain(&rest)
            .filter(|value| value.get_type().is(&class));
        let equal = alike.clone().find(|value| value.eq(&preferred).unwrap_or(false));
        equal.or_else(|| alike.next()).unwrap_or(&first).clone()
    }
}

impl Discriminator {
    /// The member whose value is stored, wherever among the attributes.
    fn member(&self, reader: &mut Reader<'_>, state: &Decoding<'_, '_>, members: &[Member]) -> Outcome<usize> {
        let mut found: Option<String> = None;
        let mut more = reader.begin_object()?;
        while more {
            let name = reader.key()?;
            if !self.values.iter().any(|value| *value.attribute == *name) {
                reader.skip_value()?;
                more = reader.next_member()?;
                continue;
            }
            let tag = reader.tag()?;
            if matches!(tag, Tag::S | Tag::N) {
                let text = reader.text()?;
                let same = |value: &&Value| {
                    *value.attribute == *name
                        && value.tag == tag
                        && (*value.text == *text
                            || tag == Tag::N && number::compare(&value.text, &text).is_ok_and(|order| order.is_eq()))
                };
                if let Some(value) = self.values.iter().find(same) {
                    return Ok(value.member);
                }
                found = Some(format!("{} {:?}", tag.name(), text.as_str()));
            } else {
                found = Some(tag.name().to_owned());
                reader.skip_value()?;
            }
            reader.end()?;
            more = reader.next_member()?;
        }
        let expected: Vec<&str> = self.values.iter().map(|value| &*value.text).collect();
        let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
        let (kind, found) = match found {
            Some(found) => ("union_tag_invalid", found),
            None => ("union_tag_not_found", "none".to_owned()),
        };
        let message = format!(
            "expected {} to be one of {} (for {}), found {found}",
            self.name,
            expected.join(", "),
            names.join(", ")
        );
        let step = || Step::text(state.py, &self.name);
        Err(Refusal::new(kind, message).under(step))
    }
}
