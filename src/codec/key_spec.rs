//! The one place that knows which attributes are keys and how a key is made of fields: today each is one field, as it is.
//! What else is asked of a key attribute's text stands in `key_form`.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::key_form;
use super::nodes::model::{Field, Model};
use super::options::PlanOptions;
use super::python;
use super::state::{Decoding, Encoding, Outcome, Refusal, Step};
use super::tags::Tags;
use super::target::validated;
use crate::expr::ast::{Path, Segment};
use crate::limits::{INDEX_KEY_PARTS, KEY_NAME_BYTES};
use crate::wire::Tag;
use crate::wire::reader::Reader;
use crate::wire::writer;

/// The keys of a table and its indexes, by stored names.
#[derive(Debug, Clone, Default)]
pub struct KeySpec {
    /// The model's name, for errors.
    title: String,
    pub partition: Option<KeyAttribute>,
    pub sort: Option<KeyAttribute>,
    pub indexes: Vec<IndexKey>,
    /// The attribute by which DynamoDB expires items.
    pub ttl: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    pub attribute: String,
    pub tag: Tag,
    /// The field that it is rendered from.
    pub field: String,
    /// An item may be without it; such an item is not in the index.
    pub is_optional: bool,
}

#[derive(Debug, Clone)]
pub struct IndexKey {
    pub name: String,
    pub partition: Vec<KeyAttribute>,
    pub sort: Vec<KeyAttribute>,
}

impl KeySpec {
    /// Check the keys that the options name, and find out how they are stored.
    pub fn compile(py: Python<'_>, model: &Model, options: &PlanOptions) -> PyResult<Self> {
        let attribute = |name: &String| compile_attribute(py, model, options, name);
        let attributes = |names: &[String]| names.iter().map(attribute).collect::<PyResult<Vec<_>>>();
        let indexes = options.indexes.iter().map(|index| {
            for (part, names) in [("partition", &index.partition), ("sort", &index.sort)] {
                if let Some(name) = names.get(INDEX_KEY_PARTS) {
                    let reason = format!(
                        "the index \"{}\" has {} {part} fields, and DynamoDB takes at most {INDEX_KEY_PARTS}",
                        index.name,
                        names.len(),
                    );
                    return Err(refuse(py, options, name, &reason));
                }
            }
            Ok(IndexKey {
                name: index.name.clone(),
                partition: attributes(&index.partition)?,
                sort: attributes(&index.sort)?,
            })
        });
        Ok(Self {
            title: options.title.clone(),
            partition: options.partition.as_ref().map(attribute).transpose()?,
            sort: options.sort.as_ref().map(attribute).transpose()?,
            indexes: indexes.collect::<PyResult<_>>()?,
            ttl: options
                .ttl
                .as_ref()
                .map(|name| {
                    let field = field(py, model, options, name)?;
                    check_name(py, options, name, &field.stored)?;
                    Ok::<_, PyErr>(field.stored.to_string())
                })
                .transpose()?,
        })
    }

