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
    /// the time that its request was `signed` with was behind it, so that one signed anew may be taken: of several under
    /// way each is refused, and the first of them has taught us already.
    #[must_use]
    pub fn learn(&self, code: &str, date: &str, signed: SystemTime, now: SystemTime) -> bool {
        if !CODES.contains(&code) {
            return false;
        }
        let (Some(service), Some(ours), Some(signed)) = (seconds_of(date), seconds(now), seconds(signed)) else {
            return false;
        };
        let is_off = Duration::from_secs(service.abs_diff(signed)) > TOLERATED;
        if is_off {
            self.0.store(service - ours, Ordering::Relaxed);
        }
        is_off
    }
}

fn seconds(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// The seconds since 1970 of an HTTP date: `Sat, 31 Jan 2026 12:30:00 GMT`.
fn seconds_of(date: &str) -> Option<i64> {
    let format = aws_smithy_types::date_time::Format::HttpDate;
    Some(aws_smithy_types::DateTime::from_str(date, format).ok()?.secs())
}
