//! The SDK's clients on our transport, and its errors as ours.
//!
//! `adapter` carries the SDK's requests · `faults` says what an error means

mod adapter;
mod faults;
#[cfg(test)]
pub(crate) mod testing;

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::operation::RequestId as _;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use clusterctl_core::cloud::{CloudError, Fault};
use clusterctl_core::transport::{Transport, TransportError, TransportFailure};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub use faults::hint;
pub(crate) use faults::{is_missing, unless_missing};

/// How long an attempt may take until there is an answer; the retry policy above knows no other limit.
const ATTEMPT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(5);

/// What the user said about where to go and as whom; what is left out comes from AWS's own configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    pub region: Option<String>,
    /// Instead of AWS's own endpoints, for every service.
    pub endpoint: Option<String>,
    pub profile: Option<String>,
}

/// One client per service; all share the transport, the credentials and the region.
#[derive(Debug, Clone)]
pub struct Client {
    pub region: String,
    /// The endpoint for every service, where the settings or AWS's own configuration name one.
    pub endpoint: Option<String>,
    pub ec2: aws_sdk_ec2::Client,
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    pub asg: aws_sdk_autoscaling::Client,
    pub iam: aws_sdk_iam::Client,
    pub ssm: aws_sdk_ssm::Client,
    pub route53: aws_sdk_route53::Client,
    pub sts: aws_sdk_sts::Client,
    credentials: SharedCredentialsProvider,
    chance: Arc<Mutex<StdRng>>,
}

impl Client {
    /// Makes the clients, with AWS's own configuration for whatever `settings` leave out.
    ///
    /// Region, endpoints (`AWS_ENDPOINT_URL`, also per service) and credentials (environment, profile, SSO, web identity,
    /// process, container, instance) are found as the AWS command line finds them
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>), and all of it goes through
    /// `transport`. Credentials are fetched at the first call and kept.
    ///
    /// # Errors
    /// When there is no region.
    pub async fn new(transport: Arc<dyn Transport>, settings: Settings) -> Result<Self, CloudError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(adapter::Adapter(transport))
            .sleep_impl(TokioSleep::new())
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(timeouts());
        if let Ok(name) = AppName::new("clusterctl") {
            loader = loader.app_name(name);
        }
        if let Some(profile) = settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = settings.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(region) = settings.region {
            loader = loader.region(Region::new(region));
        }
        Self::of(&loader.load().await, rand::make_rng())
    }

    /// Makes the clients of a caller with these keys, without a look at AWS's own configuration; what is random comes from
    /// `seed`.
    ///
    /// # Errors
    /// When there is no region.
    pub fn with_keys(
        transport: Arc<dyn Transport>,
        region: Option<String>,
        (id, secret): (&str, &str),
        seed: u64,
    ) -> Result<Self, CloudError> {
        let keys = Credentials::new(id, secret, None, None, "given");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.map(Region::new))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(SharedHttpClient::new(adapter::Adapter(transport)))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(timeouts())
            .build();
        Self::of(&config, StdRng::seed_from_u64(seed))
    }

    fn of(config: &SdkConfig, chance: StdRng) -> Result<Self, CloudError> {
        let missing = |code, message| CloudError::new(Fault::Permanent, "aws:Configuration", code, message);
        let region = config.region().ok_or_else(|| missing("NoRegion", "no AWS region is given"))?;
        let credentials = config
            .credentials_provider()
            .ok_or_else(|| missing("NoCredentials", "AWS's own configuration gives no credentials"))?;
        Ok(Self {
            region: region.to_string(),
            endpoint: config.endpoint_url().map(str::to_owned),
            ec2: aws_sdk_ec2::Client::new(config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(config),
            asg: aws_sdk_autoscaling::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            ssm: aws_sdk_ssm::Client::new(config),
            route53: aws_sdk_route53::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            credentials,
            chance: Arc::new(Mutex::new(chance)),
        })
    }

    /// A token that no other request has: of what may be meant again later, such as going back to an earlier version, and
    /// must not be answered from memory then.
    pub(crate) fn fresh_token(&self) -> String {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{:032x}", chance.random::<u128>())
    }

    /// The credentials, for what speaks to AWS without an SDK client, such as the S3 store.
    #[must_use]
    pub fn credentials(&self) -> SharedCredentialsProvider {
        self.credentials.clone()
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build()
}

/// What an answer says went wrong. Not every endpoint, nor everything that stands before one, wraps its errors as the
/// service's model says; then the words are looked for.
fn told(code: Option<&str>, message: Option<&str>, answer: &HttpResponse) -> (Fault, String, String) {
    let status = answer.status().as_u16();
    let body = if code.is_none() { text(answer) } else { String::new() };
    let code = code.or_else(|| element(&body, "Code")).unwrap_or_default();
    let message = message.or_else(|| element(&body, "Message")).unwrap_or_default();
    let fault = match status {
        // Success that the SDK could not read, such as the page of a captive portal.
        ..400 => Fault::Ambiguous,
        _ => faults::classify(code, message, status),
    };
    match (code, message) {
        ("", "") => (fault, format!("HTTP {status}"), "the answer has no error in it".to_owned()),
        ("", message) => (fault, format!("HTTP {status}"), message.to_owned()),
        (code, message) => (fault, code.to_owned(), message.to_owned()),
    }
}

fn text(answer: &HttpResponse) -> String {
    String::from_utf8_lossy(answer.body().bytes().unwrap_or_default()).into_owned()
}

/// The text of the first element of that name.
fn element<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// Turns an SDK error into ours; `operation` is the call as IAM spells it, such as `ec2:CreateVpc`.
pub(crate) fn fail<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let (fault, code, message) = match error {
        SdkError::ServiceError(answer) => told(answer.err().code(), answer.err().message(), answer.raw()),
        SdkError::ResponseError(answer) if element(&text(answer.raw()), "Code").is_some() => {
            told(None, None, answer.raw())
        }
        // It may have been carried out: there is an answer, only not one that can be read.
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            let fault = faults::classify("", "", status.max(500));
            (fault, format!("HTTP {status}"), format!("the answer cannot be read: {}", root(error)))
        }
        SdkError::TimeoutError(_) => {
            (Fault::Ambiguous, "Timeout".to_owned(), format!("no answer within {} s", ATTEMPT.as_secs()))
        }
        SdkError::ConstructionFailure(_) => unsent(error, Fault::Permanent),
        SdkError::DispatchFailure(_) => unsent(error, Fault::Ambiguous),
        other => (Fault::Ambiguous, "Unknown".to_owned(), root(other)),
    };
    let mut failure = CloudError::new(fault, operation, &code, message);
    failure.request_id = error.request_id().or_else(|| error.meta().extra("aws_request_id")).map(Into::into);
    failure.retry_after = error.raw_response().and_then(retry_after);
    failure
}

