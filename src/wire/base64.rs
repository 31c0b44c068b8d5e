//! Base64 text of B values: the standard alphabet with padding, strict both ways.

use base64_simd::STANDARD;

/// Append the base64 text of `bytes`.
#[inline]
pub fn encode(out: &mut Vec<u8>, bytes: &[u8]) {
    STANDARD.encode_append(bytes, out);
}

/// How many bytes base64 text stands for.
#[must_use]
pub fn decoded_length(text: &str) -> usize {
    let padding = text.bytes().rev().take_while(|&byte| byte == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

/// The bytes that `text` stands for, or `None` where it is not base64 with padding.
#[inline]
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode_to_vec(text).ok()
}
