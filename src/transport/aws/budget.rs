//! What retries may cost: tokens shared by all calls of a client, and waits that grow.
//!
//! The numbers are those of AWS's standard retry mode (docs/decisions). A service in trouble is not asked ever more
//! often: once the tokens are spent, what fails is told at once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::random::Random;

/// Why a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The service did nothing, as too much was asked of it.
    Throttling,
    /// Anything else that may pass.
    Passing,
}

impl Trouble {
    const fn cost(self) -> u32 {
        match self {
            Self::Throttling => 5,
            Self::Passing => 14,
        }
    }
}

/// The tokens.
#[derive(Debug)]
pub struct Budget {
    tokens: AtomicU32,
    capacity: u32,
}

/// What a retry took, given back when it succeeds.
#[derive(Debug)]
#[must_use]
pub struct Stake(u32);

impl Budget {
    pub const CAPACITY: u32 = 500;

    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        Self {
            tokens: AtomicU32::new(capacity),
            capacity,
        }
    }

    /// `None`: too few are left.
    pub fn stake(&self, trouble: Trouble) -> Option<Stake> {
        let cost = trouble.cost();
        let taken = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| tokens.checked_sub(cost));
        taken.is_ok().then_some(Stake(cost))
    }

    /// A call succeeded: its last retry's stake comes back, or one token where it needed none.
    pub fn succeeded(&self, stake: Option<Stake>) {
        // Nearly always: a look instead of a write that all threads contend for.
        if self.left() == self.capacity {
            return;
        }
        let back = stake.map_or(1, |Stake(cost)| cost);
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                Some(tokens.saturating_add(back).min(self.capacity))
            });
    }

    #[must_use]
    pub fn left(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }
}

/// The waits before retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// The longest first one after throttling.
    pub throttled: Duration,
    /// The longest first one after other trouble.
    pub passing: Duration,
    pub longest: Duration,
}

impl Waits {
    /// DynamoDB answers in milliseconds, so that a second try need not wait the second that is usual elsewhere.
    pub const DYNAMODB: Self = Self {
        throttled: Duration::from_millis(50),
        passing: Duration::from_millis(25),
        longest: Duration::from_secs(20),
    };
    /// How much longer than the own wait the service may ask for.
    const BEYOND: Duration = Duration::from_secs(5);

    /// Before the try after `tries`. `asked` is what the service asked for (`x-amz-retry-after`); `jitter` lies between
    /// 0 and 1, lest all who failed together come back together.
    #[must_use]
    pub fn before_next(&self, tries: u32, trouble: Trouble, asked: Option<Duration>, jitter: f64) -> Duration {
        let first = match trouble {
            Trouble::Throttling => self.throttled,
            Trouble::Passing => self.passing,
        };
        let doublings = tries.saturating_sub(1);
        let whole = 2_u32.checked_pow(doublings).and_then(|power| first.checked_mul(power));
        let wait = whole
            .map_or(self.longest, |wait| wait.min(self.longest))
            .mul_f64(jitter);
        asked.map_or(wait, |asked| asked.clamp(wait, wait + Self::BEYOND))
    }

    #[must_use]
    pub fn draw(&self, tries: u32, trouble: Trouble, asked: Option<Duration>, random: &Random) -> Duration {
        self.before_next(tries, trouble, asked, random.fraction())
    }
}
