//! list, deque, `Sequence` and tuple → L.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::codec::builder::Builder;
use crate::codec::ffi::ListFloats;
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::python;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Line, Outcome, Refusal, Step};
use crate::codec::tags::Tags;
use crate::wire::reader::Reader;
use crate::wire::{Tag, float, writer};

/// `list[X]`, `deque[X]`, `Sequence[X]` → L.
pub struct ListNode(Box<List>);

struct List {
    own: Box<Own>,
    kind: ListKind,
    element: Node,
    least: usize,
    most: usize,
    fail_fast: bool,
}

/// What comes of the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    List,
    /// Its `maxlen` is not stored: as through Pydantic's JSON, what is read has none.
    Deque,
    /// A list, which is what Pydantic takes for one.
    Sequence,
}

impl ListNode {
    pub fn element(&self) -> &Node {
        &self.0.element
    }

    /// Whether lists of this length need no further check.
    #[inline]
    pub fn takes(&self, length: usize) -> bool {
        (self.0.least..=self.0.most).contains(&length)
    }

    /// Compile a collection that `part` has the elements of, and `schema` is Pydantic's for.
    pub fn build_of<'py>(
        kind: ListKind,
        part: &Bound<'py, PyDict>,
        (least, most): (usize, usize),
        schema: &Bound<'py, PyDict>,
        builder: &mut Builder<'_, 'py>,
    ) -> PyResult<Node> {
        let element = builder.build_part("[]", &element_schema(part, builder)?)?;
        Ok(Self(Box::new(List {
            own: builder.own(schema),
            kind,
            element,
            least,
            most,
            fail_fast: part.flag("fail_fast")?.unwrap_or(false),
        }))
        .into())
    }

    /// Lists and tuples are what most values are; the rest is looked at closely.
    #[cold]
    fn encode_other(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let py = value.py();
        let takes = match self.0.kind {
            ListKind::List => false,
            ListKind::Deque => value.is_instance(python::deque(py)?)?,
            ListKind::Sequence => {
                let is_text = value.is_instance_of::<PyString>()
                    || value.is_instance_of::<PyBytes>()
                    || value.is_instance_of::<PyByteArray>();
                !is_text && value.is_instance(python::sequence(py)?)?
            }
        };
        if !takes {
            return Err(match self.0.kind {
                ListKind::List => Refusal::unexpected("list_type", "a list", value),
                ListKind::Deque => Refusal::unexpected("deque_type", "a deque", value),
                ListKind::Sequence => {
                    Refusal::unexpected("sequence_type", "a sequence other than text and bytes", value)
                }
            });
        }
        let elements = value.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        encode_elements(
            elements.into_iter(),
            |_, element, state| self.0.element.encode(element, state),
            state,
        )
    }
}

impl Codec for ListNode {
    const KINDS: &'static [&'static str] = &["list", "deque", "generator"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let kind = match schema.text("type")?.as_deref() {
            Some("list") => ListKind::List,
            Some("deque") => ListKind::Deque,
            _ => {
                return Err(builder.unsupported(
                    "an Iterable or Generator (`generator`), of which Pydantic keeps an iterator that storing would use \
                     up (`list[...]`, `tuple[..., ...]` and `Sequence[...]` keep their elements),",
                ));
            }
        };
        Self::build_of(kind, schema, lengths(schema)?, schema, builder)
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::L)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        self.0.element.traverse(visit)
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        if let Ok(list) = value.cast::<PyList>() {
            if let Node::Float(_) = self.0.element {
                return encode_floats(list, &self.0.element, state);
            }
            encode_elements(
                list.iter(),
                |_, element, state| self.0.element.encode(element, state),
                state,
            )
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            // An unvalidated default is often written as a tuple.
            encode_elements(
                tuple.iter(),
                |_, element, state| self.0.element.encode(element, state),
                state,
            )
        } else {
            self.encode_other(value, state)
        }
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::L {
            return self.0.own.convert(tag, reader, state);
        }
        let start = decode_elements(self.0.fail_fast, reader, state, |_| Some(&self.0.element))?;
        let length = state.elements.len() - start;
        let mut list = PyList::new(state.py, state.elements.drain(start..))?.into_any();
        if self.0.kind == ListKind::Deque {
            list = python::deque(state.py)?.call1((list,))?;
        }
        if length < self.0.least || length > self.0.most {
            return self.0.own.validate(&list, false);
        }
        Ok(list)
    }
}

/// `tuple[X, ...]` and `tuple[X, Y]` → L.
pub struct TupleNode(Box<Tuple>);

