//! How long to wait before what a batch left unprocessed is sent again: exponential, with full jitter.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Replies in a row that leave something unprocessed before a batch gives up: some 13 s of waiting on average.
const ATTEMPTS: u32 = 10;
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Backoff {
    attempts: u32,
    random: u64,
}

impl Backoff {
    /// Waits that are the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            attempts: 0,
            random: seed,
        }
    }

    /// The wait before the next attempt; `None` when there have been enough.
    pub(super) fn next_wait(&mut self) -> Option<Duration> {
        self.attempts += 1;
        if self.attempts >= ATTEMPTS {
            return None;
        }
        let longest = FIRST.saturating_mul(1 << (self.attempts - 1)).min(LONGEST);
        // Full jitter: many clients that were refused together must not come back together.
        Some(longest.mul_f64(self.next_fraction()))
    }

    /// Attempts made since the last that left nothing unprocessed.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(super) fn succeeded(&mut self) {
        self.attempts = 0;
    }

    /// The next of SplitMix64, as a number from 0 to 1: it only has to differ from process to process.
    #[allow(clippy::cast_precision_loss)]
    fn next_fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Seeded at random.
impl Default for Backoff {
    fn default() -> Self {
        Self::seeded(RandomState::new().hash_one(0))
    }
}
