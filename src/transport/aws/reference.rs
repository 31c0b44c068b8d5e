//! The generic operation of the AWS runtime, bytes in and bytes out: what the pipeline is held against by tests.
//!
//! It has the AWS crates' own SigV4, identity cache, retries and timeouts, with the pipeline's settings, words and rules of
//! what may be sent again.

use std::sync::Arc;
use std::time::Duration;

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, ResolveEndpoint};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::AuthSchemeAndEndpointOrchestrationV2;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use bytes::Bytes;
use tokio::sync::OnceCell;

use super::account::Account;
use super::budget::{Trouble, Waits};
use super::failure::{Fault, Refusal, Refused, connect_failure, refusal, request_id};
use super::grant::Grant;
use super::http;
use super::retry::{Repetition, judge_refusal};
use crate::error::Error;
use crate::transport::effort::Effort;
use crate::transport::{Call, Reply, Transport};

type DynamoDb = Operation<Call, Reply, Refusal>;

/// Connections of an account, as the AWS runtime uses them.
pub struct Reference {
    account: Arc<Account>,
    operations: OnceCell<Operations>,
}

/// The same operation twice, as what may be sent again differs.
struct Operations {
    repeatable: DynamoDb,
    once: DynamoDb,
    grant: Arc<Grant>,
}

impl Reference {
    #[must_use]
    pub fn new(account: Arc<Account>) -> Self {
        Self {
            account,
            operations: OnceCell::new(),
        }
    }

    async fn operations(&self) -> Result<&Operations, Error> {
        self.operations
            .get_or_try_init(|| async {
                let grant = self.account.grant(None).await?;
                Ok(Operations {
                    repeatable: self.operation(&grant, Repetition::Harmless)?,
                    once: self.operation(&grant, Repetition::Harmful)?,
                    grant,
                })
            })
            .await
    }

    fn operation(&self, grant: &Grant, repetition: Repetition) -> Result<DynamoDb, Error> {
        let settings = &grant.settings;
        let region = SigningRegion::from(settings.region.clone());
        let mut config = Layer::new("oxidyn");
        config.store_put(AuthSchemeAndEndpointOrchestrationV2);
        config.store_put(AuthSchemeOptionResolverParams::new(()));
        config.store_put(region.clone());
        config.store_put(SigningName::from_static("dynamodb"));
        config.store_put(SigV4OperationSigningConfig {
            region: Some(region),
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
            .set_identity_cache(Some(IdentityCache::lazy().build()))
            .set_identity_resolver(SCHEME_ID, grant.provider.clone())
            .set_endpoint_resolver(Some(DefaultResolver::new().into_shared_resolver()))
            .push_interceptor(EndpointOf(settings.endpoint.clone()));

        let timeouts = &self.account.timeouts;
        let mut retries = RetryConfig::standard()
            .with_max_attempts(settings.max_attempts)
            .with_initial_backoff(Waits::DYNAMODB.passing);
        retries = retries.with_max_backoff(Duration::from_secs(20));
        Ok(Operation::builder()
            .service_name("DynamoDB")
            .operation_name("call")
            .behavior_version(BehaviorVersion::latest())
            .http_client(http::kept(
                self.account.ways()?,
                timeouts.connect,
                timeouts.head,
                grant.tls,
            ))
            .standard_retry(&retries)
            .retry_classifier(RetryRules(repetition))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(timeouts.connect)
                    .read_timeout(timeouts.head)
                    .operation_attempt_timeout(timeouts.whole)
                    .build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .with_connection_poisoning()
            .runtime_plugin(
                StaticRuntimePlugin::new()
                    .with_config(config.freeze())
                    .with_runtime_components(components),
            )
            .serializer(request)
            .deserializer(reply)
            .build())
    }
}

impl Transport for Reference {
    async fn call(&self, call: Call) -> Result<Reply, Error> {
        let operations = self.operations().await?;
        let operation = match Repetition::of(&call) {
            Repetition::Harmless => &operations.repeatable,
            Repetition::Harmful => &operations.once,
        };
        let timeouts = &self.account.timeouts;
        operation
            .invoke(call)
            .await
            .map_err(|error| fault(error, timeouts.whole).explain(&operations.grant.settings))
    }
}

fn request(call: Call) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(call.body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/x-amz-json-1.0");
    headers.insert("x-amz-target", format!("DynamoDB_20120810.{}", call.operation));
    headers.insert("user-agent", "oxidyn/reference");
    Ok(request)
}

fn reply(response: &HttpResponse) -> Result<Reply, OrchestratorError<Refusal>> {
    let body = Bytes::copy_from_slice(response.body().bytes().unwrap_or_default());
    if !response.status().is_success() || body.first() != Some(&b'{') {
        return Err(OrchestratorError::operation(refusal(response, body).refusal));
    }
    Ok(Reply {
        body,
        request_id: request_id(response),
        effort: Effort::default(),
    })
}

/// In the pipeline's terms, so that both are told in the same words.
fn fault(error: SdkError<Refusal, HttpResponse>, limit: Duration) -> Fault {
    match error {
        SdkError::ServiceError(answer) => Fault::Refused(Box::new(Refused {
            refusal: answer.into_err(),
            asked_wait: None,
            clock_was_wrong: false,
        })),
        SdkError::TimeoutError(_) => Fault::Late {
            connected: true,
            after: limit,
        },
        error => match error.into_source().map(|error| error.downcast::<ConnectorError>()) {
            Ok(Ok(error)) => Fault::Lost(*error),
            Ok(Err(error)) => Fault::Broken(error),
            Err(error) => Fault::Broken(error.to_string().into()),
        },
    }
}

/// The pipeline's rules, as the runtime asks for them.
#[derive(Debug)]
struct RetryRules(Repetition);

impl ClassifyRetry for RetryRules {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let refusal = error
            .as_operation_error()
            .and_then(|error| error.downcast_ref::<Refusal>());
        if let Some(refusal) = refusal {
            return match judge_refusal(refusal, || self.0 == Repetition::Harmless) {
                Some(Trouble::Throttling) => RetryAction::throttling_error(),
                Some(Trouble::Passing) => RetryAction::transient_error(),
                None => RetryAction::NoActionIndicated,
            };
        }
        let connector = error.as_connector_error();
        let is_lost =
            error.is_timeout_error() || error.is_response_error() || connector.is_some_and(|error| !error.is_user());
        let may_repeat =
            self.0 == Repetition::Harmless || connector.is_some_and(|error| connect_failure(error).is_some());
        if is_lost && may_repeat {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "DynamoDB"
    }
}

/// Gives each call the endpoint rules' parameters; the rules add the account's id, which the identity tells.
#[derive(Debug)]
struct EndpointOf(aws_sdk_dynamodb::config::endpoint::Params);

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
