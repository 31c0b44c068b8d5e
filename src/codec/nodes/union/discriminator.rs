//! What tells the members of a tagged union: a field by its stored values, wherever in the member it lies, or a function
//! of the user's.

use std::collections::{HashMap, HashSet};

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::Member;
use super::build::MOST_LEVELS;
use crate::codec::definitions::Definitions;
use crate::codec::ffi::DictWalk;
use crate::codec::nodes::model::{fields_of, stored_name_of};
use crate::codec::schema::{Builder, SchemaDict, union_choices};
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal, Step};
use crate::codec::{infer, python};
use crate::wire::reader::Reader;
use crate::wire::{Tag, number};

pub enum Discriminator {
    Field(ByField),
    Function(ByFunction),
}

/// Which stored attribute tells the member, and by which values.
pub struct ByField {
    /// Where Pydantic looks for it, in messages.
    name: Box<str>,
    values: Box<[Value]>,
}

struct Value {
    /// The attribute's name, after those of the maps that it lies in.
    place: Box<[Box<str>]>,
    tag: Tag,
    text: Box<str>,
    member: usize,
}

/// A function that is called with what Pydantic would be given: a dict of values under the names that the members take.
pub struct ByFunction {
    function: Py<PyAny>,
    /// The places among the members, by the values that the function gives.
    members: Py<PyDict>,
    /// Stored names that are not those that a member takes.
    input_names: HashMap<Box<str>, Py<PyString>>,
    /// Whether a value's class tells the member wherever only one has it.
    classes_tell: bool,
}

