//! What an AWS error means, and what to do about it.
//!
//! The codes and their meaning follow these pages:
//! - EC2: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
//! - Elastic Load Balancing: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html>
//! - Auto Scaling: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html>
//! - IAM: <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>
//! - Systems Manager: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html>
//! - Route 53: <https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html>

use clusterctl_core::cloud::{CloudError, Fault};

/// Tells the fault of an answer.
///
/// The code decides before the status: EC2 reports missing capacity as a 500 and throttling as a 503. A server error
/// that no code explains is ambiguous, also when it says that nothing is available: the request may have been carried
/// out. What is not found is not there *yet*: ids are eventually consistent
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>), and where it means "gone",
/// [`is_missing`] says so.
pub(crate) fn classify(code: &str, message: &str, status: u16) -> Fault {
    if throttled(code) || status == 429 {
        Fault::Throttled
    } else if capacity(code, message) {
        Fault::Capacity
    } else if auth(code) {
        Fault::Auth
    } else if conflict(code, message) {
        Fault::Conflict
    } else if not_ready(code, message) {
        Fault::NotReady
    } else if quota(code) {
        Fault::Quota
    } else if status >= 500 || status == 408 || SERVER.contains(&code) {
        Fault::Ambiguous
    } else {
        Fault::Permanent
    }
}

fn throttled(code: &str) -> bool {
    matches!(
        code,
        "RequestLimitExceeded"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "EC2ThrottledException"
            | "TooManyRequestsException"
            | "BandwidthLimitExceeded"
            | "SlowDown"
            // Route 53 takes one change of a zone at a time.
            | "PriorRequestNotComplete"
            // SSM, for one parameter.
            | "TooManyUpdates"
    )
}

fn capacity(code: &str, message: &str) -> bool {
    match code {
        "SpotMaxPriceTooLow" | "UnfulfillableCapacity" | "ReservationCapacityExceeded" => true,
        // The same code also says that an instance type cannot do something at all.
        "Unsupported" => message.contains("Availability Zone"),
        // A full subnet is no lack of machines.
        "InsufficientFreeAddressesInSubnet" => false,
        _ => code.starts_with("Insufficient") && code.contains("Capacity"),
    }
}

fn auth(code: &str) -> bool {
    matches!(
        code,
        "AuthFailure"
            | "AuthFailure.ServiceLinkedRoleCreationNotPermitted"
            | "UnauthorizedOperation"
            | "AccessDenied"
            | "AccessDeniedException"
            | "NotAuthorized"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "RequestTimeTooSkewed"
            | "OptInRequired"
            | "UnrecognizedClientException"
            | "PendingVerification"
            | "Blocked"
    )
}

fn conflict(code: &str, message: &str) -> bool {
    match code {
        // The same token with other arguments, or a token whose instance is already gone.
        "IdempotentParameterMismatch" | "IdempotentInstanceTerminated" => true,
        "Resource.AlreadyAssociated" | "ConflictingDomainExists" => true,
        "InvalidChangeBatch" => message.contains("already exists"),
        _ => {
            code.starts_with("Duplicate")
                || code.ends_with(".Duplicate")
                || code.ends_with(".Conflict")
                || code.contains("AlreadyExist")
        }
    }
}

