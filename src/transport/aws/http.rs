//! HTTP clients on rustls with ring, by the proxies of the environment.

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_types::timeout::TimeoutConfig;

/// Keeps its connections. Their tasks run on the runtime of the call that opened them, so it serves one runtime.
///
/// The connector is made at once, not with the first call: the system's certificates are read into a static then, and
/// a fork in the middle of that would leave the child waiting for them for ever.
pub fn pooled(timeouts: &TimeoutConfig) -> SharedHttpClient {
    let mut settings = HttpConnectorSettings::builder();
    settings
        .set_connect_timeout(timeouts.connect_timeout())
        .set_read_timeout(timeouts.read_timeout());
    let kept = connector(&settings.build());
    http_client_fn(move |_, _| kept.clone())
}

/// Opens a connection for each request, and so can be used from any runtime: for credentials, asked for once an hour.
pub fn fresh() -> SharedHttpClient {
    http_client_fn(|settings, _| connector(settings))
}

fn connector(settings: &HttpConnectorSettings) -> SharedHttpConnector {
    let builder = Connector::builder()
        .connector_settings(settings.clone())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    SharedHttpConnector::new(builder.build())
}
