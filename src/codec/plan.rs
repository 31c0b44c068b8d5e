//! The plan: what is compiled, and the ways through it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::PyTraverseError;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyTuple};

use super::builder::Builder;
use super::definitions::Definitions;
use super::infer;
use super::json::JsonPlan;
use super::key_form::{self, Role};
use super::key_spec::KeySpec;
use super::low_level;
use super::node::Node;
use super::nodes::model::Model;
use super::options::{PlanOptions, Unknown};
use super::own::Own;
use super::schema::SchemaDict;
use super::state::{Decoding, Encoding, Outcome, Refusal, Step};
use super::target::{self, Part, Target};
use crate::wire::reader::Reader;

/// Paths that are kept resolved: more than a program writes down, fewer than one that makes them up could fill.
const MAX_TARGETS: usize = 512;

/// A model, compiled with a table's options.
pub struct Plan {
    root: Node,
    /// What the fields decode to may not be what the instance holds in the end.
    keys_may_change: bool,
    definitions: Definitions,
    keys: KeySpec,
    options: PlanOptions,
    schema: Py<PyDict>,
    model: Py<PyAny>,
    /// Paths of references, resolved once each.
    targets: Mutex<Vec<Resolved>>,
    /// How items are printed as JSON, once that was asked for; None where only the model can say it.
    json: OnceLock<Option<JsonPlan>>,
    /// What Pydantic itself would use: for an instance, and for one in a model without a config.
    own: Own,
    own_in_page: Own,
}

struct Resolved {
    /// The object by which Python asked: the same one asks again, since a model's references are kept with its class.
    reference: Py<PyAny>,
    path: Py<PyTuple>,
    part: Part,
    target: Arc<Target>,
}

impl Plan {
    /// Compile a core schema. SchemaError or UnsupportedTypeError name the field by its path.
    pub fn compile(
        py: Python<'_>,
        schema: &Bound<'_, PyAny>,
        class: &Bound<'_, PyAny>,
        options: PlanOptions,
    ) -> PyResult<Self> {
        let schema = schema.cast::<PyDict>()?;
        let mut builder = Builder::new(py, &options, schema)?;
        let root = builder.resolve(schema)?;
        let config = root.member("config")?.map(Bound::cast_into).transpose()?;
        let kind = root.text("type")?.unwrap_or_default();
        builder.at_root = true;
        let root = builder.build(&root)?;
        let Some(model) = root.model() else {
            return Err(builder.unsupported(&format!(
                "a `{kind}` type as an item (a model, dataclass or TypedDict is one)"
            )));
        };
        builder.finish_definitions()?;
        let keys = KeySpec::compile(py, model, &options)?;
        let has_keys = model.fields.iter().any(|field| field.role != Role::None);
        let keys_may_change = has_keys && (matches!(root, Node::Function(_)) || model.is_made_by_pydantic());
        let definitions = builder.definitions;
        Ok(Self {
            root,
            keys_may_change,
            definitions,
            keys,
            options,
            schema: schema.clone().unbind(),
            model: class.clone().unbind(),
            targets: Mutex::default(),
            json: OnceLock::new(),
            own: Own::new(schema, config.as_ref(), None),
            own_in_page: Own::new(schema, None, None),
        })
    }