struct Tuple {
    own: Box<Own>,
    elements: Box<[Node]>,
    /// Which of the elements repeats, where one does.
    repeated: Option<usize>,
    least: usize,
    most: usize,
    fail_fast: bool,
}

impl TupleNode {
    /// The element of a tuple of any length.
    pub fn repeated(&self) -> Option<&Node> {
        match (&*self.0.elements, self.0.repeated) {
            ([element], Some(_)) => Some(element),
            _ => None,
        }
    }

    /// The nodes of all places, where none repeats.
    pub fn places(&self) -> Option<&[Node]> {
        self.0.repeated.is_none().then_some(&*self.0.elements)
    }

    /// Whether tuples of this length need no further check.
    pub fn takes(&self, length: usize) -> bool {
        self.0.fits(length) && (self.0.least..=self.0.most).contains(&length)
    }

    /// Whether the place is of the repeated element, so that a tuple may be without it.
    pub fn repeats_at(&self, index: usize) -> bool {
        self.0.repeated.is_some_and(|repeated| index >= repeated)
    }

    /// The node of one place, where every tuple of the type has that place in it.
    pub fn element(&self, index: usize) -> Option<&Node> {
        match self.0.repeated {
            None => self.0.elements.get(index),
            // What follows the repeated element has no fixed place.
            Some(repeated) if index < repeated || repeated + 1 == self.0.elements.len() => {
                self.0.elements.get(index.min(repeated))
            }
            Some(_) => None,
        }
    }
}

impl Tuple {
    fn node(&self, index: usize, length: usize) -> &Node {
        let index = match self.repeated {
            Some(repeated) if index >= repeated => {
                let after = self.elements.len() - 1 - repeated;
                if index + after < length {
                    repeated
                } else {
                    self.elements.len() + index - length
                }
            }
            _ => index,
        };
        &self.elements[index]
    }

    fn fits(&self, length: usize) -> bool {
        match self.repeated {
            Some(_) => length + 1 >= self.elements.len(),
            None => length == self.elements.len(),
        }
    }
}

impl Codec for TupleNode {
    const KINDS: &'static [&'static str] = &["tuple"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let schemas = schema.required("items_schema")?.cast_into::<PyList>()?;
        let repeated = schema
            .member("variadic_item_index")?
            .map(|index| index.extract())
            .transpose()?;
        let mut elements = Vec::with_capacity(schemas.len());
        for (index, element) in schemas.iter().enumerate() {
            elements.push(builder.build_part(format!("[{index}]"), &element.cast_into()?)?);
        }
        let (least, most) = lengths(schema)?;
        let elements = elements.into_boxed_slice();
        Ok(Self(Box::new(Tuple {
            own: builder.own(schema),
            elements,
            repeated,
            least,
            most,
            fail_fast: schema.flag("fail_fast")?.unwrap_or(false),
        }))
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::L)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.own.traverse(visit)?;
        self.0.elements.iter().try_for_each(|element| element.traverse(visit))
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let tuple = match value.cast::<PyTuple>() {
            Ok(tuple) => tuple.clone(),
            Err(_) => match value.cast::<PyList>() {
                Ok(list) => list.to_tuple(),
                Err(_) => return Err(Refusal::unexpected("tuple_type", "a tuple", value)),
            },
        };
        let length = tuple.len();
        if !self.0.fits(length) {
            let expected = self.0.elements.len() - usize::from(self.0.repeated.is_some());
            return Err(Refusal::new(
                "tuple_length",
                format!("expected a tuple of {expected} values, found one of {length}"),
            )
            .with_input(value));
        }
        let encode = |index, element: &Bound<'_, PyAny>, state: &mut Encoding<'_>| {
            self.0.node(index, length).encode(element, state)
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
        let Tuple {
            own,
            elements,
            repeated,
            least,
            most,
            fail_fast,
        } = &*self.0;
        // The place of an element behind the repeated one is known only with the length.
        let content = reader.position();
        let mut length = 0;
        if repeated.is_some_and(|repeated| repeated + 1 < elements.len()) {
            let mut more = reader.begin_array()?;
            while more {
                reader.skip_value()?;
                length += 1;
                more = reader.next_element()?;
            }
            reader.seek(content);
            if !self.0.fits(length) {
                return own.convert(tag, reader, state);
            }
        }
        let start = decode_elements(*fail_fast, reader, state, |index| match repeated {
            Some(repeated) if repeated + 1 == elements.len() => Some(&elements[index.min(*repeated)]),
            Some(_) => Some(self.0.node(index, length)),
            None => elements.get(index),
        })?;
        let length = state.elements.len() - start;
        let tuple = PyTuple::new(state.py, state.elements.drain(start..))?.into_any();
        if !self.0.fits(length) || length < *least || length > *most {
            return own.validate(&tuple, false);
        }
        Ok(tuple)
    }
}

