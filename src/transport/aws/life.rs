//! When credentials that expire are to be renewed.

use std::time::{Duration, SystemTime};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// From then on new ones are asked for while these are still used.
    aging: SystemTime,
    /// From then on they are not used: a request that arrives too late would be refused.
    over: SystemTime,
    expiry: SystemTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Fresh,
    Aging,
    Over,
}

impl Life {
    /// At most so long before the end new ones are asked for, and at most so long before it these are given up.
    const EARLY: Duration = Duration::from_mins(5);
    const LATE: Duration = Duration::from_secs(10);

    /// Credentials of a few minutes are not renewed from their first moment on.
    #[must_use]
    pub fn new(now: SystemTime, expiry: SystemTime) -> Self {
        let left = expiry.duration_since(now).unwrap_or_default();
        let before = |buffer: Duration| expiry.checked_sub(buffer).unwrap_or(expiry);
        Self {
            aging: before(Self::EARLY.min(left / 4)),
            over: before(Self::LATE.min(left / 8)),
            expiry,
        }
    }

    #[must_use]
    pub fn standing(&self, now: SystemTime) -> Standing {
        if now >= self.over {
            Standing::Over
        } else if now >= self.aging {
            Standing::Aging
        } else {
            Standing::Fresh
        }
    }

    #[must_use]
    pub fn is_expired(&self, now: SystemTime) -> bool {
        now >= self.expiry
    }
}