/// An error that stands inside a successful answer, such as the reason why a NAT gateway has failed.
pub(crate) fn refused(operation: &str, code: &str, message: &str) -> CloudError {
    CloudError::new(faults::classify(code, message, 400), operation, code, message)
}

/// Tells what became of a request without an answer by what first went wrong.
fn unsent(error: &(dyn Error + 'static), otherwise: Fault) -> (Fault, String, String) {
    for cause in causes(error) {
        if let Some(error) = cause.downcast_ref::<TransportError>() {
            let (fault, code) = match error.kind {
                TransportFailure::Connect => (Fault::NotReady, "NoConnection"),
                TransportFailure::Timeout => (Fault::Ambiguous, "Timeout"),
                TransportFailure::Lost => (Fault::Ambiguous, "ConnectionLost"),
                TransportFailure::Other => (Fault::Permanent, "NotSent"),
            };
            return (fault, code.to_owned(), error.message.clone());
        }
        if let Some(error) = cause.downcast_ref::<CredentialsError>() {
            // The request waits for credentials unsigned: it was not sent.
            let fault = match error {
                CredentialsError::ProviderTimedOut(_) => Fault::NotReady,
                _ => Fault::Auth,
            };
            return (fault, "NoCredentials".to_owned(), root(error));
        }
    }
    (otherwise, "NotSent".to_owned(), root(error))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// The words of an error and its causes, outermost first.
fn root(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = causes(error).map(ToString::to_string).collect();
    words.dedup();
    words.join(": ")
}

/// `Retry-After` in seconds, or AWS's own header in milliseconds.
fn retry_after(answer: &HttpResponse) -> Option<Duration> {
    let number = |name| answer.headers().get(name).and_then(|text| text.trim().parse::<u64>().ok());
    number("x-amz-retry-after").map(Duration::from_millis).or_else(|| number("retry-after").map(Duration::from_secs))
}

#[cfg(test)]
mod tests {
    use super::testing::{Answer, Recorder, block_on};
    use super::*;

    fn describe(answer: Answer) -> CloudError {
        let (client, _) = Recorder::client([answer]);
        let result = block_on(client.ec2.describe_vpcs().send());
        fail("ec2:DescribeVpcs", &result.expect_err("a failure"))
    }

    #[test]
    fn an_answer_becomes_our_error_with_code_request_id_and_pause() {
        let body = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Slow down.</Message></Error>\
                    </Errors><RequestID>r-1</RequestID></Response>";
        let answer = Answer::new(503, body).header("x-amzn-requestid", "r-1").header("retry-after", "7");
        let error = describe(answer);
        assert_eq!((error.fault, error.code.as_str()), (Fault::Throttled, "RequestLimitExceeded"));
        assert_eq!(error.to_string(), "ec2:DescribeVpcs: RequestLimitExceeded: Slow down.");
        assert_eq!((error.request_id.as_deref(), error.retry_after), (Some("r-1"), Some(Duration::from_secs(7))));
    }

    #[test]
    fn an_error_in_another_wrapping_is_read_all_the_same() {
        let body = "<Odd><Code>UnauthorizedOperation</Code><Message>You may not.</Message></Odd>";
        let error = describe(Answer::new(403, body));
        assert_eq!(
            (error.fault, error.code.as_str(), error.message.as_str()),
            (Fault::Auth, "UnauthorizedOperation", "You may not.")
        );
    }

    #[test]
    fn an_answer_that_cannot_be_read_says_nothing_about_what_was_done() {
        assert_eq!(describe(Answer::new(200, "<html>captive portal")).fault, Fault::Ambiguous);
        assert_eq!(describe(Answer::new(502, "<html>bad gateway</html>")).fault, Fault::Ambiguous);
        assert_eq!(describe(Answer::new(502, "")).fault, Fault::Ambiguous);
    }

    #[test]
    fn a_page_is_no_success_where_success_has_no_words() {
        let delete = |body: &str| {
            let (client, _) = Recorder::client([Answer::new(200, body)]);
            block_on(client.ec2.delete_subnet().subnet_id("subnet-1").send()).map_err(|e| fail("ec2:DeleteSubnet", &e))
        };
        for page in ["<html><body>Sign in to the network</body></html>", "\n<!DOCTYPE HTML>\n<title>Proxy</title>"] {
            assert_eq!(delete(page).expect_err("a page").fault, Fault::Ambiguous);
        }
        assert!(delete("anything else").is_ok(), "what the SDK makes of it is why pages are refused");
    }

    #[test]
    fn only_a_connection_that_was_never_made_is_surely_not_carried_out() {
        let fault = |kind| describe(Answer::unanswered(kind)).fault;
        assert_eq!(fault(TransportFailure::Connect), Fault::NotReady);
        assert_eq!(fault(TransportFailure::Timeout), Fault::Ambiguous);
        assert_eq!(fault(TransportFailure::Lost), Fault::Ambiguous);
        assert_eq!(fault(TransportFailure::Other), Fault::Permanent);
    }

    #[test]
    fn a_failure_is_sent_once() {
        let (client, recorder) = Recorder::client([Answer::new(503, ""), Answer::new(503, "")]);
        assert!(block_on(client.ec2.describe_vpcs().send()).is_err());
        assert_eq!(recorder.actions(), ["DescribeVpcs"]);
    }

    #[test]
    fn without_credentials_nothing_is_sent() {
        let config = SdkConfig::builder()
            .region(Region::new("eu-central-1"))
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(Nobody))
            .build();
        let client = Client::of(&config, StdRng::seed_from_u64(1)).expect("a client");
        let error = block_on(client.ec2.describe_vpcs().send()).expect_err("no credentials");
        let error = fail("ec2:DescribeVpcs", &error);
        assert_eq!((error.fault, error.code.as_str()), (Fault::Auth, "NoCredentials"));
        assert!(hint(&error.code).is_some());
    }

    #[derive(Debug)]
    struct Nobody;

    impl aws_credential_types::provider::ProvideCredentials for Nobody {
        fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let none = CredentialsError::not_loaded("nobody is signed in");
            aws_credential_types::provider::future::ProvideCredentials::ready(Err(none))
        }
    }
}
