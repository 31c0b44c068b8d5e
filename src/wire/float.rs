//! Floats as N text: the shortest that reads back as the same float. Hot: short paths for the floats that people write and
//! for those that vectors are full of, libraries for the rest.

use std::hint::select_unpredictable;
use std::mem::MaybeUninit;

use super::number::{NumberError, leading_digits};
use super::writer::eight_digits;

/// What the short path scales by: floats with at most seven decimals take it.
const SCALE: f64 = 1e7;
const DECIMALS: u64 = 10_000_000;
/// Below this a decimal has at most 15 digits, and two such decimals are never the same float: so one that reads back
/// exactly is also the shortest.
const SHORT_LIMIT: f64 = 1e15;

/// Append the float's shortest text. NaN, the infinities and what lies outside DynamoDB's range are refused.
#[inline]
pub fn encode(out: &mut Vec<u8>, value: f64) -> Result<(), NumberError> {
    push_between(out, b"", value, b"")
}

/// Append the float as a value: `{"N":"0.5"}`.
#[inline]
pub fn push_n(out: &mut Vec<u8>, value: f64) -> Result<(), NumberError> {
    push_between(out, OPENING, value, br#""}"#)
}

/// Append floats as elements of a list, each with a comma behind it: `{"N":"0.5"},{"N":"1"},`.
#[inline]
pub fn push_elements(out: &mut Vec<u8>, values: impl Iterator<Item = f64>) -> Result<(), NumberError> {
    for value in values {
        push_between(out, OPENING, value, br#""},"#)?;
    }
    Ok(())
}

const OPENING: &[u8; 6] = br#"{"N":""#;

const ZEROS: u64 = u64::from_le_bytes(*b"00000000");

/// Where a float's text and what stands round it are put together.
type Room = [MaybeUninit<u8>; 40];

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "in the loop over elements a call is a tenth of what an element takes"
)]
#[allow(unsafe_code)]
fn push_between<const OPEN: usize, const CLOSE: usize>(
    out: &mut Vec<u8>,
    opening: &[u8; OPEN],
    value: f64,
    closing: &[u8; CLOSE],
) -> Result<(), NumberError> {
    if out.capacity() - out.len() < size_of::<Room>() {
        out.reserve(size_of::<Room>());
    }
    let room: &mut Room = out.spare_capacity_mut().first_chunk_mut().expect("reserved just above");
    room[..OPEN].write_copy_of_slice(opening);
    let end = match Short::of(value) {
        Some(short) => short.put(room, OPEN),
        None => match Long::of(value) {
            Some(long) => long.put(room, OPEN),
            None => put_shortest(value, room, OPEN)?,
        },
    };
    room[end..end + CLOSE].write_copy_of_slice(closing);
    // SAFETY: the room is at the end of the vector and was filled from its beginning on: the opening, the text that is
    // said to end at `end`, and the closing.
    unsafe { out.set_len(out.len() + end + CLOSE) };
    Ok(())
}

/// A float of at most seven decimals and eight digits before them, as `whole.fraction`.
struct Short {
    negative: bool,
    whole: u32,
    fraction: u32,
}

impl Short {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below 10^15, and below 10^8 on each side of the point"
    )]
    fn of(value: f64) -> Option<Self> {
        let magnitude = value.abs();
        let scaled = magnitude * SCALE;
        // Not so for NaN.
        if scaled < SHORT_LIMIT {
            let nearest = (scaled + 0.5) as i64;
            // Both operands are exact, so the quotient is the float nearest to that decimal.
            #[expect(
                clippy::cast_precision_loss,
                clippy::float_cmp,
                reason = "below 2^53, and the very float is asked for"
            )]
            if nearest as f64 / SCALE == magnitude {
                let nearest = nearest.cast_unsigned();
                return Some(Self {
                    // -0.0 is written as 0.
                    negative: value.is_sign_negative() && nearest != 0,
                    whole: (nearest / DECIMALS) as u32,
                    fraction: (nearest % DECIMALS) as u32,
                });
            }
        }
        None
    }

    /// Write the text from `start` on and say where it ends: at most 17 bytes, and up to seven more are written behind it.
    /// Signs and the decimals' lengths are as good as random, so nothing here branches on them.
    #[inline]
    fn put(&self, room: &mut Room, start: usize) -> usize {
        const POINT: u64 = u64::from_le_bytes(*b".0000000");
        room[start].write(b'-');
        let mut at = start + usize::from(self.negative);
        if self.whole < 10 {
            room[at].write(b'0' | self.whole.to_le_bytes()[0]);
            at += 1;
        } else {
            let digits = eight_digits(self.whole);
            let leading = digits.trailing_zeros() / 8;
            let text = (digits | ZEROS) >> (8 * leading);
            room[at..at + 8].write_copy_of_slice(&text.to_le_bytes());
            at += 8 - leading as usize;
        }
        // Of the fraction's eight digits the first is zero: in its place goes the point, and zeros at the end fall away,
        // with the point where there are only such.
        let digits = eight_digits(self.fraction);
        room[at..at + 8].write_copy_of_slice(&(digits | POINT).to_le_bytes());
        at + 8 - (digits.leading_zeros() / 8) as usize
    }
}

