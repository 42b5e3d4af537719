//! Target groups, and the addresses registered in them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetDescription, TargetGroup as SdkGroup, TargetGroupAttribute, TargetHealthDescription,
    TargetHealthReasonEnum, TargetHealthStateEnum, TargetTypeEnum,
};
use clusterctl_core::cloud::{Call, CloudError, Driver, Live};
use clusterctl_core::value::Input;

use super::{or_none, retag, sdk_tags, tags_of};
use crate::client::{Client, fail, is_missing, unless_missing};
use crate::drivers::adopt::{Read, adopt, empty_answer, given, is_ours, observed, read, updated};
use crate::resources::load_balancer::{HealthCheck, TargetGroup, TargetGroupAttachment};

const PRESERVE_CLIENT_IP: &str = "preserve_client_ip.enabled";
const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";
const CONNECTION_TERMINATION: &str = "deregistration_delay.connection_termination.enabled";
const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";

/// The arguments that are attributes for AWS.
const ATTRIBUTES: [&str; 4] =
    ["preserve_client_ip", "deregistration_delay", "connection_termination", "load_balancing_cross_zone_enabled"];

/// A target group as it is.
pub(crate) fn live_group(group: &SdkGroup, attributes: &[TargetGroupAttribute], tags: &Read) -> Live {
    let arn = group.target_group_arn().unwrap_or_default();
    let attributes: BTreeMap<&str, &str> = attributes.iter().filter_map(|a| Some((a.key()?, a.value()?))).collect();
    let attribute = |key: &str| attributes.get(key).copied().unwrap_or_default().to_owned();
    let text = |protocol: Option<&ProtocolEnum>| protocol.map(|p| p.as_str().to_owned()).unwrap_or_default();
    let args = TargetGroup {
        name: group.target_group_name().unwrap_or_default().to_owned(),
        port: group.port().unwrap_or_default(),
        protocol: text(group.protocol()),
        target_type: group.target_type().map(|t| t.as_str().to_owned()).unwrap_or_default(),
        vpc_id: Input::known(group.vpc_id().unwrap_or_default()),
        preserve_client_ip: attribute(PRESERVE_CLIENT_IP),
        deregistration_delay: attribute(DEREGISTRATION_DELAY),
        connection_termination: attribute(CONNECTION_TERMINATION) == "true",
        load_balancing_cross_zone_enabled: attribute(CROSS_ZONE),
        health_check: HealthCheck {
            protocol: text(group.health_check_protocol()),
            port: group.health_check_port().unwrap_or_default().to_owned(),
            path: group.health_check_path().map(str::to_owned),
            matcher: group.matcher().and_then(|m| m.http_code()).map(str::to_owned),
            interval: group.health_check_interval_seconds().unwrap_or_default(),
            timeout: group.health_check_timeout_seconds().unwrap_or_default(),
            healthy_threshold: group.healthy_threshold_count().unwrap_or_default(),
            unhealthy_threshold: group.unhealthy_threshold_count().unwrap_or_default(),
        },
        tags: given(tags),
    };
    updated(&Live::new(arn).with("arn", arn), &args)
}

pub(crate) async fn attributes(client: &Client, arn: &str) -> Result<Vec<TargetGroupAttribute>, CloudError> {
    let answer = client.elb.describe_target_group_attributes().target_group_arn(arn).send().await;
    let answer = answer.map_err(|e| fail("elasticloadbalancing:DescribeTargetGroupAttributes", &e))?;
    Ok(answer.attributes.unwrap_or_default())
}

fn wanted_attributes(want: &TargetGroup) -> Vec<TargetGroupAttribute> {
    [
        (PRESERVE_CLIENT_IP, want.preserve_client_ip.clone()),
        (DEREGISTRATION_DELAY, want.deregistration_delay.clone()),
        (CONNECTION_TERMINATION, want.connection_termination.to_string()),
        (CROSS_ZONE, want.load_balancing_cross_zone_enabled.clone()),
    ]
    .into_iter()
    .map(|(key, value)| TargetGroupAttribute::builder().key(key).value(value).build())
    .collect()
}

fn matcher(check: &HealthCheck) -> Option<Matcher> {
    check.matcher.as_ref().map(|codes| Matcher::builder().http_code(codes).build())
}

#[derive(Debug, Clone)]
pub(super) struct GroupDriver(pub(super) Client);

