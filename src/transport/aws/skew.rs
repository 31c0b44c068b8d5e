//! A clock that is wrong: what DynamoDB's own clock says is added to the times that requests are signed with.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Codes that a wrong clock may be behind.
const CODES: &[&str] = &[
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "RequestTimeTooSkewed",
    "AuthFailure",
    "AccessDeniedException",
];
/// A signature holds for five minutes; a smaller difference was not what it was refused for.
const TOLERATED: Duration = Duration::from_mins(4);

/// Seconds that the service's clock is ahead of this machine's.
#[derive(Debug, Default)]
pub struct Skew(AtomicI64);

impl Skew {
    /// The time to sign with.
    #[must_use]
    pub fn correct(&self, now: SystemTime) -> SystemTime {
        let seconds = self.0.load(Ordering::Relaxed);
        let by = Duration::from_secs(seconds.unsigned_abs());
        let corrected = if seconds < 0 {
            now.checked_sub(by)
        } else {
            now.checked_add(by)
        };
        corrected.unwrap_or(now)
    }

    /// Learn from a refusal with this code, sent at `date` by the service's clock and received at `now` by ours. Whether
    /// the clock was behind it, so that a request signed anew may be taken.
    #[must_use]
    pub fn learn(&self, code: &str, date: &str, now: SystemTime) -> bool {
        if !CODES.contains(&code) {
            return false;
        }
        let (Some(service), Ok(ours)) = (seconds_of(date), now.duration_since(UNIX_EPOCH)) else {
            return false;
        };
        let found = service - i64::try_from(ours.as_secs()).unwrap_or(i64::MAX);
        // By how much the refused request was off, which an earlier correction may have caused.
        let off = Duration::from_secs(found.abs_diff(self.0.load(Ordering::Relaxed)));
        if off > TOLERATED {
            self.0.store(found, Ordering::Relaxed);
        }
        off > TOLERATED
    }
}

/// The seconds since 1970 of an HTTP date: `Sat, 31 Jan 2026 12:30:00 GMT`.
fn seconds_of(date: &str) -> Option<i64> {
    let format = aws_smithy_types::date_time::Format::HttpDate;
    Some(aws_smithy_types::DateTime::from_str(date, format).ok()?.secs())
}
