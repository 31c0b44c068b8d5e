//! A tagged union told by a function of the user's.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::Member;
use super::build::MOST_LEVELS;
use crate::codec::builder::Builder;
use crate::codec::ffi::DictWalk;
use crate::codec::infer;
use crate::codec::nodes::function::is_transparent;
use crate::codec::nodes::model::{Input, fields_of, stored_name_of};
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Outcome, Refusal};
use crate::wire::Tag;
use crate::wire::reader::Reader;

/// A function that is called with what Pydantic would be given: a dict of values under the names that the members take.
pub struct ByFunction {
    pub function: Py<PyAny>,
    /// The places among the members, by the values that the function gives.
    pub members: Py<PyDict>,
    /// Stored names that are not those that a member takes.
    input_names: HashMap<Box<str>, Py<PyString>>,
    /// Whether a value's class tells the member wherever only one has it.
    pub classes_tell: bool,
}

impl ByFunction {
    pub fn build<'py>(
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
    pub fn call<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Result<usize, Bound<'py, PyAny>>> {
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
        Some(kind) if is_transparent(kind) && depth < MOST_LEVELS => {
            collect_input_names(&schema.schema("schema")?, builder, found, depth + 1)
        }
        _ => {
            for (name, field) in fields_of(&schema)? {
                let Some(stored) = stored_name_of(&schema, &name, builder)? else {
                    continue;
                };
                if let Some(taken) = Input::name_of(&schema, &name, &field, builder)?
                    && stored != taken
                {
                    let taken = PyString::intern(builder.py, &taken).unbind();
                    found.entry(stored.into_boxed_str()).or_insert(taken);
                }
            }
            Ok(())
        }
    }
}
