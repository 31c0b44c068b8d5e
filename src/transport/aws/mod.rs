//! DynamoDB over HTTP: one generic operation of the AWS runtime, bytes in and bytes out.
//!
//! It brings what every AWS tool has: SigV4, an identity cache, endpoint rules, retries, timeouts, proxies. Measured
//! (DESIGN.md): 36 µs per put, where the typed client takes 80.

mod account;
mod failure;
mod http;
mod retry;

use std::sync::Arc;

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_sdk_dynamodb::config::endpoint::Params;
use aws_smithy_runtime::client::orchestrator::AuthSchemeAndEndpointOrchestrationV2;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use bytes::Bytes;
use tokio::sync::{OnceCell, Semaphore};

pub use self::account::Account;
use self::account::Settings;
use self::failure::{Refusal, explain, refusal};
use self::retry::{Repetition, RetryRules};
use super::effort::Effort;
use super::{Call, Reply, Transport};
use crate::error::Error;

type DynamoDb = Operation<Call, Reply, Refusal>;

/// Connections of an [`Account`]. They belong to the runtime that makes the calls.
pub struct Aws {
    account: Arc<Account>,
    http: SharedHttpClient,
    /// Bounds the connections: HTTP/1 carries one request at a time.
    places: Semaphore,
    operations: OnceCell<Operations>,
}

/// The same operation twice, as what may be sent again differs.
struct Operations {
    repeatable: DynamoDb,
    once: DynamoDb,
    settings: Arc<Settings>,
}

impl Aws {
    fn new(account: Arc<Account>) -> Self {
        Self {
            http: http::pooled(account.timeouts()),
            places: Semaphore::new(account.max_connections()),
            account,
            operations: OnceCell::new(),
        }
    }

    async fn operations(&self) -> Result<&Operations, Error> {
        self.operations
            .get_or_try_init(|| async {
                let settings = self.account.settings().await?;
                Ok(Operations {
                    repeatable: self.operation(&settings, Repetition::Harmless),
                    once: self.operation(&settings, Repetition::Harmful),
                    settings,
                })
            })
            .await
    }

    fn operation(&self, settings: &Settings, repetition: Repetition) -> DynamoDb {
        let mut config = Layer::new("oxidyn");
        config.store_put(AuthSchemeAndEndpointOrchestrationV2);
        config.store_put(AuthSchemeOptionResolverParams::new(()));
        config.store_put(SigningRegion::from(settings.region.clone()));
        config.store_put(SigningName::from_static("dynamodb"));
        config.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(settings.region.clone())),
            region_set: None,
            name: Some(SigningName::from_static("dynamodb")),
            signing_options: SigningOptions::default(),
        });

        // Each call gets its own from `EndpointOf`; a debug build of the runtime looks for some before that.
        config.store_put(EndpointResolverParams::new(settings.endpoint.clone()));

        let mut components = RuntimeComponentsBuilder::new("oxidyn");
        components
            .set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
            .push_auth_scheme(SigV4AuthScheme::new())
            .set_identity_cache(Some(settings.identities.clone()))
            .set_identity_resolver(SCHEME_ID, settings.credentials.clone())
            .set_endpoint_resolver(Some(self.account.endpoints().clone()))
            .push_interceptor(EndpointOf(settings.endpoint.clone()))
            .push_interceptor(RecursionDetectionInterceptor::new());

        Operation::builder()
            .service_name("DynamoDB")
            .operation_name("call")
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .standard_retry(&settings.retries)
            .retry_classifier(RetryRules(repetition))
            .timeout_config(self.account.timeouts().clone())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .with_connection_poisoning()
            .runtime_plugin(
                StaticRuntimePlugin::new()
                    .with_config(config.freeze())
                    .with_runtime_components(components),
            )
            .serializer(request)
            .deserializer(reply)
            .build()
    }
}

impl Transport for Aws {
    async fn call(&self, call: Call) -> Result<Reply, Error> {
        let operations = self.operations().await?;
        let _place = self.places.acquire().await.expect("the semaphore is never closed");
        let operation = match Repetition::of(&call) {
            Repetition::Harmless => &operations.repeatable,
            Repetition::Harmful => &operations.once,
        };
        operation
            .invoke(call)
            .await
            .map_err(|error| explain(error, &operations.settings))
    }
}

fn request(call: Call) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(call.body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/x-amz-json-1.0");
    headers.insert("x-amz-target", format!("DynamoDB_20120810.{}", call.operation));
    headers.insert("user-agent", concat!("oxidyn/", env!("CARGO_PKG_VERSION")));
    Ok(request)
}

fn reply(response: &HttpResponse) -> Result<Reply, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    // A page of the web answers 200 too.
    if !response.status().is_success() || body.first() != Some(&b'{') {
        return Err(OrchestratorError::operation(refusal(response, body)));
    }
    Ok(Reply {
        body: Bytes::copy_from_slice(body),
        request_id: failure::request_id(response),
        effort: Effort::default(),
    })
}

/// Gives each call the endpoint rules' parameters; the rules add the account's id, which the identity tells.
#[derive(Debug)]
struct EndpointOf(Params);

#[dyn_dispatch_hint]
impl Intercept for EndpointOf {
    fn name(&self) -> &'static str {
        "EndpointOf"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config
            .interceptor_state()
            .store_put(EndpointResolverParams::new(self.0.clone()));
        Ok(())
    }
}