impl GroupDriver {
    async fn set_attributes(&self, arn: &str, want: &TargetGroup) -> Result<(), CloudError> {
        let request = self.0.elb.modify_target_group_attributes().target_group_arn(arn);
        let result = request.set_attributes(Some(wanted_attributes(want))).send().await;
        result.map(drop).map_err(|e| fail("elasticloadbalancing:ModifyTargetGroupAttributes", &e))
    }
}

#[async_trait]
impl Driver for GroupDriver {
    type Resource = TargetGroup;

    /// Makes the group, then sets its attributes; cut short in between, the plan sees that they differ.
    async fn create(&self, call: &Call, want: TargetGroup) -> Result<Live, CloudError> {
        let operation = "elasticloadbalancing:CreateTargetGroup";
        let check = &want.health_check;
        let request = self
            .0
            .elb
            .create_target_group()
            .name(&want.name)
            .port(want.port)
            .protocol(ProtocolEnum::from(want.protocol.as_str()))
            .target_type(TargetTypeEnum::from(want.target_type.as_str()))
            .set_vpc_id(want.vpc_id.value().map(str::to_owned))
            .health_check_protocol(ProtocolEnum::from(check.protocol.as_str()))
            .health_check_port(&check.port)
            .set_health_check_path(check.path.clone())
            .set_matcher(matcher(check))
            .health_check_interval_seconds(check.interval)
            .health_check_timeout_seconds(check.timeout)
            .healthy_threshold_count(check.healthy_threshold)
            .unhealthy_threshold_count(check.unhealthy_threshold)
            .set_tags(Some(sdk_tags(&want.tags)));
        match request.send().await.map_err(|e| fail(operation, &e)) {
            Ok(answer) => {
                let group = answer.target_groups().first().ok_or_else(|| empty_answer(operation))?;
                self.set_attributes(group.target_group_arn().unwrap_or_default(), &want).await?;
                Ok(live_group(group, &wanted_attributes(&want), &read(&want.tags)))
            }
            Err(error) if error.code == "DuplicateTargetGroupName" => {
                let name = want.name.clone();
                adopt(self, call, want, &name, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: TargetGroup,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if changed.iter().any(|argument| argument == "health_check") {
            let check = &want.health_check;
            let request = self
                .0
                .elb
                .modify_target_group()
                .target_group_arn(&live.id)
                .health_check_protocol(ProtocolEnum::from(check.protocol.as_str()))
                .health_check_port(&check.port)
                .set_health_check_path(check.path.clone())
                .set_matcher(matcher(check))
                .health_check_interval_seconds(check.interval)
                .health_check_timeout_seconds(check.timeout)
                .healthy_threshold_count(check.healthy_threshold)
                .unhealthy_threshold_count(check.unhealthy_threshold);
            request.send().await.map_err(|e| fail("elasticloadbalancing:ModifyTargetGroup", &e))?;
        }
        if changed.iter().any(|argument| ATTRIBUTES.contains(&argument.as_str())) {
            self.set_attributes(&live.id, &want).await?;
        }
        if changed.iter().any(|argument| argument == "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let result = self.0.elb.delete_target_group().target_group_arn(&live.id).send().await;
        unless_missing(result.map(drop).map_err(|e| fail("elasticloadbalancing:DeleteTargetGroup", &e)))
    }

    async fn find(&self, call: &Call, want: TargetGroup) -> Result<Vec<Live>, CloudError> {
        let answer = self.0.elb.describe_target_groups().names(&want.name).send().await;
        let answer = answer.map_err(|e| fail("elasticloadbalancing:DescribeTargetGroups", &e));
        let groups = or_none(answer.map(|answer| answer.target_groups.unwrap_or_default()))?;
        let Some(group) = groups.first() else { return Ok(Vec::new()) };
        let arn = group.target_group_arn().unwrap_or_default().to_owned();
        let tags = tags_of(&self.0, std::slice::from_ref(&arn)).await?;
        let Some(tags) = tags.get(&arn).filter(|tags| is_ours(tags, call)) else { return Ok(Vec::new()) };
        Ok(vec![live_group(group, &attributes(&self.0, &arn).await?, tags)])
    }
}

/// An address that is registered in a target group, and how the load balancer finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The target group's ARN.
    pub group: String,
    /// The address, or the id of an instance.
    pub id: String,
    pub port: i32,
    /// In AWS's words: `initial`, `healthy`, `unhealthy`, `draining`, ...
    pub state: String,
    /// Why it is not healthy, in AWS's words.
    pub reason: Option<String>,
}

impl Target {
    fn of(group: &str, health: &TargetHealthDescription) -> Option<Self> {
        let target = health.target()?;
        let found = health.target_health();
        // Asked for by name, a target that was never registered is told as unused.
        let state = found.and_then(|h| h.state())?;
        if found.and_then(|h| h.reason()) == Some(&TargetHealthReasonEnum::NotRegistered) {
            return None;
        }
        Some(Self {
            group: group.to_owned(),
            id: target.id()?.to_owned(),
            port: target.port().unwrap_or_default(),
            state: state.as_str().to_owned(),
            reason: found.and_then(|h| h.description()).map(str::to_owned),
        })
    }

    /// Whether it is on its way out.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.state == TargetHealthStateEnum::Draining.as_str()
    }

    /// Its health in one line.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{} ({reason})", self.state),
            None => self.state.clone(),
        }
    }
}

