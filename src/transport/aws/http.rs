//! HTTP connectors: TLS by rustls with ring, proxies, and the certificates that are trusted.

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::{Error, TransportKind};
use crate::transport::config::Config;
use crate::transport::not_sent;

/// Where no proxy belongs: the metadata services of instances and containers.
const NEVER_PROXIED: &str = "169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254,fd00:ec2::23";

/// How connections are made: all that a client's options say about it.
#[derive(Debug, Clone)]
pub struct Ways {
    /// `None` where nothing says so.
    proxy: Option<ProxyConfig>,
    /// `None` for the system's certificates.
    trusted: Option<Vec<u8>>,
}

impl Ways {
    /// Reads the file of certificates, if one is named.
    pub fn find(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            proxy: proxy(config)?,
            trusted: ca_bundle(config).map(read_certificates).transpose()?,
        })
    }

    /// Keeps up to `kept` connections for further requests.
    fn connector(&self, settings: HttpConnectorSettings, tls: bool, kept: usize) -> SharedHttpConnector {
        let mut builder = Connector::builder()
            .connector_settings(settings)
            .pool_max_idle_per_host(kept);
        builder.set_proxy_config(self.proxy.clone());
        if !tls {
            return SharedHttpConnector::new(builder.build_http());
        }
        let mut context = TlsContext::builder();
        if let Some(certificates) = &self.trusted {
            context = context.with_trust_store(TrustStore::empty().with_pem_certificate(certificates.as_slice()));
        }
        let builder = builder
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.build().expect("nothing in a context can be wrong yet"));
        SharedHttpConnector::new(builder.build())
    }
}

/// Connections that are kept. Their tasks run on the runtime of the call that opened them, so they serve one runtime.
pub struct Links {
    ways: Ways,
    connect_timeout: Duration,
    /// While the first connections are made, a request may go over one that another gave back, and its own is finished
    /// in vain. It is kept only where it is not one too many.
    kept: usize,
    plain: OnceLock<SharedHttpConnector>,
    tls: OnceLock<SharedHttpConnector>,
}

impl Links {
    /// A connector with TLS is made at once, not with the first call: the system's certificates are read into a static
    /// then, and a fork in the middle of that would leave the child waiting for them for ever. Where the options or the
    /// environment name an endpoint without TLS no certificate is read at all.
    pub fn new(ways: Ways, connect_timeout: Duration, kept: usize, tls: bool) -> Self {
        let links = Self {
            ways,
            connect_timeout,
            kept,
            plain: OnceLock::new(),
            tls: OnceLock::new(),
        };
        links.to(tls);
        links
    }

    /// What connects to an endpoint with or without TLS.
    pub fn to(&self, tls: bool) -> &SharedHttpConnector {
        if let Some(both) = self.tls.get() {
            return both;
        }
        let made = if tls { &self.tls } else { &self.plain };
        made.get_or_init(|| {
            let mut settings = HttpConnectorSettings::builder();
            settings.set_connect_timeout(Some(self.connect_timeout));
            self.ways.connector(settings.build(), tls, self.kept)
        })
    }
}

/// As [`Links`], for the AWS runtime.
#[cfg(feature = "reference")]
pub fn kept(ways: &Ways, connect_timeout: Duration, read_timeout: Duration, tls: bool) -> SharedHttpClient {
    let mut settings = HttpConnectorSettings::builder();
    settings
        .set_connect_timeout(Some(connect_timeout))
        .set_read_timeout(Some(read_timeout));
    let kept = ways.connector(settings.build(), tls, usize::MAX);
    http_client_fn(move |_, _| kept.clone())
}

/// Opens a connection for each request, and so can be used from any runtime: for credentials, asked for once an hour.
pub fn fresh(ways: Ways) -> SharedHttpClient {
    http_client_fn(move |settings, _| {
        SharedHttpConnector::new(Fresh {
            ways: ways.clone(),
            settings: settings.clone(),
        })
    })
}

#[derive(Debug)]
struct Fresh {
    ways: Ways,
    settings: HttpConnectorSettings,
}

impl HttpConnector for Fresh {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // The metadata services have no TLS, so that they are asked without reading certificates.
        let tls = !request.uri().starts_with("http://");
        self.ways.connector(self.settings.clone(), tls, 0).call(request)
    }
}

/// Whether the endpoint will be one with TLS, as far as that is known before anything was looked up.
pub fn expects_tls(config: &Config) -> bool {
    let named = config.endpoint_url.clone().or_else(|| {
        ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]
            .iter()
            .find_map(|name| env::var(name).ok())
    });
    !named.is_some_and(|url| url.starts_with("http://"))
}

fn proxy(config: &Config) -> Result<Option<ProxyConfig>, Error> {
    const NAMES: &[&str] = &[
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let Some(url) = &config.proxy else {
        // Without this look every request would be matched against no proxies.
        let is_set = NAMES
            .iter()
            .any(|name| env::var_os(name).is_some_and(|url| !url.is_empty()));
        return Ok(is_set.then(ProxyConfig::from_env));
    };
    // The URL is not told, since it may hold a password.
    let proxy = ProxyConfig::all(url.as_str()).map_err(|_| {
        not_sent(
            TransportKind::Endpoint,
            "the proxy is not a URL; expected one like \"http://proxy.example.com:8080\"",
        )
    })?;
    Ok(Some(proxy.no_proxy(NEVER_PROXIED)))
}

fn ca_bundle(config: &Config) -> Option<PathBuf> {
    let named = || {
        env::var_os("AWS_CA_BUNDLE")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    config.ca_bundle.clone().or_else(named)
}

/// The file's bytes, once all its certificates were looked at: the connector would panic over one that cannot be read.
fn read_certificates(path: PathBuf) -> Result<Vec<u8>, Error> {
    let refused = |reason: String| {
        not_sent(
            TransportKind::Connect,
            format!(
                "the CA bundle {} cannot be used: {reason}; expected a file of certificates in PEM (ca_bundle, \
                 AWS_CA_BUNDLE)",
                path.display()
            ),
        )
    };
    let pem = std::fs::read(&path).map_err(|error| refused(error.to_string()))?;
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| refused(error.to_string()))?;
        webpki::anchor_from_trusted_cert(&certificate).map_err(|error| refused(error.to_string()))?;
        count += 1;
    }
    if count == 0 {
        return Err(refused("it holds no certificate".to_owned()));
    }
    Ok(pem)
}
