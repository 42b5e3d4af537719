//! Autoscaling groups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_autoscaling::types::{
    Activity, AutoScalingGroup, InstancesDistribution, LaunchTemplate, LaunchTemplateOverrides,
    LaunchTemplateSpecification, LifecycleState, MixedInstancesPolicy, ScalingActivityStatusCode, Tag,
};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress, Remains};
use clusterctl_core::value::{same, typed};
use serde_json::Value;

use super::Holder;
use crate::client::{Client, fail, unless_missing};
use crate::drivers::ec2::{has, id, updated};
use crate::names;
use crate::observe::control_plane::any_of;
use crate::observe::node_groups::{group_tag, groups, groups_of_call, live_group};
use crate::resources::node_groups::{AutoscalingGroup, GroupTag};

/// See <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html>.
#[derive(Debug)]
pub(super) struct Groups {
    client: Client,
    /// The newest activity of each group when this process came to it; none of one that it made itself.
    before: Mutex<BTreeMap<String, Option<String>>>,
}

const CREATE: &str = "autoscaling:CreateAutoScalingGroup";

/// The newest activity before an update: what failed up to then says nothing of what is wanted now.
const SINCE: &str = "last_activity_id";

impl Groups {
    pub(super) fn new(client: Client) -> Self {
        Self { client, before: Mutex::default() }
    }

    /// What happened since this process came, or since its last update of the group: what failed before that, such as for a
    /// quota that was raised since, says nothing of what the group does now.
    fn new_ones(&self, live: &Live, mut activities: Vec<Activity>) -> Vec<Activity> {
        let newest = activities.first().and_then(|activity| activity.activity_id()).map(str::to_owned);
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let before = before.entry(live.id.clone()).or_insert(newest).clone();
        let since = live.outputs.get(SINCE).and_then(Value::as_str).or(before.as_deref());
        if let Some(old) = activities.iter().position(|a| since.is_some() && a.activity_id() == since) {
            activities.truncate(old);
        }
        activities
    }

    async fn named(&self, name: &str) -> Result<Option<AutoScalingGroup>, CloudError> {
        let answer = self.client.asg.describe_auto_scaling_groups().auto_scaling_group_names(name).send().await;
        let answer = answer.map_err(|e| fail("autoscaling:DescribeAutoScalingGroups", &e))?;
        Ok(answer.auto_scaling_groups.unwrap_or_default().into_iter().next())
    }

    /// The last activities, newest first.
    async fn activities(&self, name: &str, most: i32) -> Result<Vec<Activity>, CloudError> {
        let request = self.client.asg.describe_scaling_activities().auto_scaling_group_name(name).max_records(most);
        let answer = request.send().await.map_err(|e| fail("autoscaling:DescribeScalingActivities", &e))?;
        Ok(answer.activities.unwrap_or_default())
    }

    async fn retag(&self, live: &Live, want: &AutoscalingGroup) -> Result<(), CloudError> {
        let request = self.client.asg.create_or_update_tags().set_tags(Some(tags(&want.name, &want.tag)));
        request.send().await.map_err(|e| fail("autoscaling:CreateOrUpdateTags", &e))?;
        let wanted: BTreeSet<&str> = want.tag.iter().map(|tag| tag.key.as_str()).collect();
        let had: Vec<GroupTag> = live.args.get("tag").and_then(|tags| typed(tags).ok()).unwrap_or_default();
        let went: Vec<GroupTag> = had.into_iter().filter(|tag| !wanted.contains(tag.key.as_str())).collect();
        if went.is_empty() {
            return Ok(());
        }
        let request = self.client.asg.delete_tags().set_tags(Some(tags(&want.name, &went)));
        request.send().await.map_err(|e| fail("autoscaling:DeleteTags", &e))?;
        Ok(())
    }
}

fn tags(group: &str, tags: &[GroupTag]) -> Vec<Tag> {
    let tag = |tag: &GroupTag| {
        Tag::builder()
            .resource_id(group)
            .resource_type("auto-scaling-group")
            .key(&tag.key)
            .value(&tag.value)
            .propagate_at_launch(tag.propagate_at_launch)
            .build()
    };
    tags.iter().map(tag).collect()
}

fn subnets(want: &AutoscalingGroup) -> String {
    want.vpc_zone_identifier.iter().map(id).collect::<Vec<_>>().join(",")
}

