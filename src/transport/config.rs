//! Where a client's requests go and how long they may take: plain values, `None` where the environment decides.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A client's options. What is `None` is looked for where every AWS tool looks: environment, shared files, services.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Config {
    pub region: Option<String>,
    pub profile: Option<String>,
    pub endpoint_url: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<String>,
    pub session_token: Option<String>,
    /// For one connection to be made, TLS included.
    pub connect_timeout: Option<Duration>,
    /// From a request sent to its answer's first byte.
    pub read_timeout: Option<Duration>,
    /// For one call, all its tries and the waits between them; without it they have their own limits only.
    pub operation_timeout: Option<Duration>,
    /// Tries in all, the first included.
    pub max_attempts: Option<u32>,
    pub retry_mode: Option<RetryMode>,
    /// Requests of awaiting callers in flight at once; a blocking caller has a connection of its own.
    pub max_connections: Option<usize>,
    /// A file of certificates in PEM, trusted instead of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// The URL of the proxy of every request, instead of the environment's.
    pub proxy: Option<String>,
}

/// Whether a client that was throttled slows itself down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryMode {
    /// Failed requests are sent again, after growing waits and within a budget.
    Standard,
    /// And no request is sent faster than the service let through before.
    Adaptive,
}

impl FromStr for RetryMode {
    type Err = ();

    /// "legacy" is botocore's first mode, which no other tool has: they take the standard one for it.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.trim().to_ascii_lowercase().as_str() {
            "standard" | "legacy" => Ok(Self::Standard),
            "adaptive" => Ok(Self::Adaptive),
            _ => Err(()),
        }
    }
}

impl Config {
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// DynamoDB answers in milliseconds, or within five seconds for the heaviest transactions.
    pub const READ_TIMEOUT: Duration = Duration::from_secs(30);
    pub const MAX_CONNECTIONS: usize = 50;
    pub const MAX_ATTEMPTS: u32 = 3;
}

/// Secrets are shown as present or absent, never by value.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "**");
        f.debug_struct("Config")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .field("endpoint_url", &self.endpoint_url)
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &hidden(&self.secret_access_key))
            .field("session_token", &hidden(&self.session_token))
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("operation_timeout", &self.operation_timeout)
            .field("max_attempts", &self.max_attempts)
            .field("retry_mode", &self.retry_mode)
            .field("max_connections", &self.max_connections)
            .field("ca_bundle", &self.ca_bundle)
            // Its URL may hold a password.
            .field("proxy", &hidden(&self.proxy))
            .finish()
    }
}