/// Reads what is registered in a target group and how it fares.
///
/// # Errors
/// When AWS does not answer, or does not know the target group.
pub async fn health(client: &Client, group: &str) -> Result<Vec<Target>, CloudError> {
    targets(client, group, None).await
}

async fn targets(client: &Client, group: &str, only: Option<TargetDescription>) -> Result<Vec<Target>, CloudError> {
    let request = client.elb.describe_target_health().target_group_arn(group);
    let answer = request.set_targets(only.map(|target| vec![target])).send().await;
    let answer = answer.map_err(|e| fail("elasticloadbalancing:DescribeTargetHealth", &e))?;
    Ok(answer.target_health_descriptions().iter().filter_map(|found| Target::of(group, found)).collect())
}

/// A registered target as it is.
pub(crate) fn live_attachment(target: &Target) -> Live {
    let args = TargetGroupAttachment {
        target_group_arn: Input::known(target.group.clone()),
        target_id: Input::known(target.id.clone()),
        port: target.port,
    };
    let id = format!("{}_{}_{}", target.group, target.id, target.port);
    updated(&Live::new(id).with("target_id", target.id.clone()), &args)
}

#[derive(Debug, Clone)]
pub(super) struct AttachmentDriver(pub(super) Client);

fn description(want: &TargetGroupAttachment) -> TargetDescription {
    TargetDescription::builder().id(want.target_id.value().unwrap_or_default()).port(want.port).build()
}

#[async_trait]
impl Driver for AttachmentDriver {
    type Resource = TargetGroupAttachment;

    async fn create(&self, _call: &Call, want: TargetGroupAttachment) -> Result<Live, CloudError> {
        let group = want.target_group_arn.value().unwrap_or_default();
        let request = self.0.elb.register_targets().target_group_arn(group).targets(description(&want));
        request.send().await.map_err(|e| fail("elasticloadbalancing:RegisterTargets", &e))?;
        let (group, id, port) = (group.to_owned(), want.target_id.value().unwrap_or_default().to_owned(), want.port);
        Ok(live_attachment(&Target { group, id, port, state: String::new(), reason: None }))
    }

    /// Every argument forces a new one.
    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        _want: TargetGroupAttachment,
        _changed: &[String],
    ) -> Result<Live, CloudError> {
        Ok(live.clone())
    }

    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        let operation = "elasticloadbalancing:DeregisterTargets";
        let of: TargetGroupAttachment = observed(call, live)?;
        let group = of.target_group_arn.value().unwrap_or_default();
        let result = self.0.elb.deregister_targets().target_group_arn(group).targets(description(&of)).send().await;
        match result.map(drop).map_err(|e| fail(operation, &e)) {
            // What cannot be a target of this group is not registered in it.
            Err(error) if error.code == "InvalidTarget" => Ok(()),
            other => unless_missing(other),
        }
    }

    async fn find(&self, _call: &Call, want: TargetGroupAttachment) -> Result<Vec<Live>, CloudError> {
        let group = want.target_group_arn.value().unwrap_or_default();
        match targets(&self.0, group, Some(description(&want))).await {
            Ok(found) => Ok(found.iter().filter(|target| !target.is_leaving()).map(live_attachment).collect()),
            Err(error) if is_missing(&error) || error.code == "InvalidTarget" => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
