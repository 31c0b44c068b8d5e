//! Named tuples → L, in the order of their fields.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

use super::list::{decode_elements, encode_elements};
use crate::codec::builder::Builder;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct NamedTupleNode(Box<NamedTuple>);

struct NamedTuple {
    own: Box<Own>,
    class: Py<PyType>,
    fields: Box<[(Py<PyString>, Node)]>,
}

impl NamedTupleNode {
    /// The place of a field by its name.
    pub fn position(&self, name: &Bound<'_, PyString>) -> Option<usize> {
        let py = name.py();
        let is_named = |(field, _): &(Py<PyString>, Node)| field.bind(py).as_any().eq(name).unwrap_or(false);
        self.0.fields.iter().position(is_named)
    }

    pub fn element(&self, index: usize) -> Option<&Node> {
        self.0.fields.get(index).map(|(_, node)| node)
    }
}

/// The names and schemas of the fields.
type Fields<'py> = Vec<(String, Bound<'py, PyDict>)>;

/// The class and the fields of a named tuple's schema: newer versions of Pydantic have a type of their own for it, older
/// ones call the class. `None` where something else is called.
pub fn parts<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<(Bound<'py, PyType>, Fields<'py>)>> {
    let (class, fields) = if schema.text("type")?.as_deref() == Some("named-tuple") {
        (schema.required("cls")?, schema.required("fields")?)
    } else {
        let arguments = schema.schema("arguments_schema")?;
        if arguments.text("type")?.as_deref() != Some("arguments") {
            return Ok(None);
        }
        (schema.required("function")?, arguments.required("arguments_schema")?)
    };
    let Ok(class) = class.cast_into::<PyType>() else {
        return Ok(None);
    };
    let mut found = Vec::new();
    for field in fields.try_iter()? {
        let field = field?.cast_into::<PyDict>()?;
        found.push((field.required("name")?.extract::<String>()?, field.schema("schema")?));
    }
    let names = class.getattr_opt("_fields")?;
    let names = names.and_then(|names| names.extract::<Vec<String>>().ok());
    let is_tuple = class.is_subclass_of::<PyTuple>()?;
    let same = names.is_some_and(|names| names.iter().eq(found.iter().map(|(name, _)| name)));
    Ok((is_tuple && same).then_some((class, found)))
}

impl Codec for NamedTupleNode {
    const KINDS: &'static [&'static str] = &["named-tuple", "call"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let Some((class, schemas)) = parts(schema)? else {
            return Err(builder.unsupported(
                "the result of a function that is called with the values (`call`), from which they cannot be told (a named \
                 tuple's can),",
            ));
        };
        let mut fields = Vec::with_capacity(schemas.len());
        for (name, schema) in schemas {
            let node = builder.build_part(name.as_str(), &schema)?;
            fields.push((PyString::intern(builder.py, &name).unbind(), node));
        }
        Ok(Self(Box::new(NamedTuple {
            own: builder.own(schema),
            class: class.unbind(),
            fields: fields.into_boxed_slice(),
        }))
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::L)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        visit.call(&self.0.class)?;
        self.0.fields.iter().try_for_each(|(_, node)| node.traverse(visit))
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let py = value.py();
        // An unvalidated default is often a plain tuple or list.
        let tuple = match value.cast::<PyTuple>() {
            Ok(tuple) => tuple.clone(),
            Err(_) => match value.cast::<PyList>() {
                Ok(list) => list.to_tuple(),
                Err(_) => {
                    let name = self.0.class.bind(py).name()?;
                    return Err(Refusal::unexpected("tuple_type", &format!("a {name}"), value));
                }
            },
        };
        let (length, expected) = (tuple.len(), self.0.fields.len());
        if length != expected {
            let name = self.0.class.bind(py).name()?;
            return Err(Refusal::new(
                "tuple_length",
                format!("expected a {name} of {expected} values, found {length}"),
            )
            .with_input(value));
        }
        let encode = |index: usize, element: &Bound<'_, PyAny>, state: &mut Encoding<'_>| {
            self.0.fields[index].1.encode(element, state)
        };
        encode_elements(tuple.iter(), encode, state)
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::L {
            return self.0.own.convert(tag, reader, state);
        }
        let py = state.py;
        let NamedTuple { own, class, fields } = &*self.0;
        let start = decode_elements(false, reader, state, |index| fields.get(index).map(|(_, node)| node))?;
        let values = PyTuple::new(py, state.elements.drain(start..))?;
        if values.len() != fields.len() {
            // Fields that were added since have defaults, which Pydantic fills in; or the length is refused.
            return own.validate(values.as_any(), true);
        }
        class
            .bind(py)
            .call1(values)
            .map_err(|error| Refusal::from_user_code(py, error))
    }
}