/// A float from 2^-16 up to 8 that is no short one: what arithmetic leaves behind. What is smaller is written with an
/// exponent, what is larger with more digits before the point.
struct Long {
    negative: bool,
    whole: u8,
    /// What is behind the point, in units of the spacing: sixteen digits.
    units: u64,
    /// One digit more, where sixteen would be another float.
    tenths: Option<u8>,
    /// Where those digits start, counted from the point: in its place, where the first of them is a zero.
    start: usize,
}

/// How far the floats of one binary exponent are from each other, beside a unit that is a power of ten.
#[derive(Clone, Copy)]
struct Spacing {
    /// From one float to the next: at least a tenth of the unit and less than the unit. In 1 / 2^64 of it this is exact, a
    /// power of five with zero bits behind it.
    step: u64,
    /// How many digits behind the point the unit has beyond fifteen: so far behind the point the sixteen digits start.
    start: usize,
}

/// The exponent of the smallest, as a float's bits have it.
const LONG_START: u64 = 1023 - 16;
/// The floats from 1/2 on have a unit of fifteen digits.
const UNITS_OF_ONE: u64 = 1_000_000_000_000_000;

/// By the exponent.
const SPACINGS: [Spacing; 19] = {
    let mut spacings = [Spacing { step: 0, start: 0 }; 19];
    // From one float to the next it is 1 / 2^bits.
    let mut bits = 16 + f64::MANTISSA_DIGITS - 1;
    let mut index = 0;
    while index < spacings.len() {
        let (mut places, mut start) = (15, 0);
        while 10u128.pow(places + 1) < 1 << bits {
            places += 1;
            start += 1;
        }
        spacings[index] = Spacing {
            step: 5u64.pow(places) << (u64::BITS + places - bits),
            start,
        };
        bits -= 1;
        index += 1;
    }
    spacings
};

impl Long {
    /// The algorithm is Raffaello Giulietti's (Schubfach), on a range in which all its numbers are exact.
    ///
    /// The texts that read back as the float are those less than half a step away. As a step is less than a unit, at most one
    /// whole number of units is among them, and it is the shortest; as a step is at least a tenth, the nearest number of
    /// tenths is always among them. The middle between two floats is no whole number of units (an odd number divided by a
    /// power of two), so that none has to be decided. Powers of two have only half as much room below them, but are whole
    /// numbers of units.
    #[inline]
    fn of(value: f64) -> Option<Self> {
        const TWO_AND_A_HALF: u64 = 1 << 62;
        let bits = value.abs().to_bits();
        // Not so for what is smaller, larger or no number.
        let index = usize::try_from((bits >> 52).wrapping_sub(LONG_START)).ok()?;
        let &Spacing { step, start } = SPACINGS.get(index)?;
        let significand = bits & ((1 << 52) - 1) | 1 << 52;
        let product = wide_product(significand, step);
        let (units, rest) = (high_word(product), low_word(product));
        let below = rest < step / 2;
        let above = rest.checked_add(step / 2).is_none();
        // Rounded to the nearest, and of two to the even one: 2.5 to 2 and 7.5 to 8. No other tenth is halfway.
        let tenths = wide_product(rest, 10) + (1 << 63) - u128::from(rest == TWO_AND_A_HALF);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "less than eight, and at most ten"
        )]
        let (whole, tenths) = (value.abs() as u8, high_word(tenths) as u8);
        Some(Self {
            negative: value.is_sign_negative(),
            whole,
            units: units + u64::from(above) - u64::from(whole) * UNITS_OF_ONE,
            tenths: (!below && !above).then_some(tenths),
            start,
        })
    }

    /// Write the text from `start` on and say where it ends: at most 24 bytes. As with a short one, nothing here branches.
    #[inline]
    fn put(&self, room: &mut Room, start: usize) -> usize {
        room[start].write(b'-');
        let at = start + usize::from(self.negative);
        room[at..at + 8].write_copy_of_slice(&(ZEROS + u64::from(self.whole)).to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "less than 10^8")]
        let (high, low) = (
            eight_digits((self.units / 100_000_000) as u32),
            eight_digits((self.units % 100_000_000) as u32),
        );
        // Where a unit has fifteen digits, the first of sixteen is a zero, and gives its place to the point.
        let first = at + 1 + self.start;
        let digits: &mut [_; 17] = room[first..].first_chunk_mut().expect("room for the longest text");
        digits[..8].write_copy_of_slice(&(high | ZEROS).to_le_bytes());
        digits[8..16].write_copy_of_slice(&(low | ZEROS).to_le_bytes());
        digits[16].write(b'0' + self.tenths.unwrap_or(0));
        room[at + 1].write(b'.');
        let trailing = (u128::from(low) << 64 | u128::from(high)).leading_zeros() / 8;
        select_unpredictable(self.tenths.is_some(), first + 17, first + 16 - trailing as usize)
    }
}

