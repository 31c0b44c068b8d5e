//! Base64 text, strict both ways: of B values in the standard alphabet with padding, of what goes into URLs in the
//! alphabet for those, without. Pydantic's JSON has the one for URLs with padding.

use base64_simd::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

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

/// Append the base64 text of `bytes` in the alphabet for URLs, with padding.
pub fn encode_with_padding_for_url(out: &mut Vec<u8>, bytes: &[u8]) {
    URL_SAFE.encode_append(bytes, out);
}

/// Text that stands in a URL as it is.
#[must_use]
pub fn encode_for_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// The bytes that such text stands for, or `None` where it is none.
#[must_use]
pub fn decode_from_url(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}
