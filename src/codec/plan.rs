//! The plan: what is compiled, and the ways through it.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyDict;

use super::definitions::Definitions;
use super::key_spec::KeySpec;
use super::low_level;
use super::node::Node;
use super::nodes::model::{Model, ModelNode};
use super::options::{PlanOptions, Unknown};
use super::schema::{Builder, SchemaDict};
use super::state::{Decoding, Encoding, Outcome, Refusal};
use crate::wire::reader::Reader;

/// A model, compiled with a table's options.
pub struct Plan {
    root: ModelNode,
    definitions: Definitions,
    keys: KeySpec,
    options: PlanOptions,
}

impl Plan {
    /// Compile a core schema. SchemaError or UnsupportedTypeError name the field by its path.
    pub fn compile(py: Python<'_>, schema: &Bound<'_, PyAny>, options: PlanOptions) -> PyResult<Self> {
        let schema = schema.cast::<PyDict>()?;
        let mut builder = Builder::new(py, &options, schema)?;
        let root = builder.resolve(schema)?;
        let kind = root.text("type")?.unwrap_or_default();
        builder.at_root = true;
        let node = builder.build(&root)?;
        let Node::Model(root) = node else {
            return Err(builder.unsupported(&format!("a `{kind}` type as an item (a model, dataclass or TypedDict is one)")));
        };
        builder.finish_definitions()?;
        let definitions = builder.definitions;
        let keys = KeySpec::compile(py, root.model(), &options)?;
        Ok(Self { root, definitions, keys, options })
    }

    pub fn model(&self) -> &Model {
        self.root.model()
    }

    /// The keys of the table and its indexes, by stored names.
    pub fn key_spec(&self) -> &KeySpec {
        &self.keys
    }

    pub fn options(&self) -> &PlanOptions {
        &self.options
    }

    /// Append an instance as an item: `{"id":{"S":"a"}}`. Nothing is appended where it is refused.
    pub fn encode_item(&self, item: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        let start = out.len();
        self.model().encode_fields(item, &mut self.encoding(out)).map_err(|refusal| {
            out.truncate(start);
            refusal.into_error(item.py(), &self.options.title)
        })
    }

    /// Read one item at the reader's position. Where it is refused, the reader is left inside it.
    pub fn decode_item(&self, py: Python<'_>, reader: &mut Reader<'_>) -> PyResult<Py<PyAny>> {
        let mut state = self.decoding(py);
        match self.model().decode_fields(reader, &mut state) {
            Ok(item) => Ok(item.unbind()),
            Err(refusal) => Err(refusal.into_error(py, &self.options.title)),
        }
    }

    /// An instance as boto3's low-level client takes it: `{"id": {"S": "a"}}`.
    pub fn dump_item<'py>(&self, item: &Bound<'py, PyAny>, binary: low_level::Binary) -> PyResult<Bound<'py, PyDict>> {
        let mut wire = Vec::new();
        self.encode_item(item, &mut wire)?;
        let dumped = low_level::to_dict(item.py(), &mut Reader::new(&wire), binary);
        dumped.map_err(|refusal| refusal.into_error(item.py(), &self.options.title))
    }

    /// An instance of such a dict.
    pub fn load_item(&self, item: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = item.py();
        let mut wire = Vec::new();
        low_level::from_dict(item, &mut wire).map_err(|refusal| refusal.into_error(py, &self.options.title))?;
        self.decode_item(py, &mut Reader::new(&wire))
    }

    /// An instance of an item's bytes, and nothing but one.
    pub fn load_wire(&self, py: Python<'_>, wire: &[u8]) -> PyResult<Py<PyAny>> {
        let mut reader = Reader::new(wire);
        let item = self.decode_item(py, &mut reader)?;
        let finished: Outcome<()> = reader.finish().map_err(Box::<Refusal>::from);
        finished.map_err(|refusal| refusal.into_error(py, &self.options.title))?;
        Ok(item)
    }

    pub(super) fn encoding<'a>(&'a self, out: &'a mut Vec<u8>) -> Encoding<'a> {
        Encoding { out, definitions: &self.definitions, depth: 0 }
    }

    pub(super) fn decoding<'a, 'py>(&'a self, py: Python<'py>) -> Decoding<'a, 'py> {
        Decoding {
            py,
            definitions: &self.definitions,
            refuses_unknown: self.options.unknown == Unknown::Error,
            depth: 0,
            elements: Vec::new(),
        }
    }

    /// Visit every Python object that the plan holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        super::node::Codec::traverse(&self.root, visit)?;
        self.definitions.traverse(visit)
    }
}