fn policy(want: &AutoscalingGroup) -> MixedInstancesPolicy {
    let template = &want.mixed_instances_policy.launch_template;
    let specification = LaunchTemplateSpecification::builder()
        .launch_template_id(id(&template.launch_template_specification.launch_template_id))
        .version(&template.launch_template_specification.version);
    let types = template.r#override.iter();
    let types = types.map(|o| LaunchTemplateOverrides::builder().instance_type(&o.instance_type).build()).collect();
    let spread = &want.mixed_instances_policy.instances_distribution;
    let spread = InstancesDistribution::builder()
        .on_demand_base_capacity(spread.on_demand_base_capacity)
        .on_demand_percentage_above_base_capacity(spread.on_demand_percentage_above_base_capacity)
        .on_demand_allocation_strategy(&spread.on_demand_allocation_strategy)
        .spot_allocation_strategy(&spread.spot_allocation_strategy);
    let template = LaunchTemplate::builder().launch_template_specification(specification.build());
    MixedInstancesPolicy::builder()
        .launch_template(template.set_overrides(Some(types)).build())
        .instances_distribution(spread.build())
        .build()
}

fn holder(group: &AutoScalingGroup) -> Holder<'_> {
    Holder {
        uid: group_tag(group, names::UID),
        address: group_tag(group, names::ADDRESS),
        cluster: group_tag(group, names::CLUSTER),
    }
}

fn in_service(group: &AutoScalingGroup) -> usize {
    group.instances().iter().filter(|i| i.lifecycle_state() == Some(&LifecycleState::InService)).count()
}

