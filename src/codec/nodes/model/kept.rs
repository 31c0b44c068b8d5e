//! `unknown="keep"`: attributes that are no field, held as wire bytes in the instance's `__dict__` and written back.
//!
//! Pydantic asks `__dict__` for its fields by name, as `cached_property` wants it: so what is held there shows in no
//! dump, comparison or repr, while copies and pickles take it along.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::Model;
use super::encode::FieldWriter;
use crate::codec::ffi::instance_dict;
use crate::codec::infer;
use crate::codec::state::{Decoding, Line, Outcome, Refusal, Step};
use crate::limits::NESTING_LEVELS;
use crate::wire::reader::{Reader, Text};
use crate::wire::writer;

fn name(py: Python<'_>) -> &Bound<'_, PyString> {
    intern!(py, "__oxidyn_unknown__")
}

pub(super) fn is_name(other: &Bound<'_, PyAny>) -> PyResult<bool> {
    other.eq(name(other.py()))
}

/// Take the attribute whose name is read, `"name":{"S":"x"}`, and require that it can be written back.
pub(super) fn take(
    name: &Text<'_>,
    reader: &mut Reader<'_>,
    state: &mut Decoding<'_, '_>,
    kept: &mut Vec<u8>,
    refused: &mut Vec<Line>,
) -> Outcome<()> {
    reader.peek();
    let start = reader.position();
    let depth = state.depth;
    if let Err(refusal) = infer::decode_value(reader, state) {
        refusal.under(|| Step::text(state.py, name)).gather(refused)?;
        state.depth = depth;
        reader.seek(start);
        return Ok(reader.skip_value()?);
    }
    kept.push(if kept.is_empty() { b'{' } else { b',' });
    writer::push_key(kept, name);
    kept.extend_from_slice(&reader.bytes()[start..reader.position()]);
    Ok(())
}

/// Put what was taken into an instance's `__dict__`.
pub(super) fn put(mut kept: Vec<u8>, dict: &Bound<'_, PyDict>) -> PyResult<()> {
    if kept.is_empty() {
        return Ok(());
    }
    kept.push(b'}');
    dict.set_item(name(dict.py()), PyBytes::new(dict.py(), &kept))
}

impl Model {
    /// Write back what an instance holds, except what by now is a field or an extra value.
    #[cold]
    pub(super) fn write_kept(
        &self,
        value: &Bound<'_, PyAny>,
        written: &[String],
        fields: &mut FieldWriter<'_, '_, '_>,
    ) -> Outcome<()> {
        let kept = instance_dict(value)?.get_item(name(value.py()))?;
        let Some(kept) = kept.and_then(|kept| kept.cast_into::<PyBytes>().ok()) else {
            return Ok(());
        };
        let mut reader = Reader::new(kept.as_bytes());
        let mut more = reader.begin_object()?;
        while more {
            let name = reader.key()?;
            let stored = &kept.as_bytes()[reader.raw_value()?];
            more = reader.next_member()?;
            if self.by_attribute.contains_key(&*name) || written.iter().any(|written| *written == *name) {
                continue;
            }
            // An instance may have been copied to where it lies deeper.
            if fields.state.depth + levels(stored) >= NESTING_LEVELS {
                let refusal = Refusal::too_deep().under(|| Step::text(value.py(), &name));
                refusal.gather(&mut fields.refused)?;
                continue;
            }
            fields.separate();
            writer::push_key(fields.state.out, &name);
            fields.state.push(stored);
        }
        Ok(())
    }
}

/// How many lists and maps an attribute value opens inside each other: each takes two brackets, and what is innermost
/// one or two.
fn levels(stored: &[u8]) -> usize {
    let (mut open, mut deepest) = (0usize, 0);
    let mut bytes = stored.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open -= 1,
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest.saturating_sub(1) / 2
}
