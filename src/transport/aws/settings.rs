//! What the environment adds to a client's options: region, endpoint, retries, and who gives out credentials.

use std::borrow::Cow;

use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_sdk_dynamodb::config::endpoint::{Params, ParamsBuilder};
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;

use super::adaptive::Throttle;
use super::http::{self, Ways};
use crate::error::{Error, TransportKind};
use crate::transport::config::{Config, RetryMode};
use crate::transport::not_sent;

/// Everything that a call needs to know and that no renewal of credentials changes.
pub struct Settings {
    pub region: Region,
    /// The endpoint rules' parameters, but for the account.
    pub endpoint: Params,
    /// As messages name it.
    pub destination: String,
    pub profile: Option<String>,
    pub user_agent: String,
    pub max_attempts: u32,
    /// In adaptive mode only.
    pub throttle: Option<Throttle>,
}

/// Settings, and who gives out the credentials that go with them.
pub struct Found {
    pub settings: Settings,
    pub credentials: SharedCredentialsProvider,
}

pub async fn find(config: &Config, ways: &Ways) -> Result<Found, Error> {
    let given = given_credentials(config)?;
    let profile = load_profile(config).await;
    let retries = Retries::find(config, profile.as_ref())?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::fresh(ways.clone()))
        // For whoever gives out credentials. Left to itself the loader panics over AWS_RETRY_MODE=legacy.
        .retry_config(RetryConfig::standard());
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &config.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(credentials) = given {
        loader = loader.credentials_provider(credentials);
    }
    let found = loader.load().await;

    let region = found.region().cloned().ok_or_else(no_region)?;
    let endpoint_url = endpoint_url(&found);
    if let Some(url) = &endpoint_url {
        expect_url(url)?;
    }
    let destination = endpoint_url.clone().unwrap_or_else(|| format!("DynamoDB in {region}"));
    let endpoint = Params::builder()
        .region(region.to_string())
        .set_endpoint(endpoint_url)
        .set_use_fips(found.use_fips())
        .set_use_dual_stack(found.use_dual_stack())
        .account_id_endpoint_mode(
            found
                .account_id_endpoint_mode()
                .cloned()
                .unwrap_or_default()
                .to_string(),
        )
        .build()
        .map_err(|error| not_sent(TransportKind::Endpoint, format!("no endpoint can be found: {error}")))?;
    let credentials = credentials(config, &found, ways);
    Ok(Found {
        settings: Settings {
            region,
            endpoint,
            destination,
            profile: config.profile.clone(),
            user_agent: user_agent(&found),
            max_attempts: retries.attempts,
            throttle: (retries.mode == RetryMode::Adaptive).then(|| Throttle::new(0.0)),
        },
        credentials,
    })
}

impl Settings {
    /// The number of a try, as `amz-sdk-request` has it.
    pub fn numbered(&self, number: u32) -> String {
        format!("attempt={number}; max={}", self.max_attempts)
    }

    /// The endpoint rules' parameters for the credentials of this account, where it is known.
    pub fn endpoint_of(&self, account_id: Option<&str>) -> Params {
        let Some(account_id) = account_id else {
            return self.endpoint.clone();
        };
        let known = &self.endpoint;
        ParamsBuilder::default()
            .set_region(known.region().map(str::to_owned))
            .set_endpoint(known.endpoint().map(str::to_owned))
            .set_use_fips(known.use_fips())
            .set_use_dual_stack(known.use_dual_stack())
            .set_account_id_endpoint_mode(known.account_id_endpoint_mode().map(str::to_owned))
            .account_id(account_id)
            .build()
            .expect("they were built before, and an account's id may be anything")
    }
}

fn given_credentials(config: &Config) -> Result<Option<Credentials>, Error> {
    match (&config.access_key_id, &config.secret_access_key) {
        (Some(id), Some(secret)) => Ok(Some(Credentials::new(
            id,
            secret,
            config.session_token.clone(),
            None,
            "Client",
        ))),
        (None, None) if config.session_token.is_none() => Ok(None),
        _ => Err(not_sent(
            TransportKind::Credentials,
            "credentials are given in part: access_key_id and secret_access_key belong together, session_token goes \
             only with both",
        )),
    }
}