    /// Append the table's key: of one value, of a tuple of two, or of an instance.
    pub fn encode(&self, model: &Model, key: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> PyResult<()> {
        let py = key.py();
        let values = match key.cast::<PyTuple>() {
            Ok(values) => values.clone(),
            Err(_) => PyTuple::new(py, [key])?,
        };
        if values.len() == 1 {
            let instance = values.get_item(0)?;
            if model.is_instance(&instance)? {
                let rendered = self.render(py, model, state, |_, field| {
                    model.value_of(&instance, field)?.ok_or_else(Refusal::missing)
                });
                return rendered.map_err(|refusal| refusal.into_error(py, &self.title));
            }
        }
        if values.len() != self.table().count() {
            return Err(self.invalid_key(py, &format!("found {}", values.len())));
        }
        let rendered = self.render(py, model, state, |place, field| {
            let name = field.name.bind(py).as_any();
            validated(
                &field.node,
                &field.own,
                &values.get_item(place)?,
                true,
                (Some(name), None),
            )
        });
        rendered.map_err(|refusal| self.refused_value(py, refusal.into_error(py, &self.title)))
    }

    /// Write every attribute of the table's key from the value that `value_of` gives for its field and place.
    fn render<'py>(
        &self,
        py: Python<'py>,
        model: &Model,
        state: &mut Encoding<'_>,
        value_of: impl Fn(usize, &Field) -> Outcome<Bound<'py, PyAny>>,
    ) -> Outcome<()> {
        state.out.push(b'{');
        for (place, key) in self.table().enumerate() {
            let field = model.field(py, &key.field).expect("checked when it was compiled");
            writer::push_separator(state.out);
            writer::push_key(state.out, &key.attribute);
            let start = state.out.len();
            value_of(place, field)
                .and_then(|value| field.node.encode(&value, state))
                .and_then(|()| key_form::check_written(&state.out[start..], field.role))
                .map_err(|refusal| refusal.under(|| Step::name(field.name.bind(py))))?;
        }
        state.out.push(b'}');
        Ok(())
    }

    /// InvalidKey in place of the InvalidItem that says why a value was refused; what user code raised passes.
    #[cold]
    fn refused_value(&self, py: Python<'_>, refused: PyErr) -> PyErr {
        let reasons = || -> PyResult<Option<String>> {
            if !refused.value(py).is_instance(python::invalid_item(py)?)? {
                return Ok(None);
            }
            let mut reasons = Vec::new();
            for line in refused.value(py).call_method0("errors")?.try_iter()? {
                let line = line?;
                let field = line.get_item("loc")?.get_item(0)?;
                reasons.push(format!("{field}: {}", line.get_item("msg")?));
            }
            Ok(Some(reasons.join("; ")))
        };
        match reasons() {
            Ok(Some(reasons)) => {
                let error = self.invalid_key(py, &reasons);
                error.set_cause(py, Some(refused));
                error
            }
            Ok(None) => refused,
            Err(failure) => failure,
        }
    }

    /// InvalidKey: what a key of this table is, and what was found.
    #[cold]
    fn invalid_key(&self, py: Python<'_>, found: &str) -> PyErr {
        let names: Vec<&str> = self.table().map(|key| key.field.as_str()).collect();
        let message = format!(
            "the key of {} is ({}), {} or an instance; {found}.",
            self.title,
            names.join(", "),
            if names.len() == 1 { "one value" } else { "two values" },
        );
        python::invalid_key(py)
            .and_then(|class| class.call1((message,)))
            .map_or_else(|error| error, PyErr::from_value)
    }

    /// The table's key of a stored item, as a caller gives it; None where the item has none that can be read.
    #[cold]
    pub fn read<'py>(
        &self,
        model: &Model,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Option<Bound<'py, PyAny>>> {
        let mut values = vec![None; self.table().count()];
        let mut more = reader.begin_object()?;
        while more {
            let name = reader.key()?;
            let place = self.table().position(|key| key.attribute == *name);
            match place.and_then(|place| Some((place, model.field(state.py, &self.table().nth(place)?.field)?))) {
                Some((place, field)) => values[place] = Some(field.node.decode_value(reader, state)?),
                None => reader.skip_value()?,
            }
            more = reader.next_member()?;
        }
        let mut values = values.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default();
        Ok(match values.len() {
            0 | 1 => values.pop(),
            _ => Some(PyTuple::new(state.py, values)?.into_any()),
        })
    }

    /// Whether the path is a part of the table's key.
    pub fn is_table_key(&self, path: &Path) -> bool {
        match &*path.0 {
            [Segment::Attribute(name)] => self.table().any(|key| *key.attribute == **name),
            _ => false,
        }
    }

    /// The table's key attributes: partition, then sort.
    pub fn table(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.partition.iter().chain(&self.sort)
    }
}