fn not_ready(code: &str, message: &str) -> bool {
    match code {
        // Images and snapshots are not made by us: these will not appear.
        "InvalidAMIID.NotFound" | "InvalidSnapshot.NotFound" => false,
        "IncorrectState"
        | "IncorrectInstanceState"
        | "IncorrectModificationState"
        | "InvalidState"
        | "DependencyViolation"
        | "VolumeInUse"
        | "ResourceInUse"
        | "ResourceInUseException"
        | "ResourceContention"
        | "ScalingActivityInProgress"
        | "OperationInProgress"
        | "DeleteConflict"
        | "EntityTemporarilyUnmodifiable"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "ConcurrentTagAccess"
        | "HostedZoneNotEmpty"
        | "Gateway.NotAttached"
        | "RouteTableNotFound"
        | "NoSuchEntity"
        | "NoSuchHostedZone"
        // A group or network that EC2 has just made, asked for by another service.
        | "InvalidSecurityGroup"
        | "InvalidVPCId" => true,
        // A role or profile is known to EC2 and Auto Scaling seconds after IAM has made it.
        "InvalidParameterValue" | "ValidationError" if profile(message) => true,
        // Most ids have a code of their own for this.
        "InvalidParameterValue" => message.starts_with("The ID '") && absent(message),
        "MalformedPolicyDocument" => message.contains("Invalid principal"),
        // Auto Scaling checks subnets, groups and templates with EC2 and gives them no code of their own.
        "ValidationError" => absent(message) && !message.contains("image"),
        _ => code.ends_with("NotFound") || code.ends_with("NotFoundException") || code.ends_with(".InUse"),
    }
}

fn profile(message: &str) -> bool {
    let message = message.to_ascii_lowercase().replace(' ', "");
    message.contains("iaminstanceprofile")
}

fn absent(message: &str) -> bool {
    message.contains("does not exist") || message.contains("not found")
}

fn quota(code: &str) -> bool {
    match code {
        // Too many filters in one request: the request is wrong.
        "FilterLimitExceeded" => false,
        "MaxSpotInstanceCountExceeded" | "LimitsExceeded" | "ResourceCountExceeded" => true,
        _ => {
            code.ends_with("LimitExceeded")
                || code.ends_with("LimitExceededException")
                || code.ends_with("QuotaExceeded")
                || code.ends_with("QuotaExceededException")
                || code.starts_with("TooMany")
        }
    }
}

const SERVER: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "ServerInternal",
    "ServiceFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Unavailable",
    "RequestTimeout",
    "RequestTimeoutException",
];

/// Whether the error says that what was asked for does not exist: for a deletion this is success.
pub(crate) fn is_missing(error: &CloudError) -> bool {
    match error.code.as_str() {
        "NoSuchEntity" | "NoSuchHostedZone" | "Gateway.NotAttached" | "InvalidAllocationID.NotFound" => true,
        "InvalidChangeBatch" => error.message.contains("but it was not found"),
        "ValidationError" => error.message.contains("not found"),
        code => code.ends_with("NotFound") || code.ends_with("NotFoundException"),
    }
}

/// Makes a deletion of what is already gone a success.
pub(crate) fn unless_missing(result: Result<(), CloudError>) -> Result<(), CloudError> {
    match result {
        Err(error) if is_missing(&error) => Ok(()),
        other => other,
    }
}

