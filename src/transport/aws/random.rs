//! Numbers that need not be secret: the jitter of waits, the ids of invocations.

use std::sync::atomic::{AtomicU64, Ordering};

/// SplitMix64 on a counter: no lock, no state of a thread's. It is seeded by the system where it is made, so that the
/// processes of a fork draw different ones.
#[derive(Debug)]
pub struct Random(AtomicU64);

impl Random {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    #[must_use]
    pub fn new() -> Self {
        // Without the system's randomness the process's number still tells processes apart.
        Self(AtomicU64::new(
            getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id())),
        ))
    }

    fn next(&self) -> u64 {
        let mut bits = self.0.fetch_add(Self::STEP, Ordering::Relaxed).wrapping_add(Self::STEP);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// At least 0 and less than 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        // The 32 bits of an f64's exact integers are enough for a wait.
        f64::from((self.next() >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
    }

    /// A random UUID, version 4.
    #[must_use]
    pub fn uuid(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        const VERSION: u64 = !(0xf << 12);
        const VARIANT: u64 = !(0b11 << 62);
        let halves = [
            (self.next() & VERSION) | (4 << 12),
            (self.next() & VARIANT) | (0b10 << 62),
        ];
        let mut text = String::with_capacity(36);
        for (place, byte) in halves.iter().flat_map(|half| half.to_be_bytes()).enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}