    /// The class of the items.
    pub fn model<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.model.bind(py)
    }

    pub fn title(&self) -> &str {
        &self.options.title
    }

    /// The name under which a field is stored.
    pub fn stored_name(&self, py: Python<'_>, field: &str) -> PyResult<Arc<str>> {
        match self.root().field(py, field) {
            Some(field) => Ok(Arc::from(&*field.stored)),
            None => Err(PyKeyError::new_err(format!("{} has no field {field:?}", self.title()))),
        }
    }

    /// The fields beside the table's key that every stored item must have, by stored names and their own.
    pub fn required_fields(&self, py: Python<'_>) -> Vec<(Arc<str>, Arc<str>)> {
        let required = self.root().fields.iter().filter(|field| field.is_required());
        required
            .filter(|field| !field.role.is_table_key())
            .map(|field| (Arc::from(&*field.stored), field.name.bind(py).to_string().into()))
            .collect()
    }

    /// Whether attributes that are no field are read, and written back.
    pub fn keeps_unknown(&self) -> bool {
        self.options.unknown == Unknown::Keep || self.root().takes_extras()
    }

    pub(super) fn root(&self) -> &Model {
        self.root.model().expect("checked when it was compiled")
    }

    pub(super) fn root_node(&self) -> &Node {
        &self.root
    }

    /// What the fields decode to may not be what the instance holds in the end.
    pub(super) fn keys_may_change(&self) -> bool {
        self.keys_may_change
    }

    pub(super) fn schema<'py>(&self, py: Python<'py>) -> &Bound<'py, PyDict> {
        self.schema.bind(py)
    }

    pub(super) fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The keys of the table and its indexes, by stored names.
    pub fn key_spec(&self) -> &KeySpec {
        &self.keys
    }

    pub fn options(&self) -> &PlanOptions {
        &self.options
    }

    /// What a reference was resolved to before.
    pub fn known_target(&self, reference: &Bound<'_, PyAny>, part: Part) -> Option<Arc<Target>> {
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = targets.iter();
        let known = known.find(|known| known.part == part && known.reference.is(reference))?;
        Some(Arc::clone(&known.target))
    }

    /// A reference's path of field names, dict keys and indexes, resolved. InvalidExpression says what there is instead.
    /// `reference` is the object that has this path.
    pub fn target(&self, reference: &Bound<'_, PyAny>, path: &Bound<'_, PyTuple>, part: Part) -> PyResult<Arc<Target>> {
        let py = path.py();
        {
            let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
            for known in targets.iter() {
                if known.part == part && known.path.bind(py).eq(path)? {
                    return Ok(Arc::clone(&known.target));
                }
            }
        }
        let target = Arc::new(target::resolve(py, self, path, part)?);
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if targets.len() == MAX_TARGETS {
            targets.clear();
        }
        targets.push(Resolved {
            reference: reference.clone().unbind(),
            path: path.clone().unbind(),
            part,
            target: Arc::clone(&target),
        });
        Ok(target)
    }

    /// Append a key, `{"org":{"S":"a"},"id":{"S":"b"}}`: of the partition value, of a tuple of it and the sort value, or
    /// of an instance. InvalidKey where the count is wrong or a value is refused, InvalidItem where the instance is.
    /// Nothing is appended then.
    pub fn encode_key(&self, key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        let start = out.len();
        let encoded = self.keys.encode(self.root(), key, &mut self.encoding(out));
        encoded.inspect_err(|_| out.truncate(start))
    }

    /// Append an instance as an item: `{"id":{"S":"a"}}`. Nothing is appended where it is refused.
    pub fn encode_item(&self, item: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        let start = out.len();
        let mut encoded = self.root.encode_attributes(item, &mut self.encoding(out));
        if encoded.is_ok() && self.root.is_serialized() {
            encoded = self.check_keys(item, &out[start..]);
        }
        encoded.map_err(|refusal| {
            out.truncate(start);
            refusal.into_error(item.py(), &self.options.title)
        })
    }

    /// A value that belongs to no field, by its own type: a parameter of a statement. Where it is refused, its place among
    /// them is told.
    pub fn encode_parameter(&self, value: &Bound<'_, PyAny>, place: usize) -> PyResult<Vec<u8>> {
        let py = value.py();
        let mut out = Vec::new();
        match infer::encode(value, &mut self.encoding(&mut out)) {
            Ok(()) => Ok(out),
            Err(refusal) => {
                let parameters = || Step::name(pyo3::intern!(py, "parameters"));
                let refusal = refusal.under(|| Step::Index(place)).under(parameters);
                Err(refusal.into_error(py, "Statement"))
            }
        }
    }

    /// Read one item at the reader's position. Where it is refused, the reader is left inside it.
    pub fn decode_item(&self, py: Python<'_>, reader: &mut Reader<'_>) -> PyResult<Py<PyAny>> {
        let decoded = self.decode(py, reader);
        decoded.map_err(|refusal| refusal.into_error(py, &self.options.title))
    }

    /// The same for one of many, whose place among them is told where it is refused.
    pub fn decode_item_at(&self, py: Python<'_>, reader: &mut Reader<'_>, place: usize) -> PyResult<Py<PyAny>> {
        self.decode(py, reader).map_err(|refusal| {
            let refusal = refusal.under(|| Step::Index(place));
            refusal.into_error(py, &self.options.title)
        })
    }

    fn decode(&self, py: Python<'_>, reader: &mut Reader<'_>) -> Outcome<Py<PyAny>> {
        let mut state = self.decoding(py);
        let start = reader.position();
        let mut decoded = self.root.decode_attributes(reader, &mut state);
        if self.keys_may_change
            && let Ok(item) = &decoded
            && let Err(refusal) = self.check_keys(item, &reader.bytes()[start..reader.position()])
        {
            decoded = Err(refusal);
        }
        decoded.map(Bound::unbind)
    }

    /// Where functions of the user's stand between the fields and what is stored: the stored keys must be those that the
    /// instance's own fields would give, or it could not be found by them.
    #[cold]
    fn check_keys(&self, item: &Bound<'_, PyAny>, stored: &[u8]) -> Outcome<()> {
        let py = item.py();
        let state = self.decoding(py);
        for field in self.root().fields.iter().filter(|field| field.role != Role::None) {
            let step = || Step::name(field.name.bind(py));
            let value = self.root().value_of(item, field)?;
            match (attribute(stored, &field.stored)?, value) {
                (Some(stored), Some(value)) => {
                    key_form::check_stored(stored, &field.node, &value, &state)
                        .map_err(|refusal| refusal.under(step))?;
                }
                (None, Some(value)) if matches!(field.role, Role::Key(_)) || !value.is_none() => {
                    let message = "the serializer leaves out a key attribute, which the item is found by";
                    return Err(Refusal::new("key_form", message).under(step));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The key of an item that may itself be refused, as a caller gives it; None where it cannot be read.
    #[cold]
    pub fn key_of_item<'py>(&self, py: Python<'py>, reader: &mut Reader<'_>) -> Option<Bound<'py, PyAny>> {
        self.keys
            .read(self.root(), reader, &mut self.decoding(py))
            .ok()
            .flatten()
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
        self.finish(py, &mut reader)?;
        Ok(item)
    }

    fn finish(&self, py: Python<'_>, reader: &mut Reader<'_>) -> PyResult<()> {
        let finished: Outcome<()> = reader.finish().map_err(Box::<Refusal>::from);
        finished.map_err(|refusal| refusal.into_error(py, &self.options.title))
    }

    /// Append the JSON that the model gives of the item at the reader's position, its fields by alias. Where it is
    /// refused, the reader is left inside it and nothing is appended.
    pub fn push_json(&self, py: Python<'_>, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> PyResult<()> {
        self.push_json_by(&self.own, py, reader, out)
    }

    /// The same as a part of a page, whose config decides how values of no declared type are printed.
    pub fn push_json_in_page(&self, py: Python<'_>, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> PyResult<()> {
        self.push_json_by(&self.own_in_page, py, reader, out)
    }

    fn push_json_by(&self, own: &Own, py: Python<'_>, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> PyResult<()> {
        if let Some(json) = self.json(py)?
            && json.push_item(py, self, reader, out)?
        {
            return Ok(());
        }
        let item = self.decode_item(py, reader)?;
        out.extend_from_slice(own.dump_json(item.bind(py), false)?.as_bytes());
        Ok(())
    }

    /// The same of an item's bytes, and nothing but one.
    pub fn json_of_wire(&self, py: Python<'_>, wire: &[u8]) -> PyResult<Vec<u8>> {
        let mut json = Vec::with_capacity(wire.len());
        let mut reader = Reader::new(wire);
        self.push_json(py, &mut reader, &mut json)?;
        self.finish(py, &mut reader)?;
        Ok(json)
    }

    fn json(&self, py: Python<'_>) -> PyResult<Option<&JsonPlan>> {
        if let Some(json) = self.json.get() {
            return Ok(json.as_ref());
        }
        let json = JsonPlan::compile(py, self)?;
        // Another thread may have compiled one meanwhile; either will do.
        Ok(self.json.get_or_init(|| json).as_ref())
    }

    pub(super) fn encoding<'a>(&'a self, out: &'a mut Vec<u8>) -> Encoding<'a> {
        Encoding {
            out,
            definitions: &self.definitions,
            depth: 0,
        }
    }

    pub(super) fn decoding<'a, 'py>(&'a self, py: Python<'py>) -> Decoding<'a, 'py> {
        Decoding::new(py, &self.definitions, &self.options)
    }

    /// Visit every Python object that the plan holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.root.traverse(visit)?;
        self.definitions.traverse(visit)?;
        visit.call(&self.schema)?;
        visit.call(&self.model)?;
        self.own.traverse(visit)?;
        self.own_in_page.traverse(visit)?;
        // The collector runs on a thread that may hold the lock. What is not offered this time is kept.
        let Ok(targets) = self.targets.try_lock() else {
            return Ok(());
        };
        for Resolved {
            reference,
            path,
            target,
            ..
        } in targets.iter()
        {
            visit.call(reference)?;
            visit.call(path)?;
            if Arc::strong_count(target) == 1 {
                target.traverse(visit)?;
            }
        }
        Ok(())
    }
}

/// An attribute's value in an item: `{"S":"x"}`.
fn attribute<'a>(item: &'a [u8], name: &str) -> Outcome<Option<&'a [u8]>> {
    let mut reader = Reader::new(item);
    let mut more = reader.begin_object()?;
    while more {
        let is_it = *reader.key()? == *name;
        reader.peek();
        let start = reader.position();
        reader.skip_value()?;
        if is_it {
            return Ok(Some(&item[start..reader.position()]));
        }
        more = reader.next_member()?;
    }
    Ok(None)
}