/// What to do about an error, for the commonest codes.
#[must_use]
pub fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "NoCredentials" => {
            "sign in with `aws sso login` or `aws configure`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY"
        }
        "NoRegion" => "set spec.region in the cluster file, or AWS_REGION, or a region in the AWS profile",
        "ExpiredToken" | "ExpiredTokenException" => "the session has ended: sign in again, then run the same command",
        "RequestExpired" | "RequestTimeTooSkewed" => "the clock of this machine is off: correct it",
        "AuthFailure" | "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException" => {
            "AWS does not know this access key: check AWS_PROFILE and that the region is enabled for the account"
        }
        "SignatureDoesNotMatch" => "the secret key does not belong to the access key",
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => {
            "`clusterctl iam policy` prints what the caller must be allowed to do"
        }
        "OptInRequired" => "the account has not enabled this service, region or image: enable it in the AWS console",
        "PendingVerification" | "Blocked" => "AWS is holding this account back: contact AWS Support",
        "VpcLimitExceeded" => "Service Quotas, Amazon VPC: `VPCs per Region`; or use an existing network",
        "InternetGatewayLimitExceeded" => "Service Quotas, Amazon VPC: `Internet gateways per Region`",
        "NatGatewayLimitExceeded" => {
            "Service Quotas, Amazon VPC: `NAT gateways per Availability Zone`; or `egress: shared`"
        }
        "AddressLimitExceeded" => "Service Quotas, Amazon EC2: `EC2-VPC Elastic IPs`; or `egress: shared`",
        "SubnetLimitExceeded" => "Service Quotas, Amazon VPC: `Subnets per VPC`",
        "RouteTableLimitExceeded" => "Service Quotas, Amazon VPC: `Route tables per VPC`",
        "RouteLimitExceeded" => "Service Quotas, Amazon VPC: `Routes per route table`; or `pods.mode: overlay`",
        "VpcEndpointLimitExceeded" => "Service Quotas, Amazon VPC: `Gateway VPC endpoints per Region`",
        "SecurityGroupLimitExceeded" => "Service Quotas, Amazon VPC: `VPC security groups per Region`",
        "RulesPerSecurityGroupLimitExceeded" => {
            "Service Quotas, Amazon VPC: `Inbound or outbound rules per security group`; or fewer ranges in `from`"
        }
        "NetworkInterfaceLimitExceeded" => "Service Quotas, Amazon VPC: `Network interfaces per Region`",
        "InstanceLimitExceeded" | "VcpuLimitExceeded" => {
            "Service Quotas, Amazon EC2: `Running On-Demand ... instances`, counted in vCPUs for each family of types"
        }
        "MaxSpotInstanceCountExceeded" => {
            "Service Quotas, Amazon EC2: `All ... Spot Instance Requests`, counted in vCPUs for each family of types"
        }
        "VolumeLimitExceeded" => "Service Quotas, Amazon EBS: `Storage for General Purpose SSD (gp3) volumes`",
        "TooManyLoadBalancers" => "Service Quotas, Elastic Load Balancing: `Network Load Balancers per Region`",
        "TooManyTargetGroups" => "Service Quotas, Elastic Load Balancing: `Target Groups per Region`",
        "TooManyTargets" => "Service Quotas, Elastic Load Balancing: `Targets per Network Load Balancer`",
        "LimitExceeded" | "LimitExceededException" | "ResourceLimitExceeded" => {
            "ask for more on the service's page of Service Quotas in the AWS console"
        }
        "InsufficientInstanceCapacity" | "UnfulfillableCapacity" | "Unsupported" => {
            "AWS has no such machine there just now: give more zones, another type, or a ladder such as \
             `capacity: [spot, on-demand]`"
        }
        "InsufficientFreeAddressesInSubnet" => "the subnet is full: use a larger `network.cidr`",
        "IdempotentParameterMismatch" => "an earlier attempt asked for something else: run the same command again",
        "DependencyViolation" => "something that clusterctl did not make still uses it: the message names it",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_the_fault() {
        let table = [
            (Fault::Throttled, 503, "RequestLimitExceeded", ""),
            (Fault::Throttled, 400, "Throttling", "Rate exceeded"),
            (Fault::Throttled, 400, "TooManyRequestsException", ""),
            (Fault::Throttled, 400, "PriorRequestNotComplete", ""),
            (Fault::Throttled, 429, "", ""),
            (Fault::Capacity, 500, "InsufficientInstanceCapacity", ""),
            (Fault::Capacity, 400, "InsufficientReservedInstanceCapacity", ""),
            (Fault::Capacity, 400, "Unsupported", "not supported in your requested Availability Zone (us-east-1e)."),
            (Fault::Capacity, 400, "SpotMaxPriceTooLow", ""),
            (Fault::Permanent, 400, "Unsupported", "The instance type does not support EFA"),
            (Fault::Permanent, 400, "InsufficientFreeAddressesInSubnet", ""),
            (Fault::Auth, 401, "AuthFailure", ""),
            (Fault::Auth, 403, "UnauthorizedOperation", ""),
            (Fault::Auth, 403, "AccessDenied", ""),
            (Fault::Auth, 403, "ExpiredToken", ""),
            (Fault::Auth, 403, "OptInRequired", ""),
            (Fault::Quota, 400, "VpcLimitExceeded", ""),
            (Fault::Quota, 400, "RulesPerSecurityGroupLimitExceeded", ""),
            (Fault::Quota, 400, "TooManyLoadBalancers", ""),
            (Fault::Quota, 400, "MaxSpotInstanceCountExceeded", ""),
            (Fault::Quota, 409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"),
            (Fault::Permanent, 400, "FilterLimitExceeded", ""),
            (Fault::NotReady, 400, "InvalidSubnetID.NotFound", ""),
            (Fault::NotReady, 400, "NatGatewayNotFound", ""),
            (Fault::NotReady, 404, "NoSuchEntity", ""),
            (Fault::NotReady, 400, "DependencyViolation", ""),
            (Fault::NotReady, 400, "InvalidIPAddress.InUse", ""),
            (Fault::NotReady, 409, "DeleteConflict", ""),
            (
                Fault::NotReady,
                400,
                "InvalidParameterValue",
                "Value (x) for parameter iamInstanceProfile.name is invalid",
            ),
            (Fault::NotReady, 400, "ValidationError", "You must use a valid IAM Instance Profile"),
            (Fault::NotReady, 400, "ValidationError", "The subnet ID 'subnet-1' does not exist"),
            (Fault::Permanent, 400, "ValidationError", "The image id '[ami-1]' does not exist"),
            (Fault::Permanent, 400, "InvalidAMIID.NotFound", ""),
            (Fault::Permanent, 400, "InvalidParameterValue", "Value (x) for parameter y is invalid"),
            (Fault::NotReady, 400, "InvalidParameterValue", "The ID 'igw-1' does not exist"),
            (Fault::Conflict, 400, "InvalidGroup.Duplicate", ""),
            (Fault::Conflict, 409, "EntityAlreadyExists", ""),
            (Fault::Conflict, 400, "InvalidLaunchTemplateName.AlreadyExistsException", ""),
            (Fault::Conflict, 400, "DuplicateLoadBalancerName", ""),
            (Fault::Conflict, 400, "InvalidSubnet.Conflict", ""),
            (Fault::Conflict, 400, "IdempotentParameterMismatch", ""),
            (Fault::Conflict, 400, "InvalidChangeBatch", "[Tried to create a.b. but it already exists]"),
            (Fault::Ambiguous, 500, "InternalError", ""),
            (Fault::Ambiguous, 503, "Unavailable", ""),
            (Fault::Ambiguous, 502, "", "<html>Bad gateway</html>"),
            (Fault::Permanent, 400, "UnknownParameter", ""),
            (Fault::Permanent, 404, "", ""),
        ];
        for (fault, status, code, message) in table {
            assert_eq!(classify(code, message, status), fault, "{status} {code} {message}");
        }
    }

    #[test]
    fn what_is_gone_need_not_be_deleted() {
        let error = |code: &str, message: &str| CloudError::new(classify(code, message, 400), "ec2:X", code, message);
        for (code, message) in [
            ("InvalidVpcID.NotFound", ""),
            ("NatGatewayNotFound", ""),
            ("Gateway.NotAttached", ""),
            ("NoSuchEntity", ""),
            ("InvalidChangeBatch", "[Tried to delete resource record set a.b. but it was not found]"),
            ("ValidationError", "AutoScalingGroup name not found - no such group: x"),
        ] {
            assert_eq!(unless_missing(Err(error(code, message))), Ok(()), "{code}");
        }
        for code in ["DependencyViolation", "UnauthorizedOperation", "InternalError"] {
            assert_eq!(unless_missing(Err(error(code, ""))), Err(error(code, "")));
        }
    }

    #[test]
    fn the_commonest_errors_say_what_to_do() {
        for code in ["VpcLimitExceeded", "InsufficientInstanceCapacity", "UnauthorizedOperation", "NoCredentials"] {
            assert!(hint(code).is_some(), "{code}");
        }
        assert_eq!(hint("InvalidParameterValue"), None);
    }
}
