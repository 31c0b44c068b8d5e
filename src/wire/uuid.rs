//! UUIDs as S text: 36 characters, hyphenated, lower case, unless a field asks for another form. Hot.

/// Where the hyphens stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Where each pair of hex digits stands.
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/// Of the hyphenated text.
pub const LENGTH: usize = 36;

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// The value of a hex digit; 0xFF for any other byte.
const VALUES: [u8; 256] = {
    let mut values = [0xFF; 256];
    let mut digit = 0u8;
    while digit < 16 {
        values[DIGITS[digit as usize] as usize] = digit;
        values[DIGITS[digit as usize].to_ascii_uppercase() as usize] = digit;
        digit += 1;
    }
    values
};

/// Append the UUID's text.
#[inline]
pub fn encode(out: &mut Vec<u8>, value: u128) {
    out.extend_from_slice(&text(value));
}

/// Append the UUID's 32 digits without hyphens.
pub fn encode_hex(out: &mut Vec<u8>, value: u128) {
    for byte in value.to_be_bytes() {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// Append the UUID's text in upper case.
pub fn encode_upper(out: &mut Vec<u8>, value: u128) {
    out.extend_from_slice(&text(value).map(|character| character.to_ascii_uppercase()));
}

/// The UUID of 32 digits in either case; `None` for every other form.
#[must_use]
pub fn decode_hex(text: &[u8]) -> Option<u128> {
    let text: &[u8; 2 * 16] = text.try_into().ok()?;
    let mut value = 0;
    for digit in text {
        let digit = VALUES[usize::from(*digit)];
        if digit > 15 {
            return None;
        }
        value = value << 4 | u128::from(digit);
    }
    Some(value)
}

/// The UUID's text.
#[inline]
#[must_use]
pub fn text(value: u128) -> [u8; LENGTH] {
    let mut text = [b'-'; LENGTH];
    for (byte, at) in value.to_be_bytes().into_iter().zip(PAIRS) {
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// The UUID of a hyphenated text in either case; `None` for every other form.
#[inline]
#[must_use]
pub fn decode(text: &[u8]) -> Option<u128> {
    let text: &[u8; LENGTH] = text.try_into().ok()?;
    let mut bytes = [0; 16];
    let mut invalid = 0;
    for (byte, at) in bytes.iter_mut().zip(PAIRS) {
        let (high, low) = (VALUES[usize::from(text[at])], VALUES[usize::from(text[at + 1])]);
        invalid |= high | low;
        *byte = high << 4 | low & 15;
    }
    let hyphenated = HYPHENS.iter().all(|&at| text[at] == b'-');
    (invalid < 16 && hyphenated).then(|| u128::from_be_bytes(bytes))
}
