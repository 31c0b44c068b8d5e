//! What tells one transaction from another, so that sending one again does not do it twice.

/// A token that no other transaction has, in this process or a fork of it: 128 random bits.
pub(super) fn token() -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("a system without random bytes runs no TLS either");
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
