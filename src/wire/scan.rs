//! How far JSON text goes on without anything special: the one loop that writer and reader share. Hot.

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// A run of bytes that stand for themselves in a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub length: usize,
    pub ascii: bool,
}

/// The run at the start of `bytes`: it ends before the first quote, backslash or control character, or with the bytes.
#[inline]
pub(super) fn plain_run(bytes: &[u8]) -> Run {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let mut length = 0;
    let mut ascii = true;
    for block in blocks {
        let run = run_in_block(block);
        length += run.length;
        ascii &= run.ascii;
        if run.length < BLOCK {
            return Run { length, ascii };
        }
    }
    if rest.is_empty() {
        return Run { length, ascii };
    }
    // One more block: the one that ends with the bytes, whose beginning has been looked at, or one that begins with them.
    let (run, behind) = match bytes.last_chunk() {
        Some(last) => (run_in_block(last), BLOCK - rest.len()),
        None => (run_in_block(&before_blanks(rest)), 0),
    };
    Run {
        length: (length + run.length - behind).min(bytes.len()),
        ascii: ascii & run.ascii,
    }
}

/// Up to 32 bytes that all stand for themselves, in blocks: the one that begins with them, with blanks behind the last, and
/// where they are more than a block has, the one that ends with them. `None` where they do not, or are more.
#[inline]
pub(super) fn plain_blocks(bytes: &[u8]) -> Option<([u8; BLOCK], Option<[u8; BLOCK]>)> {
    let is_plain = |block: &[u8; BLOCK]| run_in_block(block).length == BLOCK;
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) if bytes.len() <= 2 * BLOCK => {
            (is_plain(first) && is_plain(last)).then_some((*first, Some(*last)))
        }
        (Some(_), _) => None,
        (None, _) => Some((before_blanks(bytes), None)).filter(|(block, _)| is_plain(block)),
    }
}

/// Fewer bytes than a block has, at its beginning, from loads that overlap.
#[inline]
fn before_blanks(bytes: &[u8]) -> [u8; BLOCK] {
    const BLANKS: u128 = u128::from_le_bytes([b' '; BLOCK]);
    let length = bytes.len();
    let text = if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << (8 * (length - 8))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u128::from(u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (length - 4)))
    } else if let (Some(first), Some(last)) = (bytes.first(), bytes.last()) {
        let middle = length / 2;
        let text =
            u32::from(*first) | u32::from(bytes[middle]) << (8 * middle) | u32::from(*last) << (8 * (length - 1));
        u128::from(text)
    } else {
        0
    };
    (text | BLANKS << (8 * length)).to_le_bytes()
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[allow(unsafe_code)]
fn run_in_block(block: &[u8; BLOCK]) -> Run {
    // SAFETY: these instructions are part of x86-64 itself.
    unsafe { run_by_sse2(block) }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse2")]
fn run_by_sse2(block: &[u8; BLOCK]) -> Run {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    let (low, high) = halves(block);
    let block = _mm_set_epi64x(high.cast_signed(), low.cast_signed());
    let byte = |byte: u8| _mm_set1_epi8(byte.cast_signed());
    let quote = _mm_cmpeq_epi8(block, byte(b'"'));
    let backslash = _mm_cmpeq_epi8(block, byte(b'\\'));
    let control = _mm_cmpeq_epi8(block, _mm_min_epu8(block, byte(0x1F)));
    let special = _mm_or_si128(_mm_or_si128(quote, backslash), control);
    // One bit for each byte, and one behind the last.
    let special = _mm_movemask_epi8(special).cast_unsigned() | 1 << BLOCK;
    let beyond_ascii = _mm_movemask_epi8(block).cast_unsigned();
    let plain = (special & special.wrapping_neg()) - 1;
    Run {
        length: special.trailing_zeros() as usize,
        ascii: beyond_ascii & plain == 0,
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn run_in_block(block: &[u8; BLOCK]) -> Run {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (low, high) = halves(block);
    let (in_low, in_high) = (special_bytes(low), special_bytes(high));
    let (word, special, before) = if in_low == 0 {
        (high, in_high, 8)
    } else {
        (low, in_low, 0)
    };
    let plain = special.trailing_zeros() / 8;
    let mask = 1u64.checked_shl(8 * plain).map_or(u64::MAX, |bit| bit - 1);
    let seen = word & mask | if before == 0 { 0 } else { low };
    Run {
        length: before + plain as usize,
        ascii: seen & HIGH == 0,
    }
}

/// The high bit of each byte that is a control character, a quote or a backslash. Only the lowest set bit is exact: a
/// borrow may set bits above it.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    // The XOR leaves the high bit as it was, so one `!word` keeps bytes of 0x80 and above out of all three.
    (control | quote | backslash) & !word & (ONES << 7)
}

#[inline]
fn halves(block: &[u8; BLOCK]) -> (u64, u64) {
    let [low, high] = [&block[..8], &block[8..]].map(|half| u64::from_le_bytes(half.try_into().expect("eight bytes")));
    (low, high)
}