/// What DynamoDB takes, beside zero.
const STORED: std::ops::Range<f64> = 1e-130..1e126;

/// Write the text from `start` on and say where it ends.
#[inline]
fn put_shortest(value: f64, room: &mut Room, start: usize) -> Result<usize, NumberError> {
    if !STORED.contains(&value.abs()) {
        return Err(refusal(value));
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    let end = start + text.len();
    match (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        // Two copies, which overlap, where one of any length is a call.
        (Some(first), Some(last)) => {
            room[start..start + 16].write_copy_of_slice(first);
            room[end - 16..end].write_copy_of_slice(last);
        }
        _ => {
            room[start..end].write_copy_of_slice(text);
        }
    }
    Ok(end)
}

#[cold]
fn refusal(value: f64) -> NumberError {
    if !value.is_finite() {
        NumberError::NotFinite
    } else if value.abs() < STORED.start {
        NumberError::TooSmall
    } else {
        NumberError::TooLarge
    }
}

/// Powers of ten that a float holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A quote, a sign, seven digits, a point, 24 digits and a quote, and a word from where the last may stand.
const WINDOW: usize = 40;

/// The float of a number that stands in quotes at the start of `bytes`, and how many bytes that takes: what lists of floats
/// are full of, read eight digits at a time. `None` where it is written in another way.
#[inline]
#[must_use]
pub fn decode_quoted(bytes: &[u8]) -> Option<(f64, usize)> {
    match bytes.first_chunk() {
        Some(window) => decode_window(window),
        None => decode_last(bytes),
    }
}

/// Close to the end of the bytes: nothing there is a digit or a quote.
#[inline(never)]
fn decode_last(bytes: &[u8]) -> Option<(f64, usize)> {
    let mut window = [0; WINDOW];
    window[..bytes.len()].copy_from_slice(bytes);
    decode_window(&window)
}

#[inline]
fn decode_window(window: &[u8; WINDOW]) -> Option<(f64, usize)> {
    if window[0] != b'"' {
        return None;
    }
    let word = |at: usize| u64::from_le_bytes(window[at..at + 8].try_into().expect("eight bytes"));
    // Signs are as good as random, so nothing here branches on them.
    let sign = u64::from(window[1] == b'-');
    let start = 1 + usize::from(window[1] == b'-');
    let (mut mantissa, whole) = leading_digits(word(start));
    let mut end = start + whole;
    if whole == 0 || whole == 8 {
        return None;
    }
    // Zeros before the point take no room in the mantissa.
    let mut digits = if mantissa == 0 { 0 } else { whole };
    let mut decimals = 0;
    if window[end] == b'.' {
        let (fraction, first) = leading_digits(word(end + 1));
        mantissa = mantissa * INTEGER_POWERS[first] + fraction;
        decimals = first;
        if first == 8 {
            let (fraction, second) = leading_digits(word(end + 9));
            mantissa = mantissa.wrapping_mul(INTEGER_POWERS[second]).wrapping_add(fraction);
            decimals += second;
            if second == 8 {
                let (fraction, third) = leading_digits(word(end + 17));
                mantissa = mantissa.wrapping_mul(INTEGER_POWERS[third]).wrapping_add(fraction);
                decimals += third;
            }
        }
        if decimals == 0 {
            return None;
        }
        digits += decimals;
        end += 1 + decimals;
    }
    if window[end] != b'"' {
        return None;
    }
    // With sixteen digits some mantissas are below 2^53 and some are not, which no branch could predict.
    let magnitude = if digits <= 15 {
        #[expect(clippy::cast_precision_loss, reason = "below 10^15")]
        let mantissa = mantissa as f64;
        mantissa / EXACT_POWERS[decimals]
    } else if digits <= 19 && mantissa != 0 {
        scaled_down(mantissa, decimals)
    } else {
        fast_float2::parse::<f64, _>(&window[start..end]).ok()?
    };
    Some((f64::from_bits(magnitude.to_bits() | sign << 63), end + 1))
}

/// The float nearest to `mantissa / 10^decimals`, for any mantissa but zero.
///
/// This is the algorithm of Eisel and Lemire, on the one range that is asked for: below 10^7 and with at most 24 decimals no
/// result is subnormal, and none lies halfway between two floats, which there takes 30 decimals. That the product is always
/// sufficient is shown by Mushtak and Lemire, "Fast number parsing without fallback" (2023).
#[inline]
fn scaled_down(mantissa: u64, decimals: usize) -> f64 {
    // Of the product the significand takes 53 bits and one to round by, below a bit that may be zero.
    const KEPT: u32 = f64::MANTISSA_DIGITS + 2;
    const UNDECIDED: u64 = u64::MAX >> KEPT;

    let Scale { reciprocal, exponent } = SCALES[decimals];
    let leading = mantissa.leading_zeros();
    let mantissa = mantissa << leading;
    let mut product = wide_product(mantissa, high_word(reciprocal));
    if high_word(product) & UNDECIDED == UNDECIDED {
        product += u128::from(high_word(wide_product(mantissa, low_word(reciprocal))));
    }
    let high = high_word(product);
    let upper = u32::from(high >> 63 != 0);
    let shift = upper + u64::BITS - KEPT;
    let bits = high >> shift;
    let significand = (bits + (bits & 1)) >> 1;
    // Adding the significand's highest bit, which is not stored, raises the exponent by one; a carry, by two.
    let exponent = exponent + u64::from(upper) - u64::from(leading);
    f64::from_bits((exponent << 52) + significand)
}

#[inline]
fn wide_product(left: u64, right: u64) -> u128 {
    u128::from(left) * u128::from(right)
}

#[inline]
const fn high_word(value: u128) -> u64 {
    (value >> 64) as u64
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the low word is asked for")]
const fn low_word(value: u128) -> u64 {
    value as u64
}

/// What division by a power of ten is made of.
#[derive(Clone, Copy)]
struct Scale {
    /// 1 / 5^decimals, in 128 bits whose highest is set, rounded up.
    reciprocal: u128,
    /// The exponent's field for a mantissa without leading zeros, less the one that the significand brings.
    exponent: u64,
}

/// By the number of decimals.
const SCALES: [Scale; 25] = {
    // The field of 2^63, less one.
    const ONE: u64 = 1023 + 63 - 1;
    let mut scales = [Scale {
        reciprocal: 1 << 127,
        exponent: ONE,
    }; 25];
    let mut power = 1u128;
    let mut decimals = 1;
    while decimals < scales.len() {
        power *= 5;
        let bits = u128::BITS - power.leading_zeros();
        // 2^(127 + bits) by the power, digit by digit: it is too large for one division.
        let (mut quotient, mut rest) = (0u128, 1u128);
        let mut digits = 127 + bits;
        while digits > 0 {
            rest <<= 1;
            quotient = quotient << 1 | (rest >= power) as u128;
            rest %= power;
            digits -= 1;
        }
        // 10^decimals is 5^decimals · 2^decimals, of which the first has `bits` bits.
        scales[decimals] = Scale {
            reciprocal: quotient + 1,
            exponent: ONE - (decimals as u64 + bits as u64),
        };
        decimals += 1;
    }
    scales
};

const INTEGER_POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

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
