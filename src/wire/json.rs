//! Plain JSON of what is stored, as Pydantic prints it: text, numbers, dates. Hot.
//!
//! What is stored is mostly written as it is printed, so it is looked through and copied. Where it is not, a function says
//! so and appends nothing: whoever asks makes the value itself, and has that printed.

use super::reader::Text;
use super::temporal::{DateTime, Time, Zone};
use super::{float, writer};

/// Significant digits that every float tells apart: a decimal of as many is the shortest text of its float.
const FLOAT_DIGITS: usize = 15;
/// Zeros behind the point of floats that are printed without an exponent.
const FLOAT_ZEROS: usize = 4;
/// Zeros behind the point of decimals that Python prints without an exponent.
const DECIMAL_ZEROS: usize = 5;
/// Significant digits of N.
const NUMBER_DIGITS: usize = 38;

/// How a float's exponent is printed where it is positive: Pydantic's releases differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exponents {
    /// `1e16`
    Bare,
    /// `1e+16`
    Signed,
}

/// A number in the one form that DynamoDB gives it, without an exponent: `-12.5`.
struct Plain {
    /// Digits before the point.
    whole: usize,
    /// Digits behind it.
    fraction: usize,
    /// Those of the fraction's that come before all that are not zero, where nothing but zero stands before the point.
    zeros: Option<usize>,
    is_negative_zero: bool,
}

impl Plain {
    fn of(text: &[u8]) -> Option<Self> {
        let (is_negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let point = digits.iter().position(|byte| !byte.is_ascii_digit());
        let (whole, fraction) = match point {
            None => (digits, &[][..]),
            Some(at) => match digits.split_at(at) {
                (whole, [b'.', fraction @ ..]) if !fraction.is_empty() => (whole, fraction),
                _ => return None,
            },
        };
        let is_plain = match whole {
            [] | [b'0', _, ..] => false,
            _ => fraction.iter().all(u8::is_ascii_digit),
        };
        if !is_plain || whole.len() + fraction.len() > NUMBER_DIGITS {
            return None;
        }
        let zeros = (whole == b"0").then(|| fraction.iter().take_while(|&&digit| digit == b'0').count());
        Some(Self {
            whole: whole.len(),
            fraction: fraction.len(),
            zeros,
            is_negative_zero: is_negative && zeros == Some(fraction.len()),
        })
    }

    fn significant(&self) -> usize {
        self.zeros
            .map_or(self.whole + self.fraction, |zeros| self.fraction - zeros)
    }
}

/// Append a whole number. False: it is written in another way.
#[inline]
#[must_use]
pub fn push_int(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let is_int = Plain::of(text).is_some_and(|plain| plain.fraction == 0 && !plain.is_negative_zero);
    if is_int {
        writer::push_small(out, text);
    }
    is_int
}

/// Append a number as the float that it is read as. False: it is none.
#[inline]
#[must_use]
pub fn push_float(out: &mut Vec<u8>, text: &[u8], exponents: Exponents) -> bool {
    match float::decode(text) {
        Some(value) => {
            push_read_float(out, text, value, exponents);
            true
        }
        None => false,
    }
}

/// The same where the float is known that the text stands for.
#[inline]
pub fn push_read_float(out: &mut Vec<u8>, text: &[u8], value: f64, exponents: Exponents) {
    /// A sign, a zero and a point beside the digits.
    const LONGEST: usize = FLOAT_DIGITS + FLOAT_ZEROS + 3;
    if text.len() <= LONGEST
        && let Some(plain) = Plain::of(text)
        && plain.significant() <= FLOAT_DIGITS
        && plain.zeros.is_none_or(|zeros| zeros <= FLOAT_ZEROS)
        && !plain.is_negative_zero
        && (plain.fraction == 0 || text.last() != Some(&b'0'))
    {
        writer::push_small(out, text);
        if plain.fraction == 0 {
            out.extend_from_slice(b".0");
        }
    } else {
        push_float_value(out, value, exponents);
    }
}

fn push_float_value(out: &mut Vec<u8>, value: f64, exponents: Exponents) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    match text.iter().position(|&byte| byte == b'+') {
        Some(sign) if exponents == Exponents::Bare => {
            out.extend_from_slice(&text[..sign]);
            out.extend_from_slice(&text[sign + 1..]);
        }
        _ => writer::push_small(out, text),
    }
}

/// Append a number as the text of the Decimal that it is read as. False: that may be another.
#[inline]
#[must_use]
pub fn push_decimal(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let is_plain = Plain::of(text).is_some_and(|plain| plain.zeros.is_none_or(|zeros| zeros <= DECIMAL_ZEROS));
    if is_plain {
        out.push(b'"');
        writer::push_small(out, text);
        out.push(b'"');
    }
    is_plain
}

/// Append text that was read.
#[inline]
pub fn push_text(out: &mut Vec<u8>, text: &Text<'_>) {
    match text.as_written() {
        Some(written) => {
            out.push(b'"');
            writer::push_small(out, written.as_bytes());
            out.push(b'"');
        }
        None => writer::push_text(out, text),
    }
}

/// Append a datetime: `"2026-01-31T12:30:00Z"`, a fraction only where there is one.
#[inline]
pub fn push_datetime(out: &mut Vec<u8>, value: DateTime, zone: Zone) {
    out.push(b'"');
    value.push(out, Zone::Naive);
    end_time(out, value.time, zone);
}

/// Append a time: `"12:30:00"`.
#[inline]
pub fn push_time(out: &mut Vec<u8>, value: Time, zone: Zone) {
    out.push(b'"');
    value.push(out, Zone::Naive);
    end_time(out, value, zone);
}

#[inline]
fn end_time(out: &mut Vec<u8>, time: Time, zone: Zone) {
    const FRACTION: usize = ".000000".len();
    if time.microsecond == 0 {
        out.truncate(out.len() - FRACTION);
    }
    match zone {
        Zone::Offset(0) => Zone::Utc,
        zone => zone,
    }
    .push(out);
    out.push(b'"');
}

/// Append a duration: `"P1DT2H3M4.5S"`, years being of 365 days.
pub fn push_duration(out: &mut Vec<u8>, micros: i128) {
    const SECOND: u128 = 1_000_000;
    const DAY: u128 = 86_400;
    const YEAR: u128 = 365;
    out.push(b'"');
    if micros < 0 {
        out.push(b'-');
    }
    let (seconds, micros) = (micros.unsigned_abs() / SECOND, micros.unsigned_abs() % SECOND);
    let (days, seconds) = (seconds / DAY, seconds % DAY);
    let part = |out: &mut Vec<u8>, count: u128, unit: u8| {
        if count > 0 {
            out.extend_from_slice(count.to_string().as_bytes());
            out.push(unit);
        }
    };
    out.push(b'P');
    part(out, days / YEAR, b'Y');
    part(out, days % YEAR, b'D');
    if seconds > 0 || micros > 0 {
        out.push(b'T');
        part(out, seconds / 3600, b'H');
        part(out, seconds / 60 % 60, b'M');
        if micros == 0 {
            part(out, seconds % 60, b'S');
        } else {
            let text = format!("{}.{micros:06}", seconds % 60);
            out.extend_from_slice(text.trim_end_matches('0').as_bytes());
            out.push(b'S');
        }
    } else if days == 0 {
        out.extend_from_slice(b"T0S");
    }
    out.push(b'"');
}
