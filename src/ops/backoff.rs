//! How long to wait before what a batch left unprocessed is sent again: exponential, with full jitter.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Attempts in a row that do nothing before a batch gives up: some 13 s of waiting on average.
const ATTEMPTS: u32 = 10;
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Backoff {
    /// Since the last that did something.
    attempts: u32,
    waits: u32,
    random: u64,
}

impl Backoff {
    /// Waits that are the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            attempts: 0,
            waits: 0,
            random: seed,
        }
    }

    /// Another one, for a request beside this one's: they must not wait alike.
    pub(super) fn branch(&mut self) -> Self {
        Self::seeded(self.next_random())
    }

    /// The wait after an attempt that did nothing, which is longer each time; `None` when there were enough of them.
    pub(super) fn next_wait(&mut self) -> Option<Duration> {
        self.attempts += 1;
        (self.attempts < ATTEMPTS).then(|| self.wait())
    }

    /// The wait after an attempt that did something, but not all.
    pub(super) fn wait_after_progress(&mut self) -> Duration {
        self.attempts = 0;
        self.wait()
    }

    fn wait(&mut self) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.waits.min(16)).min(LONGEST);
        self.waits += 1;
        // Full jitter: many clients that were refused together must not come back together.
        longest.mul_f64(self.next_fraction())
    }

    /// Attempts in a row that did nothing.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The last attempt did everything.
    pub(super) fn succeeded(&mut self) {
        self.attempts = 0;
        self.waits = 0;
    }

    /// A number from 0 to 1.
    #[allow(clippy::cast_precision_loss)]
    fn next_fraction(&mut self) -> f64 {
        (self.next_random() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The next of SplitMix64: it only has to differ from process to process.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// Seeded at random.
impl Default for Backoff {
    fn default() -> Self {
        Self::seeded(RandomState::new().hash_one(0))
    }
}