fn field<'a>(py: Python<'_>, model: &'a Model, options: &PlanOptions, name: &str) -> PyResult<&'a Field> {
    match model.field(py, name) {
        Some(field) => Ok(field),
        None => {
            let known: Vec<String> = model
                .fields
                .iter()
                .map(|field| field.name.bind(py).to_string())
                .collect();
            let known = known.join(", ");
            Err(refuse(
                py,
                options,
                name,
                &format!("there is no such field; the model has {known}"),
            ))
        }
    }
}

fn compile_attribute(py: Python<'_>, model: &Model, options: &PlanOptions, name: &str) -> PyResult<KeyAttribute> {
    let field = field(py, model, options, name)?;
    let is_table_key = field.role.is_table_key();
    if field.node.needs_instance() {
        let reason = "a key may be given as a bare value, and its serializer needs the whole instance; write it as \
                      Annotated[..., PlainSerializer(...)]";
        return Err(refuse(py, options, name, reason));
    }
    if field.node.is_serialized() && field.node.tags() == Tags::ALL {
        let reason = "a key is stored as text, number or bytes (S, N or B), and nothing tells what its serializer gives; \
                      give it a return type";
        return Err(refuse(py, options, name, reason));
    }
    let tags = field.node.tags();
    if tags.has(Tag::Null) {
        if is_table_key {
            return Err(refuse(
                py,
                options,
                name,
                "a table's key may not be None, but the field allows it",
            ));
        }
        if !field.omits_none {
            return Err(refuse(
                py,
                options,
                name,
                "an index leaves out items whose key is absent, so a key that may be None needs the default None",
            ));
        }
    }
    let Some(tag @ (Tag::S | Tag::N | Tag::B)) = tags.without(Tag::Null).only() else {
        return Err(refuse(
            py,
            options,
            name,
            "a key is stored as text, number or bytes (S, N or B), and this field is not",
        ));
    };
    if tag != Tag::N && field.node.is_union() {
        return Err(refuse(
            py,
            options,
            name,
            "text of one member of a union may be read as another's and written differently, so it is no key",
        ));
    }
    if !field.node.sorts() {
        return Err(refuse(
            py,
            options,
            name,
            "a datetime that keeps its offset (utc=False) does not sort, so it is no key",
        ));
    }
    // A TypedDict's key may be absent although it is never None.
    if is_table_key && model.is_typed_dict() && !field.is_always_there() {
        return Err(refuse(
            py,
            options,
            name,
            "a table's key may not be absent, but the field is not required",
        ));
    }
    if is_table_key && field.default(py).is_some_and(|default| default.is_none()) {
        return Err(refuse(
            py,
            options,
            name,
            "a table's key may not be None, but the field's default is",
        ));
    }
    check_name(py, options, name, &field.stored)?;
    Ok(KeyAttribute {
        attribute: field.stored.to_string(),
        tag,
        field: name.to_owned(),
        is_optional: tags.has(Tag::Null) || field.node.may_be_missing() || !field.is_always_there(),
    })
}

/// The names of attributes that DynamoDB itself looks at are shorter than others may be.
fn check_name(py: Python<'_>, options: &PlanOptions, field: &str, stored: &str) -> PyResult<()> {
    if stored.len() <= KEY_NAME_BYTES {
        return Ok(());
    }
    let reason = format!(
        "a key or TTL attribute has a name of at most {KEY_NAME_BYTES} bytes, and the stored name has {}",
        stored.len()
    );
    Err(refuse(py, options, field, &reason))
}

#[cold]
fn refuse(py: Python<'_>, options: &PlanOptions, field: &str, reason: &str) -> PyErr {
    python::schema_error(py)
        .and_then(|class| class.call1((format!("{}.{field}: {reason}.", options.title),)))
        .map_or_else(|error| error, PyErr::from_value)
}