/// What the newest activity says, if it failed and the group cannot get over it by itself.
///
/// Auto Scaling goes on trying, in other zones too: while something is in progress nothing is lost. The words are EC2's:
/// `Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity ...`
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-instancelaunchfailure.html>).
fn failure(call: &Call, activities: &[Activity]) -> Option<CloudError> {
    use ScalingActivityStatusCode::{Cancelled, Failed};
    let newest = activities.first()?;
    let ended = |a: &Activity| matches!(a.status_code(), Some(Failed | Cancelled)) || a.end_time().is_some();
    if !activities.iter().all(ended) || !matches!(newest.status_code(), Some(Failed)) {
        return None;
    }
    let words = newest.status_message().unwrap_or_default();
    // What it launches with was made a moment ago, by IAM or by EC2, and is not known everywhere yet.
    const NOT_YET: [&str; 4] = [
        "Invalid IAM Instance Profile",
        "InvalidLaunchTemplateId.NotFound",
        "InvalidGroup.NotFound",
        "InvalidSubnetID.NotFound",
    ];
    if NOT_YET.iter().any(|code| words.contains(code)) {
        return None;
    }
    let code = words
        .split_once(" - ")
        .and_then(|(before, _)| before.rsplit(' ').next())
        .filter(|code| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'))
        .unwrap_or("Failed");
    let any = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    let fault = if any(&["RequestLimitExceeded", "nternal error", "InternalError"]) {
        return None;
    } else if any(&["LimitExceeded", "CountExceeded", "quota"]) {
        Fault::Quota
    } else if any(&["Capacity", "not have sufficient", "no Spot capacity", "Unfulfillable", "SpotMaxPriceTooLow"]) {
        Fault::Capacity
    } else if any(&["UnauthorizedOperation", "AccessDenied", "not authorized"]) {
        Fault::Auth
    } else {
        Fault::Permanent
    };
    let message = format!("{} gets no machine: {words}", call.addr);
    Some(CloudError::new(fault, "autoscaling:DescribeScalingActivities", code, message))
}

#[async_trait]
impl Driver for Groups {
    type Resource = AutoscalingGroup;

    /// CreateAutoScalingGroup takes no token; its name is unique, and a name that is taken may be ours.
    async fn create(&self, call: &Call, want: AutoscalingGroup) -> Result<Live, CloudError> {
        let request = self.client.asg.create_auto_scaling_group().auto_scaling_group_name(&want.name);
        let answer = request
            .min_size(want.min_size)
            .max_size(want.max_size)
            .vpc_zone_identifier(subnets(&want))
            .capacity_rebalance(want.capacity_rebalance)
            .mixed_instances_policy(policy(&want))
            .set_tags(Some(tags(&want.name, &want.tag)))
            .send()
            .await;
        let error = match answer {
            Ok(_) => {
                self.before.lock().unwrap_or_else(PoisonError::into_inner).insert(want.name.clone(), None);
                return Ok(updated(&Live::new(&want.name).with("name", want.name.as_str()), &want));
            }
            Err(error) => fail(CREATE, &error),
        };
        if error.fault != Fault::Conflict {
            return Err(error);
        }
        let Some(group) = self.named(&want.name).await? else {
            return Err(CloudError { fault: Fault::NotReady, ..error });
        };
        if !holder(&group).is(call) {
            return Err(holder(&group).conflict(call, &error, &want.name));
        }
        if let Some(status) = group.status() {
            let message = format!("{} still has the name {}: {status}", call.addr, want.name);
            return Err(CloudError { fault: Fault::NotReady, message, ..error });
        }
        let live = live_group(&group);
        if same(&updated(&live, &want).args, &live.args) {
            return Ok(live);
        }
        self.update(call, &live, want, &["mixed_instances_policy".to_owned(), "tag".to_owned()]).await
    }

    /// Everything but the tags goes in one request, whatever of it has changed.
    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: AutoscalingGroup,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        let mut after = live.clone();
        if changed.iter().any(|name| name != "tag") {
            let newest = self.activities(&want.name, 1).await?;
            if let Some(id) = newest.first().and_then(|activity| activity.activity_id()) {
                after = after.with(SINCE, id);
            }
            let request = self.client.asg.update_auto_scaling_group().auto_scaling_group_name(&want.name);
            let answer = request
                .min_size(want.min_size)
                .max_size(want.max_size)
                .vpc_zone_identifier(subnets(&want))
                .capacity_rebalance(want.capacity_rebalance)
                .mixed_instances_policy(policy(&want))
                .send()
                .await;
            answer.map_err(|e| fail("autoscaling:UpdateAutoScalingGroup", &e))?;
        }
        if has(changed, "tag") {
            self.retag(live, &want).await?;
        }
        Ok(updated(&after, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let request = self.client.asg.delete_auto_scaling_group().auto_scaling_group_name(&live.id).force_delete(true);
        let answer = request.send().await;
        unless_missing(answer.map(|_| ()).map_err(|e| fail("autoscaling:DeleteAutoScalingGroup", &e)))
    }

    async fn find(&self, call: &Call, _want: AutoscalingGroup) -> Result<Vec<Live>, CloudError> {
        let all = groups(&self.client, groups_of_call(call)).await?;
        Ok(all.iter().filter(|group| group.status().is_none()).map(live_group).collect())
    }

    async fn ready(&self, call: &Call, live: &Live, want: AutoscalingGroup) -> Result<Progress, CloudError> {
        let wanted = usize::try_from(want.min_size).unwrap_or_default();
        if wanted == 0 {
            return Ok(Progress::Done(live.clone()));
        }
        let Some(group) = self.named(&live.id).await? else {
            return Ok(Progress::Pending("not visible yet".to_owned()));
        };
        let running = in_service(&group);
        if running >= wanted {
            return Ok(Progress::Done(live.clone()));
        }
        let activities = self.activities(&live.id, 20).await?;
        match failure(call, &self.new_ones(live, activities)) {
            Some(error) => Err(error),
            None => Ok(Progress::Pending(format!("{running} of {wanted} machines in service"))),
        }
    }

    /// The group is gone before its machines are, and these hold on to subnets and security groups.
    async fn gone(&self, _call: &Call, live: &Live) -> Result<Remains, CloudError> {
        if let Some(group) = self.named(&live.id).await? {
            return Ok(Remains::Something(format!("{} machines", group.instances().len())));
        }
        let states = ["pending", "running", "shutting-down", "stopping", "stopped"];
        let request =
            self.client.ec2.describe_instances().filters(any_of("tag:aws:autoscaling:groupName", [live.id.as_str()]));
        let answer = request.filters(any_of("instance-state-name", states)).max_results(1000).send().await;
        let answer = answer.map_err(|e| fail("ec2:DescribeInstances", &e))?;
        Ok(match answer.reservations().iter().map(|r| r.instances().len()).sum() {
            0_usize => Remains::Nothing,
            left => Remains::Something(format!("{left} machines are ending")),
        })
    }
}
