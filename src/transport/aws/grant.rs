//! As whom requests are sent, and where: all of a request that stays the same while the credentials do.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::endpoint::Endpoint;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Uri};
use memchr::memmem;

use super::life::{Life, Standing};
use super::settings::Settings;
use super::signer::{Canonical, Signer, Stamp};
use crate::error::{Error, TransportKind};
use crate::transport::not_sent;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const INVOCATION: HeaderName = HeaderName::from_static("amz-sdk-invocation-id");
const TRY: HeaderName = HeaderName::from_static("amz-sdk-request");
const TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Credentials, and the endpoint that goes with them: an account may have one of its own.
pub struct Grant {
    pub settings: Arc<Settings>,
    /// Who gave the credentials, and gives the next.
    pub provider: SharedCredentialsProvider,
    pub tls: bool,
    signer: Signer,
    session_token: Option<String>,
    url: String,
    path: String,
    host: String,
    life: Option<Life>,
    outlines: RwLock<Vec<(&'static str, Arc<Outline>)>>,
}

/// A request to one operation but for its body, its time and its signature.
struct Outline {
    request: HttpRequest,
    canonical: Canonical,
}

/// What tells the tries of one call apart.
pub struct Try<'a> {
    pub number: u32,
    pub invocation: &'a str,
    /// The trace that AWS Lambda runs this in.
    pub trace: Option<String>,
}

impl Grant {
    pub fn new(
        settings: Arc<Settings>,
        provider: SharedCredentialsProvider,
        credentials: &Credentials,
        endpoint: &Endpoint,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let wrong = |reason: String| not_sent(TransportKind::Endpoint, format!("no endpoint can be called: {reason}"));
        let mut sample = HttpRequest::new(SdkBody::empty());
        sample
            .uri_mut()
            .set_endpoint(endpoint.url())
            .map_err(|error| wrong(error.to_string()))?;
        let uri: Uri = sample
            .uri()
            .parse()
            .map_err(|_| wrong(format!("{} is no URL", endpoint.url())))?;
        let host = uri.host().unwrap_or_default();
        let tls = uri.scheme_str() == Some("https");
        let host = match uri.port_u16() {
            Some(port) if port != if tls { 443 } else { 80 } => format!("{host}:{port}"),
            _ => host.to_owned(),
        };
        expect_sendable("access key id", credentials.access_key_id())?;
        expect_sendable("session token", credentials.session_token().unwrap_or_default())?;
        let region = signing_region(endpoint).unwrap_or_else(|| settings.region.to_string());
        Ok(Self {
            signer: Signer::new(credentials.access_key_id(), credentials.secret_access_key(), &region),
            session_token: credentials.session_token().map(str::to_owned),
            path: uri.path().to_owned(),
            url: sample.uri().to_owned(),
            host,
            tls,
            life: credentials.expiry().map(|expiry| Life::new(now, expiry)),
            outlines: RwLock::default(),
            settings,
            provider,
        })
    }

    pub fn standing(&self, now: SystemTime) -> Standing {
        self.life.as_ref().map_or(Standing::Fresh, |life| life.standing(now))
    }

    /// Whether the service takes it no longer.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.life.as_ref().is_some_and(|life| life.is_expired(now))
    }

    /// The signed request.
    pub fn request(&self, operation: &'static str, body: &Bytes, now: SystemTime, which: Try<'_>) -> HttpRequest {
        let outline = self.outline(operation);
        let stamp = Stamp::new(now);
        let mut request = outline.request.try_clone().expect("an empty body can be cloned");
        let authorization = self.signer.authorization(&outline.canonical, &stamp, body);
        let headers = request.headers_mut();
        headers.insert(DATE, stamp.as_str().to_owned());
        headers.insert(http::header::AUTHORIZATION, authorization);
        headers.insert(INVOCATION, which.invocation.to_owned());
        if which.number > 1 {
            headers.insert(TRY, self.settings.numbered(which.number));
        }
        if let Some(trace) = which.trace {
            // Only what fits into a header; it is not signed, as proxies may change it.
            let _ = headers.try_insert(TRACE, trace);
        }
        *request.body_mut() = SdkBody::from(body.clone());
        request
    }

    /// An error reply without the session token: of a request whose signature does not match, AWS tells the headers.
    pub fn without_token(&self, body: Bytes) -> Bytes {
        let Some(token) = self.session_token.as_deref().filter(|token| !token.is_empty()) else {
            return body;
        };
        // As it stands in JSON; what else would be escaped there stands in no header.
        let escaped = token.replace('\\', r"\\").replace('"', r#"\""#);
        [escaped.as_bytes(), token.as_bytes()].into_iter().fold(body, without)
    }

    fn outline(&self, operation: &'static str) -> Arc<Outline> {
        let find = |outlines: &[(&'static str, Arc<Outline>)]| {
            let known = outlines.iter().find(|(known, _)| *known == operation);
            known.map(|(_, outline)| Arc::clone(outline))
        };
        let known = find(&self.outlines.read().unwrap_or_else(PoisonError::into_inner));
        known.unwrap_or_else(|| {
            let made = Arc::new(self.draw(operation));
            let mut outlines = self.outlines.write().unwrap_or_else(PoisonError::into_inner);
            find(&outlines).unwrap_or_else(|| {
                outlines.push((operation, Arc::clone(&made)));
                made
            })
        })
    }

    fn draw(&self, operation: &'static str) -> Outline {
        let target = format!("DynamoDB_20120810.{operation}");
        let token = self.session_token.as_deref();
        let canonical = Canonical::new(&self.path, &self.host, CONTENT_TYPE, &target, token);
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_method("POST").expect("POST is a method");
        request.set_uri(self.url.as_str()).expect("it was parsed before");
        let headers = request.headers_mut();
        headers.insert("content-type", CONTENT_TYPE);
        headers.insert("x-amz-target", target);
        headers.insert("host", self.host.clone());
        headers.insert("user-agent", self.settings.user_agent.clone());
        if let Some(token) = &self.session_token {
            headers.insert("x-amz-security-token", token.clone());
        }
        headers.insert(TRY, self.settings.numbered(1));
        // Their places: a map that grows is hashed anew.
        for name in [DATE, http::header::AUTHORIZATION, INVOCATION] {
            headers.insert(name, "");
        }
        Outline { request, canonical }
    }
}

/// What no header takes would be refused with the first request, and told there.
fn expect_sendable(what: &str, value: &str) -> Result<(), Error> {
    if HeaderValue::from_str(value).is_ok() {
        return Ok(());
    }
    Err(not_sent(
        TransportKind::Credentials,
        format!("the {what} has a character that cannot be sent, such as a line break: check where it is read from"),
    ))
}

fn without(body: Bytes, secret: &[u8]) -> Bytes {
    let mut rest = &body[..];
    let mut clean = Vec::new();
    while let Some(at) = memmem::find(rest, secret) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(b"**");
        rest = &rest[at + secret.len()..];
    }
    if clean.is_empty() {
        return body;
    }
    clean.extend_from_slice(rest);
    clean.into()
}

/// The endpoint rules may have requests signed for another region than the one they are sent to.
fn signing_region(endpoint: &Endpoint) -> Option<String> {
    let scheme = endpoint.auth_schemes().iter().find(|scheme| scheme.name() == "sigv4")?;
    scheme.get("signingRegion")?.as_string().map(str::to_owned)
}