impl Discriminator {
    /// `tagged` are the values with the places of their members, `schemas` are the members'.
    pub fn build<'py>(
        schema: &Bound<'py, PyDict>,
        tagged: &[(Bound<'py, PyAny>, usize)],
        schemas: &[Bound<'py, PyDict>],
        members: &[Member],
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        match input_paths(schema)? {
            Some(paths) => ByField::build(&paths, tagged, schemas, members, builder).map(Self::Field),
            None => ByFunction::build(schema, tagged, schemas, members, builder).map(Self::Function),
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Field(_) => Ok(()),
            Self::Function(function) => {
                visit.call(&function.function)?;
                visit.call(&function.members)
            }
        }
    }

    /// The member of a value that is to be written, where the discriminator must be asked: members may share a class.
    #[inline]
    pub fn member_of_value(&self, value: &Bound<'_, PyAny>, is_shared: bool) -> Outcome<Option<usize>> {
        match self {
            Self::Function(function) if is_shared || !function.classes_tell => Ok(function.call(value)?.ok()),
            _ => Ok(None),
        }
    }
}

// ---- by a field ----

type InputPath = Vec<String>;

/// The paths on which Pydantic looks for the discriminator; `None` where it is a function.
fn input_paths(schema: &Bound<'_, PyDict>) -> PyResult<Option<Vec<InputPath>>> {
    let discriminator = schema.required("discriminator")?;
    if let Ok(name) = discriminator.extract::<String>() {
        return Ok(Some(vec![vec![name]]));
    }
    match discriminator.cast::<PyList>() {
        Ok(paths) => paths_of(paths).map(Some),
        Err(_) => Ok(None),
    }
}

/// One path, or several that are tried in turn. One with an index in it leads to no field.
fn paths_of(list: &Bound<'_, PyList>) -> PyResult<Vec<InputPath>> {
    let is_one = list.iter().any(|step| step.cast::<PyList>().is_err());
    let paths = if is_one {
        vec![list.clone()]
    } else {
        list.iter()
            .map(|path| Ok(path.cast_into::<PyList>()?))
            .collect::<PyResult<_>>()?
    };
    let named = paths
        .into_iter()
        .filter(|path| path.iter().all(|step| step.is_instance_of::<PyString>()));
    named.map(|path| path.extract()).collect()
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
        Some("tagged-union") => match input_paths(schema)? {
            Some(paths) => found.extend(paths.into_iter().flatten()),
            // A function may look at any of its members' fields.
            None => {
                for (_, choice) in schema.schema("choices")?.iter() {
                    if let Ok(choice) = choice.cast::<PyDict>() {
                        let fields = fields_of(&builder.resolve(choice)?)?;
                        found.extend(fields.into_iter().map(|(name, _)| name));
                    }
                }
            }
        },
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

/// The places where a member's models store what Pydantic finds on an input path.
fn collect_places<'py>(
    schema: &Bound<'py, PyDict>,
    path: &[String],
    builder: &mut Builder<'_, 'py>,
    found: &mut Vec<Vec<String>>,
    depth: usize,
) -> PyResult<()> {
    let schema = builder.resolve(schema)?;
    match schema.text("type")?.as_deref() {
        Some("default" | "nullable" | "function-after" | "function-before" | "function-wrap")
            if depth < MOST_LEVELS =>
        {
            collect_places(&schema.schema("schema")?, path, builder, found, depth + 1)
        }
        Some("union") if depth < MOST_LEVELS => union_choices(&schema)?
            .iter()
            .try_for_each(|(choice, _)| collect_places(choice, path, builder, found, depth + 1)),
        Some("tagged-union") if depth < MOST_LEVELS => {
            for (_, choice) in schema.schema("choices")?.iter() {
                if let Ok(choice) = choice.cast::<PyDict>() {
                    collect_places(choice, path, builder, found, depth + 1)?;
                }
            }
            Ok(())
        }
        _ => {
            for (name, field) in fields_of(&schema)? {
                let Some(stored) = stored_name_of(&schema, &name, builder)? else {
                    continue;
                };
                if takes(&name, &field, path)? {
                    if !found.iter().any(|known| known.len() == 1 && known[0] == stored) {
                        found.push(vec![stored]);
                    }
                } else if path.len() > 1 && takes(&name, &field, &path[..1])? && depth < MOST_LEVELS {
                    let mut inner = Vec::new();
                    collect_places(&field.schema("schema")?, &path[1..], builder, &mut inner, depth + 1)?;
                    for mut place in inner {
                        place.insert(0, stored.clone());
                        found.push(place);
                    }
                }
            }
            Ok(())
        }
    }
}

/// Whether a field takes what is found on this path.
fn takes(name: &str, field: &Bound<'_, PyDict>, path: &[String]) -> PyResult<bool> {
    if let [only] = path
        && only == name
    {
        return Ok(true);
    }
    let Some(alias) = field.member("validation_alias")? else {
        return Ok(false);
    };
    if let Ok(alias) = alias.extract::<String>() {
        return Ok(matches!(path, [only] if *only == alias));
    }
    match alias.cast::<PyList>() {
        Ok(paths) => Ok(paths_of(paths)?.iter().any(|known| known == path)),
        Err(_) => Ok(false),
    }
}

impl ByField {
    fn build<'py>(
        paths: &[InputPath],
        tagged: &[(Bound<'py, PyAny>, usize)],
        schemas: &[Bound<'py, PyDict>],
        members: &[Member],
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        let names: Vec<String> = paths.iter().map(|path| path.join(".")).collect();
        let name = names.join(" or ").into_boxed_str();
        let mut values = Vec::new();
        for (value, member) in tagged {
            let mut places = Vec::new();
            for path in paths {
                collect_places(&schemas[*member], path, builder, &mut places, 0)?;
            }
            if places.is_empty() {
                return Err(builder.unsupported(&format!(
                    "a union whose member {} has no field {name} of its own",
                    members[*member].name
                )));
            }
            let Some((tag, text)) = stored_form(value)? else {
                return Err(
                    builder.unsupported("a union with a discriminating value that is neither text nor a number")
                );
            };
            values.extend(places.into_iter().map(|place| Value {
                place: place.into_iter().map(String::into_boxed_str).collect(),
                tag,
                text: text.as_str().into(),
                member: *member,
            }));
        }
        Ok(Self {
            name,
            values: values.into_boxed_slice(),
        })
    }

    /// The member whose value is stored, wherever among the attributes.
    pub fn member(&self, reader: &mut Reader<'_>, state: &Decoding<'_, '_>, members: &[Member]) -> Outcome<usize> {
        let mut found = None;
        if let Some(member) = self.search(reader, &mut Vec::new(), &mut found)? {
            return Ok(member);
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

    /// Look through the map that lies in those of these names; `found` is what is no member's.
    fn search(
        &self,
        reader: &mut Reader<'_>,
        inside: &mut Vec<String>,
        found: &mut Option<String>,
    ) -> Outcome<Option<usize>> {
        let depth = inside.len();
        let mut more = reader.begin_object()?;
        while more {
            let name = reader.key()?;
            let leads = |value: &&Value| {
                value.place.len() > depth
                    && *value.place[depth] == *name
                    && value.place.iter().zip(&*inside).all(|(step, name)| **step == **name)
            };
            if !self.values.iter().any(|value| leads(&value)) {
                reader.skip_value()?;
                more = reader.next_member()?;
                continue;
            }
            let tag = reader.tag()?;
            let is_deeper = |value: &&Value| leads(value) && value.place.len() > depth + 1;
            if matches!(tag, Tag::S | Tag::N) {
                let text = reader.text()?;
                let same = |value: &&Value| {
                    leads(value)
                        && value.place.len() == depth + 1
                        && value.tag == tag
                        && (*value.text == *text
                            || tag == Tag::N && number::compare(&value.text, &text).is_ok_and(|order| order.is_eq()))
                };
                if let Some(value) = self.values.iter().find(same) {
                    return Ok(Some(value.member));
                }
                *found = Some(format!("{} {:?}", tag.name(), text.as_str()));
            } else if tag == Tag::M && self.values.iter().any(|value| is_deeper(&value)) {
                inside.push(name.as_str().to_owned());
                let member = self.search(reader, inside, found)?;
                if member.is_some() {
                    return Ok(member);
                }
                inside.pop();
            } else {
                *found = Some(tag.name().to_owned());
                reader.skip_value()?;
            }
            reader.end()?;
            more = reader.next_member()?;
        }
        Ok(None)
    }
}

/// How a discriminating value is stored: S or N.
fn stored_form(value: &Bound<'_, PyAny>) -> PyResult<Option<(Tag, String)>> {
    let value = if value.is_instance(python::enum_base(value.py())?)? {
        value.getattr("value")?
    } else {
        value.clone()
    };
    let definitions = Definitions::default();
    let mut wire = Vec::new();
    let mut state = Encoding {
        out: &mut wire,
        definitions: &definitions,
        depth: 0,
    };
    if infer::encode_scalar(&value, &mut state).is_err() {
        return Ok(None);
    }
    let mut reader = Reader::new(&wire);
    Ok(match reader.tag() {
        Ok(tag @ (Tag::S | Tag::N)) => reader.text().ok().map(|text| (tag, text.as_str().to_owned())),
        _ => None,
    })
}

// ---- by a function ----

impl ByFunction {
    fn build<'py>(
        schema: &Bound<'py, PyDict>,
        tagged: &[(Bound<'py, PyAny>, usize)],
        schemas: &[Bound<'py, PyDict>],
        members: &[Member],
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Self> {
        let places = PyDict::new(builder.py);
        for (value, member) in tagged {
            places.set_item(value, member)?;
        }
        let mut input_names = HashMap::new();
        for schema in schemas {
            collect_input_names(schema, builder, &mut input_names, 0)?;
        }
        Ok(Self {
            function: schema.required("discriminator")?.unbind(),
            members: places.unbind(),
            input_names,
            classes_tell: members.iter().all(|member| !member.classes.is_empty()),
        })
    }

    /// The member that the function tells, or what it gave instead.
    fn call<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Result<usize, Bound<'py, PyAny>>> {
        let py = value.py();
        let tag = self.function.bind(py).call1((value,))?;
        // What cannot be a key is no member's.
        let member = self.members.bind(py).get_item(&tag).ok().flatten();
        Ok(match member {
            Some(member) => Ok(member.extract()?),
            None => Err(tag),
        })
    }

    pub fn member(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, '_>,
        members: &[Member],
    ) -> Outcome<usize> {
        let start = reader.position();
        let value = infer::decode(tag, reader, state)?;
        state.read_again(reader.position() - start)?;
        let value = match value.cast::<PyDict>() {
            Ok(dict) if !self.input_names.is_empty() => self.as_input(dict)?.into_any(),
            _ => value,
        };
        let given = match self.call(&value)? {
            Ok(member) => return Ok(member),
            Err(given) => given,
        };
        let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
        let (kind, found) = if given.is_none() {
            ("union_tag_not_found", "None".to_owned())
        } else {
            ("union_tag_invalid", given.get_type().name()?.to_string())
        };
        Err(Refusal::new(
            kind,
            format!(
                "expected the discriminating function to give the tag of a member of the union ({}), found {found}",
                names.join(", ")
            ),
        ))
    }

    fn as_input<'py>(&self, stored: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        let input = PyDict::new(stored.py());
        for (name, value) in DictWalk::new(stored) {
            match name.extract::<&str>().ok().and_then(|name| self.input_names.get(name)) {
                Some(name) => input.set_item(name, value)?,
                None => input.set_item(name, value)?,
            }
        }
        Ok(input)
    }
}

/// The names under which members' fields are taken, where they are stored under others.
fn collect_input_names<'py>(
    schema: &Bound<'py, PyDict>,
    builder: &mut Builder<'_, 'py>,
    found: &mut HashMap<Box<str>, Py<PyString>>,
    depth: usize,
) -> PyResult<()> {
    let schema = builder.resolve(schema)?;
    match schema.text("type")?.as_deref() {
        Some("default" | "nullable" | "function-after" | "function-before" | "function-wrap")
            if depth < MOST_LEVELS =>
        {
            collect_input_names(&schema.schema("schema")?, builder, found, depth + 1)
        }
        _ => {
            for (name, field) in fields_of(&schema)? {
                let Some(stored) = stored_name_of(&schema, &name, builder)? else {
                    continue;
                };
                let taken = input_name(&name, &field)?;
                if stored != taken {
                    let taken = PyString::intern(builder.py, &taken).unbind();
                    found.entry(stored.into_boxed_str()).or_insert(taken);
                }
            }
            Ok(())
        }
    }
}

/// The first plain alias, else the name.
fn input_name(name: &str, field: &Bound<'_, PyDict>) -> PyResult<String> {
    let Some(alias) = field.member("validation_alias")? else {
        return Ok(name.to_owned());
    };
    if let Ok(alias) = alias.extract::<String>() {
        return Ok(alias);
    }
    let paths = paths_of(alias.cast::<PyList>()?)?;
    let plain = paths
        .into_iter()
        .find_map(|mut path| (path.len() == 1).then(|| path.remove(0)));
    Ok(plain.unwrap_or_else(|| name.to_owned()))
}
