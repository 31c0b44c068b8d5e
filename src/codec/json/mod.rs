//! Stored items → the JSON that Pydantic would print of them, without making the instances.
//!
//! A plan of its own, compiled when JSON is first asked for: beside each node stands how Pydantic prints what that node
//! reads, and the node says which stored values need no further check. Everything else is **unusual**: it is left to the
//! models, an item at a time, which print the same bytes or refuse what is stored.
//!
//! | file | what it holds |
//! |---|---|
//! | `compile` | a schema and its node → how values are printed |
//! | `model` | models and their fields, in the models' order |
//! | `print` | values of each family |

mod compile;
mod model;
mod print;

use std::sync::OnceLock;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyFloat;

use super::plan::Plan;
use super::python;
use super::state::{Decoding, Refusal};
use crate::wire::json::Exponents;
use crate::wire::reader::{ReadError, Reader};
use model::{ModelPrinter, Place};

/// Of a model whose items can be printed without making instances.
pub struct JsonPlan {
    root: ModelPrinter,
    /// By the numbers of the nodes' definitions.
    definitions: Box<[OnceLock<Printer>]>,
    exponents: Exponents,
}

/// How what a node reads is printed. Each stands beside the node of its name.
enum Printer {
    Null,
    Bool,
    Int,
    Float,
    Decimal,
    Str,
    Bytes(BytesForm),
    Date,
    DateTime,
    Time,
    Timedelta,
    Uuid,
    /// Of an enum or a literal: what each of its values is printed as.
    Choice(Box<[Box<[u8]>]>),
    List(Box<Self>),
    Tuple(Box<[Self]>),
    /// A set of text or whole numbers: it is made, since its members come in the order in which it iterates.
    Set,
    Map(Box<Self>),
    Model(Box<ModelPrinter>),
    RootModel(Box<Self>),
    Nullable(Box<Self>),
    Reference(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BytesForm {
    Utf8,
    Base64,
    Hex,
}

/// The value is not printed here, but by the model. What is no `Exception` was raised on the way: an interrupt.
struct Unusual(Option<Box<PyErr>>);

type Printed = Result<(), Unusual>;

impl From<ReadError> for Unusual {
    fn from(_: ReadError) -> Self {
        UNUSUAL
    }
}

const UNUSUAL: Unusual = Unusual(None);

impl Unusual {
    fn refused(py: Python<'_>, refusal: &Refusal) -> Self {
        refusal.raised().map_or(UNUSUAL, |error| Self::raised(py, error))
    }

    /// The model will raise an exception again, and say where in the item that was.
    fn raised(py: Python<'_>, error: &PyErr) -> Self {
        let is_exception = error.is_instance_of::<PyException>(py);
        Self((!is_exception).then(|| Box::new(error.clone_ref(py))))
    }
}

/// What printing carries along.
struct Printing<'a, 'py, 'out> {
    out: &'out mut Vec<u8>,
    plan: &'a JsonPlan,
    /// For values that are made, to be printed by Pydantic.
    decoding: Decoding<'a, 'py>,
    /// Where the fields of the models lie that are being printed, innermost last: one allocation serves all of them.
    places: Vec<Place>,
}

impl Printing<'_, '_, '_> {
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    fn enter(&mut self) -> Printed {
        self.decoding.enter().map_err(|_| UNUSUAL)
    }

    #[inline]
    fn leave(&mut self) {
        self.decoding.leave();
    }
}

impl JsonPlan {
    /// `None` where only the models can say what is printed.
    pub fn compile(py: Python<'_>, plan: &Plan) -> PyResult<Option<Self>> {
        let Some(exponents) = exponents(py)? else {
            return Ok(None);
        };
        let compiled = compile::compile(py, plan)?;
        Ok(compiled.map(|(root, definitions)| Self {
            root,
            definitions,
            exponents,
        }))
    }

    /// Append the JSON of the item at the reader's position. False: it is the model's to print, and nothing is appended.
    pub fn push_item(&self, py: Python<'_>, plan: &Plan, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> PyResult<bool> {
        let (from, start) = (reader.position(), out.len());
        let mut printing = Printing {
            out,
            plan: self,
            decoding: plan.decoding(py),
            places: Vec::new(),
        };
        match self.root.push(plan.root(), reader, &mut printing) {
            Ok(()) => Ok(true),
            Err(Unusual(Some(error))) => Err(*error),
            Err(Unusual(None)) => {
                out.truncate(start);
                reader.seek(from);
                Ok(false)
            }
        }
    }
}

/// How this Pydantic prints exponents; `None` where that is not known.
fn exponents(py: Python<'_>) -> PyResult<Option<Exponents>> {
    let printed = python::to_json(py)?.call1((PyFloat::new(py, 1e16),))?;
    Ok(match printed.extract::<&[u8]>()? {
        b"1e16" => Some(Exponents::Bare),
        b"1e+16" => Some(Exponents::Signed),
        _ => None,
    })
}
