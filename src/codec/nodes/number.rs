//! int, float, Decimal → N. Decimal and int exactly, never through a float.

use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::codec::builder::Builder;
use crate::codec::ffi::float_object;
use crate::codec::node::{Codec, Node};
use crate::codec::nodes::string::str_object;
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::codec::{decimal_layout, infer, python};
use crate::wire::Tag;
use crate::wire::reader::Reader;
use crate::wire::{float, number, writer};

/// `int` → N.
pub struct IntNode {
    own: Box<Own>,
    /// Bounds that are checked here, both inclusive.
    least: i64,
    most: i64,
}

impl IntNode {
    /// Integral bounds that fit in an i64; others are left to Pydantic, by bounds that nothing passes.
    fn bounds(schema: &Bound<'_, PyDict>) -> PyResult<Option<(i64, i64)>> {
        let (mut least, mut most) = (i64::MIN, i64::MAX);
        let bound = |name: &str| -> PyResult<Option<Option<i64>>> {
            Ok(schema
                .member(name)?
                .map(|bound| bound.cast::<PyInt>().ok().and_then(|bound| bound.extract().ok())))
        };
        for (name, past) in [("ge", 0), ("gt", 1)] {
            if let Some(bound) = bound(name)? {
                let Some(bound) = bound.and_then(|bound| bound.checked_add(past)) else {
                    return Ok(None);
                };
                least = least.max(bound);
            }
        }
        for (name, past) in [("le", 0), ("lt", -1)] {
            if let Some(bound) = bound(name)? {
                let Some(bound) = bound.and_then(|bound| bound.checked_add(past)) else {
                    return Ok(None);
                };
                most = most.min(bound);
            }
        }
        Ok(Some((least, most)))
    }
}

impl IntNode {
    /// Another wire type, a number that is large or written in another way, one beyond the bounds.
    #[cold]
    #[inline(never)]
    fn decode_unusual<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::N {
            return self.own.convert(tag, reader, state);
        }
        let value = infer::number(state.py, &reader.text()?)?;
        if self.is_plain() && value.is_exact_instance_of::<PyInt>() {
            return Ok(value);
        }
        self.own.validate(&value, false)
    }

    pub fn is_plain(&self) -> bool {
        self.least == i64::MIN && self.most == i64::MAX
    }

    /// Whether its bounds are all that is asked of a value.
    pub fn is_checked_here(&self) -> bool {
        self.least <= self.most
    }

    /// Whether a number as it is stored is one that needs no further check.
    pub fn takes(&self, text: &[u8]) -> bool {
        self.is_plain() || parse_i64(text).is_some_and(|value| self.least <= value && value <= self.most)
    }

    pub fn holds(&self, value: &Bound<'_, PyAny>) -> bool {
        self.is_plain() && value.is_exact_instance_of::<PyInt>()
    }
}

impl Codec for IntNode {
    const KINDS: &'static [&'static str] = &["int"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let checked_here = !schema.has_any(&["multiple_of"])?;
        let (least, most) = Self::bounds(schema)?
            .filter(|_| checked_here)
            .unwrap_or((i64::MAX, i64::MIN));
        Ok(Self {
            own: builder.own_scalar(schema),
            least,
            most,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::N)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        encode_int(value, state, "int_type", "an int")
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag == Tag::N {
            let start = reader.position();
            let small = reader.try_small_integer();
            if let Some(value) = small.or_else(|| reader.try_short_text().and_then(parse_i64))
                && self.least <= value
                && value <= self.most
            {
                return Ok(int_object(state.py, value));
            }
            reader.seek(start);
        }
        self.decode_unusual(tag, reader, state)
    }
}

/// Append an int, not a bool.
#[inline]
pub fn encode_int(
    value: &Bound<'_, PyAny>,
    state: &mut Encoding<'_>,
    kind: &'static str,
    expected: &str,
) -> Outcome<()> {
    let is_int = value.is_exact_instance_of::<PyInt>()
        || (value.is_instance_of::<PyInt>() && !value.is_exact_instance_of::<PyBool>());
    if !is_int {
        return Err(Refusal::unexpected(kind, expected, value));
    }
    match as_i64(value) {
        Some(small) => {
            writer::push_n_integer(state.out, small);
            Ok(())
        }
        None => encode_big_int(value, state),
    }
}

#[cold]
fn encode_big_int(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    // Python refuses to print ints of thousands of digits; such are beyond N anyhow.
    let bits: usize = value.call_method0("bit_length")?.extract()?;
    if bits > 420 {
        return Err(Refusal::number(number::NumberError::TooLarge));
    }
    encode_number_text(int_text(value)?.to_str()?, state)
}

/// An int's digits; Python raises ValueError where there are thousands of them.
pub fn int_text<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    // `int.__repr__`, because a subclass (an enum) may print itself otherwise.
    let text = value.py().get_type::<PyInt>().call_method1("__repr__", (value,))?;
    Ok(text.cast_into()?)
}

/// Append a number given as Python prints it.
pub fn encode_number_text(text: &str, state: &mut Encoding<'_>) -> Outcome<()> {
    state.push(b"{\"N\":\"");
    number::push_canonical(state.out, text).map_err(Refusal::number)?;
    state.push(b"\"}");
    Ok(())
}

