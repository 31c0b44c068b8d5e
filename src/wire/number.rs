//! N text: its digits, its range, its order, its neighbours. Always by the decimal text, never through a float.

use std::cmp::Ordering;

use super::Direction;
use super::writer::push_small;
use crate::limits::{NUMBER_DIGITS, NUMBER_MAX_EXPONENT, NUMBER_MIN_EXPONENT};

/// Why a number cannot be stored as N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("is not written in decimal digits")]
    NotANumber,
    #[error("is not finite, and DynamoDB stores finite numbers only")]
    NotFinite,
    #[error("has {digits} significant digits, and DynamoDB keeps at most 38")]
    TooManyDigits { digits: usize },
    #[error("is too large: DynamoDB's numbers are below 10^126")]
    TooLarge,
    #[error("is too small: DynamoDB's numbers other than zero are at least 10^-130")]
    TooSmall,
}

/// A decimal number taken apart. Zero has no digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'a> {
    pub negative: bool,
    /// The digits before and after the point, from the first to the last that is not zero.
    whole: &'a [u8],
    fraction: &'a [u8],
    /// The power of ten of the first digit.
    pub exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Take apart `-12.5e3` and the like: an optional sign, digits with at most one point among or beside them, an
    /// optional exponent.
    pub(super) fn parse(text: &'a str) -> Result<Self, NumberError> {
        let bytes = text.as_bytes();
        let (negative, bytes) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, bytes),
        };
        let (mantissa, exponent) = match bytes.iter().position(|&byte| byte | 0x20 == b'e') {
            Some(at) => (&bytes[..at], parse_exponent(&bytes[at + 1..])?),
            None => (bytes, 0),
        };
        let (whole, fraction) = match memchr::memchr(b'.', mantissa) {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &[][..]),
        };
        if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
            return Err(not_in_digits(bytes));
        }
        let significant_whole = without_leading_zeros(whole);
        let mut exponent = exponent.saturating_add(length(significant_whole) - 1);
        let mut significant_fraction = fraction;
        if significant_whole.is_empty() {
            significant_fraction = without_leading_zeros(fraction);
            exponent = exponent.saturating_sub(length(fraction) - length(significant_fraction));
        }
        let significant_fraction = without_trailing_zeros(significant_fraction);
        let significant_whole = if significant_fraction.is_empty() {
            without_trailing_zeros(significant_whole)
        } else {
            significant_whole
        };
        Ok(Self {
            negative,
            whole: significant_whole,
            fraction: significant_fraction,
            exponent,
        })
    }

    pub(super) fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + 'a {
        self.whole.iter().chain(self.fraction).copied()
    }

    pub(super) fn digit_count(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    fn check(&self) -> Result<(), NumberError> {
        if self.is_zero() {
            Ok(())
        } else if self.digit_count() > NUMBER_DIGITS {
            Err(NumberError::TooManyDigits {
                digits: self.digit_count(),
            })
        } else if self.exponent > i64::from(NUMBER_MAX_EXPONENT) {
            Err(NumberError::TooLarge)
        } else if self.exponent < i64::from(NUMBER_MIN_EXPONENT) {
            Err(NumberError::TooSmall)
        } else {
            Ok(())
        }
    }
}

#[cold]
fn not_in_digits(unsigned: &[u8]) -> NumberError {
    let names = ["nan", "snan", "inf", "infinity"];
    if names.iter().any(|name| unsigned.eq_ignore_ascii_case(name.as_bytes())) {
        NumberError::NotFinite
    } else {
        NumberError::NotANumber
    }
}

fn parse_exponent(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::NotANumber);
    }
    // Far beyond any number's range it no longer matters how far.
    let magnitude = digits.iter().fold(0i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    Ok(if negative { -magnitude } else { magnitude })
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

fn without_trailing_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    &digits[..digits.len() - zeros]
}

/// Whether DynamoDB can store this number exactly: at most 38 significant digits, from 10^-130 to below 10^126.
pub fn check(text: &str) -> Result<(), NumberError> {
    if plain_length(text.as_bytes()).is_some() {
        return Ok(());
    }
    Decimal::parse(text)?.check()
}

/// The form that most numbers have: digits with at most one point among them, too few to be out of range. Gives the
/// length without the zeros at its end that say nothing; `None` of every other form, and of zero, which may have a sign.
#[inline]
fn plain_length(text: &[u8]) -> Option<usize> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let sign = text.len() - digits.len();
    if digits.len() > NUMBER_DIGITS {
        return None;
    }
    let mut point = None;
    for (at, &byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let leading_zero = *digits.first()? == b'0';
    match point {
        None => (!leading_zero).then_some(text.len()),
        Some(point) if point == 0 || leading_zero && point > 1 => None,
        Some(point) => match without_trailing_zeros(&digits[point + 1..]).len() {
            0 if leading_zero => None,
            0 => Some(sign + point),
            decimals => Some(sign + point + 1 + decimals),
        },
    }
}

/// Append the number as DynamoDB returns it: no exponent, no sign of zero, no zeros that say nothing.
pub fn push_canonical(out: &mut Vec<u8>, text: &str) -> Result<(), NumberError> {
    if let Some(length) = plain_length(text.as_bytes()) {
        push_small(out, &text.as_bytes()[..length]);
        return Ok(());
    }
    let number = Decimal::parse(text)?;
    number.check()?;
    if number.is_zero() {
        out.push(b'0');
        return Ok(());
    }
    if number.negative {
        out.push(b'-');
    }
    let before_point = number.exponent + 1;
    if before_point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend((before_point..0).map(|_| b'0'));
        out.extend(number.digits());
    } else {
        for (at, digit) in (0i64..).zip(number.digits()) {
            if at == before_point {
                out.push(b'.');
            }
            out.push(digit);
        }
        out.extend((length(number.whole) + length(number.fraction)..before_point).map(|_| b'0'));
    }
    Ok(())
}

