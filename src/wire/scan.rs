//! How far JSON text goes on without anything special: the one loop that writer and reader share. Hot.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A run of bytes that stand for themselves in a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub length: usize,
    pub ascii: bool,
}

/// The run at the start of `bytes`: it ends before the first quote, backslash or control character, or with the bytes.
#[inline]
pub(super) fn plain_run(bytes: &[u8]) -> Run {
    let mut seen = 0u64;
    let mut length = 0;
    let mut words = bytes.chunks_exact(8);
    for chunk in &mut words {
        let word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        let special = special_bytes(word);
        if special != 0 {
            let plain = special.trailing_zeros() / 8;
            seen |= word & ((1u64 << (8 * plain)) - 1);
            return Run {
                length: length + plain as usize,
                ascii: seen & HIGH == 0,
            };
        }
        seen |= word;
        length += 8;
    }
    if let Some(word) = last_word(bytes)
        && special_bytes(word) == 0
    {
        return Run {
            length: bytes.len(),
            ascii: (seen | word) & HIGH == 0,
        };
    }
    let mut ascii = seen & HIGH == 0;
    for &byte in words.remainder() {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            break;
        }
        ascii &= byte < 0x80;
        length += 1;
    }
    Run { length, ascii }
}

/// A word of the last bytes, whose beginning may be of those that are looked through already; `None` of fewer than four.
#[inline]
fn last_word(bytes: &[u8]) -> Option<u64> {
    if let Some(last) = bytes.last_chunk() {
        return Some(u64::from_le_bytes(*last));
    }
    let (first, last) = (bytes.first_chunk()?, bytes.last_chunk()?);
    Some(u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32)
}

/// The high bit of each byte that is a control character, a quote or a backslash. Only the lowest set bit is exact: a
/// borrow may set bits above it.
#[inline]
const fn special_bytes(word: u64) -> u64 {
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    // The XOR leaves the high bit as it was, so one `!word` keeps bytes of 0x80 and above out of all three.
    (control | quote | backslash) & !word & HIGH
}