/// A profile that the caller names outranks the environment's keys, as it does in boto3; the chain would have it the
/// other way round.
fn credentials(config: &Config, found: &SdkConfig, ways: &Ways) -> SharedCredentialsProvider {
    let chain = found
        .credentials_provider()
        .expect("a chain of providers is the default");
    match &config.profile {
        Some(profile) if config.access_key_id.is_none() => {
            let provider_config = ProviderConfig::without_region()
                .with_region(found.region().cloned())
                .with_http_client(http::fresh(ways.clone()));
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&provider_config)
                .profile_name(profile);
            SharedCredentialsProvider::new(provider.build())
        }
        _ => chain,
    }
}

/// How often a request is tried, and whether throttling slows the client down.
struct Retries {
    attempts: u32,
    mode: RetryMode,
}

impl Retries {
    fn find(config: &Config, profile: Option<&ProfileSet>) -> Result<Self, Error> {
        let said = |variable: &str, key: &str| {
            let of_profile = || profile.and_then(|profile| profile.get(key)).map(str::to_owned);
            std::env::var(variable)
                .ok()
                .map(|value| (variable.to_owned(), value))
                .or_else(|| of_profile().map(|value| (format!("the profile's {key}"), value)))
        };
        let attempts = match (config.max_attempts, said("AWS_MAX_ATTEMPTS", "max_attempts")) {
            (Some(attempts), _) => attempts,
            (None, None) => Config::MAX_ATTEMPTS,
            (None, Some((place, value))) => {
                value
                    .trim()
                    .parse()
                    .ok()
                    .filter(|attempts| *attempts > 0)
                    .ok_or_else(|| {
                        let message = format!("{place} is {value:?}; expected a whole number from 1 on");
                        not_sent(TransportKind::Other, message)
                    })?
            }
        };
        let mode = match (config.retry_mode, said("AWS_RETRY_MODE", "retry_mode")) {
            (Some(mode), _) => mode,
            (None, None) => RetryMode::Standard,
            (None, Some((place, value))) => value.parse().map_err(|()| {
                let message = format!("{place} is {value:?}; expected \"standard\" or \"adaptive\"");
                not_sent(TransportKind::Other, message)
            })?,
        };
        Ok(Self { attempts, mode })
    }
}

/// The profile in the shared files; `None` as well where they cannot be read, which the search for credentials tells.
async fn load_profile(config: &Config) -> Option<ProfileSet> {
    let (fs, env) = (Fs::real(), Env::real());
    let named = config.profile.clone().map(Cow::Owned);
    aws_config::profile::load(&fs, &env, &EnvConfigFiles::default(), named)
        .await
        .ok()
}

/// What AWS's logs show, in the form that its tools share.
fn user_agent(found: &SdkConfig) -> String {
    let app = found.app_name().map(|name| format!(" app/{name}")).unwrap_or_default();
    format!(
        "oxidyn/{} ua/2.1 os/{} lang/rust md/arch#{}{app}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}

/// `AWS_ENDPOINT_URL_DYNAMODB` and the profile's `services` section come before `AWS_ENDPOINT_URL`.
fn endpoint_url(found: &SdkConfig) -> Option<String> {
    let given = found.endpoint_url().map(str::to_owned);
    if found.get_origin("endpoint_url").is_client_config() {
        return given;
    }
    let key = ServiceConfigKey::builder()
        .service_id("DynamoDB")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url");
    let key = key.build().expect("all parts of the key are set");
    found
        .service_config()
        .and_then(|services| services.load_config(key))
        .or(given)
}

fn expect_url(url: &str) -> Result<(), Error> {
    let place = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let authority = place.and_then(|place| place.split(['/', '?', '#']).next());
    if authority.is_some_and(|authority| authority.contains('@')) {
        // Not shown: messages tell where the endpoint is, and would tell the password.
        let message = "the endpoint's URL has a user or a password, which DynamoDB has no use for: leave them out";
        return Err(not_sent(TransportKind::Endpoint, message));
    }
    if place.is_some_and(|place| !place.is_empty() && !place.starts_with(['/', ':', '?', '#'])) {
        return Ok(());
    }
    Err(not_sent(
        TransportKind::Endpoint,
        format!("the endpoint {url:?} is not a URL; expected one like \"http://localhost:8000\""),
    ))
}

fn no_region() -> Error {
    not_sent(
        TransportKind::Region,
        "no AWS region is configured: set AWS_REGION, or `region` in the profile of ~/.aws/config, or pass it as \
         Client(region=\"eu-central-1\")",
    )
}