/// Append `±coefficient · 10^exponent` as `push_canonical` would, where that is plain: no zeros to be filled in after the
/// coefficient. False: nothing was appended.
#[inline]
pub fn push_scaled_digits(out: &mut Vec<u8>, negative: bool, coefficient: u64, exponent: isize) -> bool {
    const POINT: usize = 20;
    if !(-18..=0).contains(&exponent) {
        return false;
    }
    // Twenty digits, the point among them.
    let mut text = [b'0'; POINT + 1];
    let mut at = text.len();
    let (mut rest, mut decimals) = (coefficient, exponent.unsigned_abs());
    while decimals > 0 && rest.is_multiple_of(10) {
        rest /= 10;
        decimals -= 1;
    }
    if decimals > 0 {
        for _ in 0..decimals {
            at -= 1;
            text[at] = last_digit(rest);
            rest /= 10;
        }
        at -= 1;
        text[at] = b'.';
    }
    loop {
        at -= 1;
        text[at] = last_digit(rest);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if negative && coefficient != 0 {
        out.push(b'-');
    }
    push_small(out, &text[at..]);
    true
}

#[inline]
fn last_digit(number: u64) -> u8 {
    b'0' + u8::try_from(number % 10).expect("a digit")
}

/// The number that the digits at the beginning of eight bytes make, the first byte being the lowest, and how many they are.
#[inline]
pub(super) fn leading_digits(word: u64) -> (u64, usize) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let values = word ^ ZEROS;
    // The high bit of each byte that is no digit; only the lowest is looked at.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = (others.trailing_zeros() / 8) as usize;
    if count == 0 {
        return (0, 0);
    }
    // The digits move to the high end, zeros before them: then each step joins neighbours, 10 by 10, 100 by 100.
    let digits = values << (8 * (8 - count));
    let pairs = (digits & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(2561) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(6_553_601) >> 16;
    let eights = (fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(42_949_672_960_001) >> 32;
    (eights, count)
}

/// The whole number of at most seven digits that stands in quotes at the start of `bytes`, and how many bytes that takes.
/// `None` where another text is there, or the bytes end soon after.
#[inline]
#[must_use]
pub fn decode_small_quoted(bytes: &[u8]) -> Option<(i64, usize)> {
    let window: &[u8; 10] = bytes.first_chunk()?;
    let negative = window[1] == b'-';
    let start = 1 + usize::from(negative);
    let word = u64::from_le_bytes(window[start..start + 8].try_into().expect("eight bytes"));
    let (magnitude, count) = leading_digits(word);
    if window[0] != b'"' || count == 0 || count == 8 || window[start + count] != b'"' {
        return None;
    }
    let magnitude = magnitude.cast_signed();
    Some((if negative { -magnitude } else { magnitude }, start + count + 1))
}

/// How two numbers lie to each other by value, as DynamoDB orders them.
pub fn compare(left: &str, right: &str) -> Result<Ordering, NumberError> {
    let (left, right) = (Decimal::parse(left)?, Decimal::parse(right)?);
    let sign = |number: &Decimal<'_>| match (number.is_zero(), number.negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let magnitudes = || {
        left.exponent
            .cmp(&right.exponent)
            .then_with(|| left.digits().cmp(right.digits()))
    };
    Ok(sign(&left).cmp(&sign(&right)).then_with(|| match sign(&left) {
        0 => Ordering::Equal,
        1 => magnitudes(),
        _ => magnitudes().reverse(),
    }))
}

/// The number times `10^decimals`, where that is whole and fits: exact, or nothing.
pub(super) fn scaled(text: &str, decimals: u32) -> Option<i128> {
    let number = Decimal::parse(text).ok()?;
    if number.is_zero() {
        return Some(0);
    }
    let trailing_zeros = number.exponent + i64::from(decimals) + 1 - length(number.whole) - length(number.fraction);
    // Fewer than none: there are digits below the last decimal. More than 38: beyond what an i128 holds.
    let factor = 10i128.checked_pow(u32::try_from(trailing_zeros).ok()?)?;
    let magnitude = number
        .digits()
        .try_fold(0i128, |value, digit| {
            value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
        })?
        .checked_mul(factor)?;
    Some(if number.negative { -magnitude } else { magnitude })
}

/// Append a whole count of `10^-decimals` as a number, as DynamoDB returns it.
pub(super) fn push_scaled(out: &mut Vec<u8>, value: i128, decimals: u32) {
    let unit = 10u128.pow(decimals);
    let (whole, fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(whole.to_string().as_bytes());
    if fraction != 0 {
        let digits = format!("{fraction:0width$}", width = decimals as usize);
        out.push(b'.');
        out.extend_from_slice(without_trailing_zeros(digits.as_bytes()));
    }
}

/// The next number that has at most this many decimals. `None` where the number has more of them, or where it or its
/// neighbour has more digits than DynamoDB keeps.
#[must_use]
pub fn neighbour(text: &str, decimals: u32, direction: Direction) -> Option<String> {
    let value = scaled(text, decimals)?.checked_add(i128::from(direction.step()))?;
    let mut out = Vec::new();
    push_scaled(&mut out, value, decimals);
    let text = String::from_utf8(out).ok()?;
    check(&text).ok()?;
    Some(text)
}
