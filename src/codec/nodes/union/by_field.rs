//! A tagged union told by a field, wherever in its members that lies: by its stored values.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::Member;
use super::build::MOST_LEVELS;
use super::discriminator::{InputPath, paths_of};
use crate::codec::builder::Builder;
use crate::codec::definitions::Definitions;
use crate::codec::nodes::function::is_transparent;
use crate::codec::nodes::model::{fields_of, stored_name_of};
use crate::codec::schema::{SchemaDict, union_choices};
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal, Step};
use crate::codec::{infer, python};
use crate::wire::reader::Reader;
use crate::wire::{Tag, number};

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
        Some(kind) if is_transparent(kind) && depth < MOST_LEVELS => {
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
    pub fn build<'py>(
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
