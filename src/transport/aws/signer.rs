//! Signature Version 4 for DynamoDB's one kind of request: a POST without a query.
//!
//! aws-sigv4 derives the key anew for each request and takes 4.7 µs; the key changes once a day, and signing with a kept
//! one takes 1.1 (DESIGN.md). A test holds both equal, byte for byte.

use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

type HmacSha256 = Hmac<Sha256>;

const SERVICE: &str = "dynamodb";

/// Signs as one holder of keys, for one region.
pub struct Signer {
    access_key_id: String,
    secret_access_key: String,
    region: String,
    key: Mutex<Option<DayKey>>,
}

/// What signs for one day.
#[derive(Clone)]
struct DayKey {
    day: [u8; 8],
    /// The state after the key's own blocks, so that they are not hashed for each request.
    hmac: HmacSha256,
}

/// The parts of a request's canonical form that stay the same from one request to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// Up to the value of x-amz-date.
    head: String,
    /// From there to the hash of the body.
    tail: String,
    signed_headers: &'static str,
}

/// A moment as x-amz-date has it: `20260131T123000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp([u8; 16]);

impl Signer {
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str, region: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
            region: region.to_owned(),
            key: Mutex::new(None),
        }
    }

    /// The value of the Authorization header.
    #[must_use]
    pub fn authorization(&self, canonical: &Canonical, stamp: &Stamp, body: &[u8]) -> String {
        let mut hash = [0; 64];
        hex(&Sha256::digest(body).into(), &mut hash);
        let request = Sha256::new()
            .chain_update(&canonical.head)
            .chain_update(stamp.0)
            .chain_update(&canonical.tail)
            .chain_update(hash);
        hex(&request.finalize().into(), &mut hash);

        let day = stamp.day();
        let signature = self
            .key(day)
            .hmac
            .chain_update("AWS4-HMAC-SHA256\n")
            .chain_update(stamp.0)
            .chain_update("\n")
            .chain_update(day)
            .chain_update("/")
            .chain_update(&self.region)
            .chain_update("/dynamodb/aws4_request\n")
            .chain_update(hash);
        hex(&signature.finalize().into_bytes().into(), &mut hash);

        let parts = [
            "AWS4-HMAC-SHA256 Credential=",
            &self.access_key_id,
            "/",
            ascii(&day),
            "/",
            &self.region,
            "/dynamodb/aws4_request, SignedHeaders=",
            canonical.signed_headers,
            ", Signature=",
            ascii(&hash),
        ];
        parts.concat()
    }

    fn key(&self, day: [u8; 8]) -> DayKey {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(key) if key.day == day => key.clone(),
            _ => kept.insert(self.derive(day)).clone(),
        }
    }

    fn derive(&self, day: [u8; 8]) -> DayKey {
        let step = |key: &[u8], message: &[u8]| mac(key).chain_update(message).finalize().into_bytes();
        let secret = ["AWS4", &self.secret_access_key].concat();
        let key = step(secret.as_bytes(), &day);
        let key = step(&key, self.region.as_bytes());
        let key = step(&key, SERVICE.as_bytes());
        let key = step(&key, b"aws4_request");
        DayKey { day, hmac: mac(&key) }
    }
}

/// No secret is shown.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Canonical {
    /// `path` as it is sent, `host` as the header has it.
    #[must_use]
    pub fn new(path: &str, host: &str, content_type: &str, target: &str, session_token: Option<&str>) -> Self {
        let path = encoded(&normalized(path));
        let signed_headers = match session_token {
            Some(_) => "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
            None => "content-type;host;x-amz-date;x-amz-target",
        };
        let token = session_token.map_or_else(String::new, |token| format!("x-amz-security-token:{token}\n"));
        Self {
            head: format!("POST\n{path}\n\ncontent-type:{content_type}\nhost:{host}\nx-amz-date:"),
            tail: format!("\n{token}x-amz-target:{target}\n\n{signed_headers}\n"),
            signed_headers,
        }
    }
}

impl Stamp {
    /// The moment, in whole seconds. What lies outside the years 1970 to 9999 is signed as 1970, and refused by whom it
    /// is sent to.
    #[must_use]
    pub fn new(time: SystemTime) -> Self {
        const DAY: u64 = 86_400;
        const YEAR_10000: u64 = 253_402_300_800;
        let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let seconds = if seconds < YEAR_10000 { seconds } else { 0 };
        let (year, month, day) = civil(seconds / DAY);
        let seconds = seconds % DAY;
        let mut stamp = *b"00000000T000000Z";
        let parts = [
            (0, year / 100),
            (2, year % 100),
            (4, month),
            (6, day),
            (9, seconds / 3600),
            (11, seconds / 60 % 60),
            (13, seconds % 60),
        ];
        for (place, number) in parts {
            let digits = [number / 10, number % 10].map(|digit| b'0' + digit.to_le_bytes()[0]);
            stamp[place..place + 2].copy_from_slice(&digits);
        }
        Self(stamp)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }

    fn day(&self) -> [u8; 8] {
        let mut day = [0; 8];
        day.copy_from_slice(&self.0[..8]);
        day
    }
}

/// Year, month and day of so many days after 1970 began.
const fn civil(days: u64) -> (u64, u64, u64) {
    // Of the calendar that begins its years in March, lest a leap day stand in the middle of one: eras of 400 years from
    // the year 0 on.
    const DAYS_FROM_YEAR_0: u64 = 719_468;
    const ERA: u64 = 146_097;
    let days = days + DAYS_FROM_YEAR_0;
    let of_era = days % ERA;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_after_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * months_after_march + 2) / 5 + 1;
    let (month, year_after) = if months_after_march < 10 {
        (months_after_march + 3, 0)
    } else {
        (months_after_march - 9, 1)
    };
    (days / ERA * 400 + year_of_era + year_after, month, day)
}

fn mac(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("digits and letters only")
}

fn hex(bytes: &[u8; 32], out: &mut [u8; 64]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// The path without empty and dot segments (RFC 3986, 5.2.4); a slash at its end stays.
fn normalized(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let ends_in_a_folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let end = if ends_in_a_folder && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", segments.join("/"))
}

/// Percent-encoded once more than it is sent, as every service but S3 expects.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