#[inline]
#[allow(unsafe_code)]
fn as_i64(value: &Bound<'_, PyAny>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: a live int (checked by the callers); for one the call sets no exception, only `overflow`.
    let small = unsafe { ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(small)
}

/// Plain digits that fit; other forms of a number take the longer way.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

#[inline]
pub fn int_object(py: Python<'_>, value: i64) -> Bound<'_, PyAny> {
    PyInt::new(py, value).into_any()
}

/// `float` → N, by its shortest text.
pub struct FloatNode {
    own: Box<Own>,
    bounds: Option<Box<FloatBounds>>,
}

/// NaN where there is none.
struct FloatBounds {
    above: f64,
    least: f64,
    below: f64,
    most: f64,
}

impl FloatBounds {
    #[inline]
    fn hold(&self, value: f64) -> bool {
        !(value <= self.above || value < self.least || value >= self.below || value > self.most)
    }
}

impl Codec for FloatNode {
    const KINDS: &'static [&'static str] = &["float"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let bound =
            |name: &str| -> PyResult<f64> { schema.member(name)?.map_or(Ok(f64::NAN), |bound| bound.extract()) };
        let bounds = if schema.has_any(&["multiple_of"])? {
            // No float is above infinity: each is left to Pydantic.
            Some(FloatBounds {
                above: f64::INFINITY,
                least: f64::NAN,
                below: f64::NAN,
                most: f64::NAN,
            })
        } else if schema.has_any(&["gt", "ge", "lt", "le"])? {
            Some(FloatBounds {
                above: bound("gt")?,
                least: bound("ge")?,
                below: bound("lt")?,
                most: bound("le")?,
            })
        } else {
            None
        };
        Ok(Self {
            own: builder.own_scalar(schema),
            bounds: bounds.map(Box::new),
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::N)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        if let Ok(value) = value.cast_exact::<PyFloat>() {
            return encode_float(value.value(), state);
        }
        let Ok(value) = value.cast::<PyFloat>() else {
            // An unvalidated default is often written as an int: `x: float = 0`.
            return encode_int(value, state, "float_type", "a float");
        };
        encode_float(value.value(), state)
    }

    #[inline]
    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag == Tag::N
            && self.bounds.is_none()
            && let Some(value) = reader.try_float()
        {
            return Ok(float_object(state.py, value)?);
        }
        self.decode_unusual(tag, reader, state)
    }
}

impl FloatNode {
    /// Whether its bounds are all that is asked of a value.
    pub fn is_checked_here(&self) -> bool {
        self.bounds
            .as_ref()
            .is_none_or(|bounds| bounds.above < f64::INFINITY || bounds.above.is_nan())
    }

    /// Whether a number as it is stored is one that needs no further check.
    #[inline]
    pub fn takes(&self, text: &[u8]) -> bool {
        match &self.bounds {
            None => true,
            Some(bounds) => float::decode(text).is_some_and(|value| bounds.hold(value)),
        }
    }

    #[inline]
    pub fn is_plain(&self) -> bool {
        self.bounds.is_none()
    }

    /// Read `{"N":"0.5"}` as a whole, where nothing about it is unusual. None: nothing was read.
    #[inline]
    pub fn try_read<'py>(&self, reader: &mut Reader<'_>, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !self.is_plain() {
            return Ok(None);
        }
        reader.try_n_as_float().map(|value| float_object(py, value)).transpose()
    }

    /// Another wire type, bounds, a number with an exponent or a long one.
    #[inline(never)]
    fn decode_unusual<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::N {
            return self.own.convert(tag, reader, state);
        }
        let text = reader.text()?;
        let Some(value) = float::decode(text.as_bytes()) else {
            return Err(Refusal::new(
                "number",
                "expected a number in decimal digits, found other text in N",
            ));
        };
        let object = float_object(state.py, value)?;
        match &self.bounds {
            Some(bounds) if !bounds.hold(value) => self.own.validate(&object, false),
            _ => Ok(object),
        }
    }
}

#[inline]
pub fn encode_float(value: f64, state: &mut Encoding<'_>) -> Outcome<()> {
    float::push_n(state.out, value).map_err(Refusal::number)
}

/// `Decimal` → N, digit for digit.
pub struct DecimalNode {
    own: Box<Own>,
    constrained: bool,
}

impl DecimalNode {
    pub fn is_plain(&self) -> bool {
        !self.constrained
    }
}

impl Codec for DecimalNode {
    const KINDS: &'static [&'static str] = &["decimal"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let constrained = schema.has_any(&["gt", "ge", "lt", "le", "multiple_of", "max_digits", "decimal_places"])?;
        Ok(Self {
            own: builder.own_scalar(schema),
            constrained,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::N)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let class = python::decimal(value.py())?;
        if value.is_exact_instance(class) || value.is_instance(class)? {
            return encode_decimal(value, state);
        }
        // Unvalidated defaults are often written as ints or floats.
        match value.cast_exact::<PyFloat>() {
            Ok(value) => encode_float(value.value(), state),
            Err(_) => encode_int(value, state, "decimal_type", "a Decimal"),
        }
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::N {
            return self.own.convert(tag, reader, state);
        }
        let text = reader.text()?;
        number::check(&text).map_err(Refusal::number)?;
        let object = python::create_decimal(state.py)?.call1((str_object(state.py, &text)?,))?;
        if self.constrained {
            self.own.validate(&object, false)
        } else {
            Ok(object)
        }
    }
}

pub fn encode_decimal(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
    if let Some(small) = decimal_layout::small(value)? {
        let start = state.out.len();
        state.push(b"{\"N\":\"");
        if number::push_scaled_digits(state.out, small.negative, small.coefficient, small.exponent) {
            state.push(b"\"}");
            return Ok(());
        }
        state.out.truncate(start);
    }
    encode_number_text(value.str()?.to_str()?, state)
}
