//! Root models: stored as their root is, and built as pydantic-core builds them, which calls no `__init__` of theirs.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PySet, PyString, PyTuple, PyType};

use crate::codec::builder::{Builder, ValidatedBy};
use crate::codec::ffi::{instance_dict, new_instance, set_instance_dict};
use crate::codec::node::{Codec, Node};
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct RootModelNode(Box<RootModel>);

struct RootModel {
    class: Py<PyType>,
    /// What `root` holds.
    root: Node,
    /// A validator outside makes the instance.
    hands_over: bool,
    post_init: Option<Py<PyString>>,
}

impl RootModelNode {
    pub fn root(&self) -> &Node {
        &self.0.root
    }

    /// Whether nothing but the root makes the instance.
    pub fn is_made_plainly(&self) -> bool {
        !self.0.hands_over && self.0.post_init.is_none()
    }
}

impl Codec for RootModelNode {
    /// A root model is a `model` with a flag: `ModelNode` hands it on.
    const KINDS: &'static [&'static str] = &[];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let py = builder.py;
        builder.at_root = false;
        let hands_over = builder.hands_over(schema)?;
        let validated_by = if hands_over {
            builder.validated_by
        } else {
            ValidatedBy::Node
        };
        let inner = schema.schema("schema")?;
        let root = builder.with_validation(validated_by, |builder| builder.build_part("root", &inner))?;
        let post_init = schema.text("post_init")?;
        Ok(Self(Box::new(RootModel {
            class: schema.required("cls")?.cast_into()?.unbind(),
            root,
            hands_over,
            post_init: post_init.map(|name| PyString::intern(py, &name).unbind()),
        }))
        .into())
    }

    fn tags(&self) -> Tags {
        self.0.root.tags()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0.class)?;
        self.0.root.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let py = value.py();
        let class = self.0.class.bind(py);
        if !value.is_exact_instance(class) && !value.is_instance(class)? {
            return Err(Refusal::unexpected(
                "model_type",
                &format!("an instance of {}", class.name()?),
                value,
            ));
        }
        // A `model_construct` may have forgotten it.
        let root = instance_dict(value)?.get_item(pyo3::intern!(py, "root"))?;
        self.0.root.encode(&root.ok_or_else(Refusal::missing)?, state)
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let root = self.0.root.decode(tag, reader, state)?;
        if self.0.hands_over {
            return Ok(root);
        }
        self.0.build_instance(root)
    }
}

impl RootModel {
    fn build_instance<'py>(&self, root: Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        let py = root.py();
        let name = pyo3::intern!(py, "root");
        let instance = new_instance(self.class.bind(py), PyTuple::empty(py).as_any())?;
        let dict = PyDict::new(py);
        dict.set_item(name, root)?;
        set_instance_dict(&instance, &dict)?;
        // Extra and private values of a root model are None in its class.
        let fields_set = PySet::new(py, [name])?;
        python::model_fields_set(py)?.set(&instance, fields_set.into_any())?;
        if let Some(post_init) = &self.post_init {
            instance
                .call_method1(post_init, (py.None(),))
                .map_err(|error| Refusal::from_user_code(py, error))?;
        }
        Ok(instance)
    }
}