/// The schema of a list's, set's or frozenset's elements.
pub fn element_schema<'py>(schema: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<Bound<'py, PyDict>> {
    builder.part_schema(schema, "items_schema")
}

/// The lengths that need no further check.
pub fn lengths(schema: &Bound<'_, PyDict>) -> PyResult<(usize, usize)> {
    let length = |name: &str, default: usize| -> PyResult<usize> {
        schema.member(name)?.map_or(Ok(default), |length| length.extract())
    };
    Ok((length("min_length", 0)?, length("max_length", usize::MAX)?))
}

#[inline]
pub fn encode_elements<'py>(
    elements: impl Iterator<Item = Bound<'py, PyAny>>,
    encode: impl Fn(usize, &Bound<'py, PyAny>, &mut Encoding<'_>) -> Outcome<()>,
    state: &mut Encoding<'_>,
) -> Outcome<()> {
    let mut elements = elements.enumerate();
    let Some((_, first)) = elements.next() else {
        state.push(writer::EMPTY_LIST.as_bytes());
        return Ok(());
    };
    state.push(b"{\"L\":[");
    state.enter()?;
    encode(0, &first, state).map_err(|refusal| refusal.under(|| Step::Index(0)))?;
    for (index, element) in elements {
        state.push(b",");
        encode(index, &element, state).map_err(|refusal| refusal.under(|| Step::Index(index)))?;
    }
    state.leave();
    state.push(b"]}");
    Ok(())
}

/// Long lists are lists of floats. Those of exact type are written in one run, which ends where there is another element.
fn encode_floats(list: &Bound<'_, PyList>, node: &Node, state: &mut Encoding<'_>) -> Outcome<()> {
    if list.is_empty() {
        state.push(writer::EMPTY_LIST.as_bytes());
        return Ok(());
    }
    state.push(b"{\"L\":[");
    state.enter()?;
    let mut floats = ListFloats::new(list);
    loop {
        let run = float::push_elements(state.out, &mut floats).map_err(Refusal::number);
        run.map_err(|refusal| refusal.under(|| Step::Index(floats.position() - 1)))?;
        let index = floats.position();
        let Ok(other) = list.get_item(index) else { break };
        node.encode(&other, state)
            .map_err(|refusal| refusal.under(|| Step::Index(index)))?;
        state.push(b",");
        floats.seek(index + 1);
    }
    state.leave();
    // The last comma.
    state.out.pop();
    state.push(b"]}");
    Ok(())
}

/// Read an array of values onto the state's elements, and say where they start. An element without a node is read
/// without a schema. `fail_fast` ends at the first that is refused.
#[inline]
pub fn decode_elements<'a>(
    fail_fast: bool,
    reader: &mut Reader<'_>,
    state: &mut Decoding<'_, '_>,
    node: impl Fn(usize) -> Option<&'a Node>,
) -> Outcome<usize> {
    state.enter()?;
    let start = state.elements.len();
    if state.elements.capacity() == 0 {
        // Most lists are short, and one allocation serves all of an item's.
        state.elements.reserve(16);
    }
    let mut refused: Vec<Line> = Vec::new();
    let mut index = 0;
    let mut more = reader.begin_array()?;
    while more {
        if let Some(Node::Float(node)) = node(index)
            && let Some(value) = node.try_read(reader, state.py)?
        {
            state.elements.push(value);
            index += 1;
            more = reader.next_element()?;
            continue;
        }
        let position = reader.position();
        let depth = state.depth;
        let read = match node(index) {
            Some(node) => node.decode_value(reader, state),
            None => crate::codec::infer::decode_value(reader, state),
        };
        match read {
            Ok(value) => state.elements.push(value),
            Err(refusal) => {
                state.elements.truncate(start);
                let refusal = refusal.under(|| Step::Index(index));
                if fail_fast {
                    return Err(refusal);
                }
                refusal.gather(&mut refused)?;
                state.depth = depth;
                reader.seek(position);
                reader.skip_value()?;
            }
        }
        index += 1;
        more = reader.next_element()?;
    }
    state.leave();
    if refused.is_empty() {
        Ok(start)
    } else {
        Err(Box::new(Refusal::Lines(refused)))
    }
}
