//! HTTP clients on rustls with ring, by the proxies of the environment.

use std::sync::OnceLock;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// Keeps its connections. Their tasks run on the runtime of the call that opened them, so it serves one runtime. It is
/// asked for one connector only, since a client has one set of timeouts.
pub fn pooled() -> SharedHttpClient {
    let kept = OnceLock::new();
    http_client_fn(move |settings, components| kept.get_or_init(|| connector(settings, components)).clone())
}

/// Opens a connection for each request, and so can be used from any runtime: for credentials, asked for once an hour.
pub fn fresh() -> SharedHttpClient {
    http_client_fn(connector)
}

fn connector(settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
    let mut builder = Connector::builder()
        .connector_settings(settings.clone())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    builder.set_sleep_impl(components.sleep_impl());
    SharedHttpConnector::new(builder.build())
}
