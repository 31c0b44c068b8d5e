//! Floats as N text: the shortest that reads back as the same float. Hot: short paths for the floats that people write,
//! libraries for the rest.

use super::number::NumberError;
use super::writer::push_small;

/// What the short path scales by: floats with at most seven decimals take it.
const SCALE: f64 = 1e7;
/// Below this a decimal has at most 15 digits, and two such decimals are never the same float: so one that reads back
/// exactly is also the shortest.
const SHORT_LIMIT: f64 = 1e15;

/// Append the float's shortest text. NaN, the infinities and what lies outside DynamoDB's range are refused.
#[inline]
pub fn encode(out: &mut Vec<u8>, value: f64) -> Result<(), NumberError> {
    let scaled = value * SCALE;
    if scaled.abs() < SHORT_LIMIT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below 10^15, and cut after rounding half away from zero"
        )]
        let whole = (scaled + 0.5f64.copysign(scaled)) as i64;
        // Both operands are exact, so the quotient is the float nearest to that decimal. -0.0 becomes 0.
        #[expect(
            clippy::cast_precision_loss,
            clippy::float_cmp,
            reason = "whole is below 2^53, and the very float is asked for"
        )]
        if whole as f64 / SCALE == value {
            push_short(out, whole);
            return Ok(());
        }
    }
    push_shortest(out, value)
}

/// Append `scaled / 10^7` without zeros at the end.
#[inline]
fn push_short(out: &mut Vec<u8>, scaled: i64) {
    const POINT: usize = 9;
    // A sign, eight digits, the point and seven digits.
    let mut text = [b'0'; 17];
    let magnitude = scaled.unsigned_abs();
    let (mut whole, fraction) = (magnitude / 10_000_000, magnitude % 10_000_000);
    let mut end = POINT;
    if fraction != 0 {
        text[POINT] = b'.';
        let (high, low) = (fraction / 10_000, fraction % 10_000);
        text[POINT + 1] = b'0' + digit(high / 100);
        text[POINT + 2..POINT + 4].copy_from_slice(&PAIRS[(high % 100) as usize]);
        text[POINT + 4..POINT + 6].copy_from_slice(&PAIRS[(low / 100) as usize]);
        text[POINT + 6..].copy_from_slice(&PAIRS[(low % 100) as usize]);
        end = text.len();
        while text[end - 1] == b'0' {
            end -= 1;
        }
    }
    let mut at = POINT;
    loop {
        at -= 1;
        text[at] = b'0' + digit(whole);
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    // Signs are as good as random, so nothing here branches on them.
    text[at - 1] = b'-';
    at -= usize::from(scaled < 0);
    push_small(out, &text[at..end]);
}

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut at = 0u8;
    while at < 100 {
        pairs[at as usize] = [b'0' + at / 10, b'0' + at % 10];
        at += 1;
    }
    pairs
};

#[inline]
fn digit(value: u64) -> u8 {
    u8::try_from(value % 10).expect("a digit")
}

fn push_shortest(out: &mut Vec<u8>, value: f64) -> Result<(), NumberError> {
    if !value.is_finite() {
        return Err(NumberError::NotFinite);
    }
    if value.abs() >= 1e126 {
        return Err(NumberError::TooLarge);
    }
    if value.abs() < 1e-130 {
        return Err(NumberError::TooSmall);
    }
    push_small(out, zmij::Buffer::new().format_finite(value).as_bytes());
    Ok(())
}

/// Powers of ten that a float holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The float of a number that stands in quotes at the start of `bytes`, and how many bytes that takes: what lists of floats
/// are full of, read eight digits at a time. `None` where it is written in another way, or is not exact in this one.
#[inline]
#[must_use]
pub fn decode_quoted(bytes: &[u8]) -> Option<(f64, usize)> {
    // A quote, a sign, eight digits, a point, sixteen digits and a half-used word: all loads below are within it.
    let window: &[u8; 40] = bytes.first_chunk()?;
    if window[0] != b'"' {
        return None;
    }
    // Signs are as good as random, so nothing here branches on them.
    let sign = u64::from(window[1] == b'-');
    let start = 1 + usize::from(window[1] == b'-');
    let (mut mantissa, mut digits) = leading_digits(window, start);
    let mut end = start + digits;
    if digits == 0 || digits == 8 {
        return None;
    }
    let mut decimals = 0;
    if window[end] == b'.' {
        let (fraction, first) = leading_digits(window, end + 1);
        mantissa = mantissa * INTEGER_POWERS[first] + fraction;
        digits += first;
        decimals = first;
        if first == 8 {
            let (fraction, second) = leading_digits(window, end + 9);
            mantissa = mantissa.wrapping_mul(INTEGER_POWERS[second]).wrapping_add(fraction);
            digits += second;
            decimals += second;
            if second == 8 {
                let (fraction, third) = leading_digits(window, end + 17);
                mantissa = mantissa.wrapping_mul(INTEGER_POWERS[third]).wrapping_add(fraction);
                digits += third;
                decimals += third;
            }
        }
        if decimals == 0 {
            return None;
        }
        end += 1 + decimals;
    }
    if window[end] != b'"' {
        return None;
    }
    // With sixteen digits some mantissas are below 2^53 and some are not, which no branch could predict.
    let value = if digits <= 15 {
        #[expect(clippy::cast_precision_loss, reason = "below 10^15")]
        let magnitude = mantissa as f64 / EXACT_POWERS[decimals];
        f64::from_bits(magnitude.to_bits() | sign << 63)
    } else {
        fast_float2::parse::<f64, _>(&window[1..end]).ok()?
    };
    Some((value, end + 1))
}

const INTEGER_POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number that the digits at `at` make, eight of them at most, and how many they are.
#[inline]
fn leading_digits(window: &[u8; 40], at: usize) -> (u64, usize) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let word = u64::from_le_bytes(window[at..at + 8].try_into().expect("eight bytes"));
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

/// The float nearest to a number's text; `None` where the text is no finite decimal number.
#[inline]
#[must_use]
pub fn decode(text: &[u8]) -> Option<f64> {
    decode_plain(text).or_else(|| decode_any(text))
}

/// Clinger's exact path: a mantissa below 2^53 divided by an exact power of ten is rounded once, so rightly.
#[inline]
fn decode_plain(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    // Sixteen digits, a zero before the point and the point: with more the mantissa is seldom below 2^53.
    if digits.len() > 18 {
        return None;
    }
    let mut mantissa = 0u64;
    let mut point = None;
    for (at, &byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |at| digits.len() - 1 - at);
    let places = digits.len() - usize::from(point.is_some());
    if places == 0 || places > 19 || mantissa > 1 << 53 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
    let value = mantissa as f64 / EXACT_POWERS[decimals];
    Some(if negative { -value } else { value })
}

#[cold]
fn decode_any(text: &[u8]) -> Option<f64> {
    // The library also reads words such as `inf`, which N does not know.
    let first = *text.iter().find(|byte| !matches!(byte, b'-' | b'+'))?;
    if !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    fast_float2::parse::<f64, _>(text)
        .ok()
        .filter(|value| value.is_finite())
}
