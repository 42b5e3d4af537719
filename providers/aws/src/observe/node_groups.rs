//! What exists of node groups, and how EC2's and Auto Scaling's words become ours.
//!
//! Three calls and their pages read everything, a fourth where placement groups are in scope. What a launch template
//! holds is in [`template`].

pub(crate) mod template;

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{AutoScalingGroup, Filter as GroupFilter, TagDescription};
use aws_sdk_ec2::types::{
    Filter, LaunchTemplate, LaunchTemplateVersion, PlacementGroup as Placed, PlacementGroupState,
};
use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Call, CloudError, Live, Owner, Scope};
use clusterctl_core::value::Input;

use super::control_plane::{any_of, when, word};
use crate::client::{Client, fail};
use crate::drivers::ec2::{Found, Of, live, tags_of};
use crate::names;
use crate::resources::node_groups::{
    self as data, AUTOSCALING_GROUP, AutoscalingGroup, GroupTag, InstancesDistribution, LAUNCH_TEMPLATE,
    LaunchTemplateSpecification, MixedInstancesPolicy, MixedLaunchTemplate, Override, PLACEMENT_GROUP, PlacementGroup,
};

/// As many as EC2 gives on a page of launch templates.
const TEMPLATES: i32 = 200;
const GROUPS: i32 = 100;

pub(crate) async fn observe(client: &Client, owner: &Owner, scope: &Scope) -> Result<Found, CloudError> {
    let has_templates = scope.has(LAUNCH_TEMPLATE.name);
    let (templates, versions, groups, placed) = futures::try_join!(
        when(has_templates, templates(client, Of::owner(owner).filters())),
        when(has_templates, latest(client, None)),
        when(scope.has(AUTOSCALING_GROUP.name), groups(client, vec![group_filter(names::UID, &owner.uid)])),
        when(scope.has(PLACEMENT_GROUP.name), tagged_placement_groups(client, owner)),
    )?;
    let of = Of::owner(owner);
    let mut found = Found::new();
    let versions: BTreeMap<&str, &LaunchTemplateVersion> =
        versions.iter().filter_map(|version| Some((version.launch_template_id()?, version))).collect();
    for made in &templates {
        let version = made.launch_template_id().and_then(|id| versions.get(id).copied());
        let addr = of.address::<data::LaunchTemplate>(Some(made.tags()));
        found.extend(addr.map(|addr| (addr, template::live_launch_template(made, version))));
    }
    for group in groups.iter().filter(|group| group.status().is_none()) {
        found.extend(group_address(group, owner).map(|addr| (addr, live_group(group))));
    }
    for group in &placed {
        found.extend(of.address::<PlacementGroup>(Some(group.tags())).map(|addr| (addr, live_placement_group(group))));
    }
    Ok(found)
}

pub(crate) async fn templates(client: &Client, filters: Vec<Filter>) -> Result<Vec<LaunchTemplate>, CloudError> {
    let request = client.ec2.describe_launch_templates().set_filters(Some(filters)).max_results(TEMPLATES);
    let all: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    all.map_err(|e| fail("ec2:DescribeLaunchTemplates", &e))
}

/// The version that a new machine gets: of one template, or of every template of the account.
pub(crate) async fn latest(client: &Client, of: Option<&str>) -> Result<Vec<LaunchTemplateVersion>, CloudError> {
    let request = client.ec2.describe_launch_template_versions().versions("$Latest").max_results(TEMPLATES);
    let request = request.set_launch_template_id(of.map(str::to_owned));
    let all: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    all.map_err(|e| fail("ec2:DescribeLaunchTemplateVersions", &e))
}

pub(crate) async fn groups(client: &Client, filters: Vec<GroupFilter>) -> Result<Vec<AutoScalingGroup>, CloudError> {
    let request = client.asg.describe_auto_scaling_groups().set_filters(Some(filters)).max_records(GROUPS);
    let all: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
    all.map_err(|e| fail("autoscaling:DescribeAutoScalingGroups", &e))
}

pub(crate) fn group_filter(tag: &str, value: &str) -> GroupFilter {
    GroupFilter::builder().name(format!("tag:{tag}")).values(value).build()
}

pub(crate) fn groups_of_call(call: &Call) -> Vec<GroupFilter> {
    vec![group_filter(names::UID, &call.owner.uid), group_filter(names::ADDRESS, &call.addr.to_string())]
}

pub(crate) async fn placement_groups(client: &Client, filters: Vec<Filter>) -> Result<Vec<Placed>, CloudError> {
    let answer = client.ec2.describe_placement_groups().set_filters(Some(filters)).send().await;
    let mut all = answer.map_err(|e| fail("ec2:DescribePlacementGroups", &e))?.placement_groups.unwrap_or_default();
    all.retain(|group| !matches!(group.state(), Some(PlacementGroupState::Deleting | PlacementGroupState::Deleted)));
    Ok(all)
}

/// The tags are asked first: placement groups are rare, and not every endpoint that speaks EC2 has them.
async fn tagged_placement_groups(client: &Client, owner: &Owner) -> Result<Vec<Placed>, CloudError> {
    let filters = [("resource-type", "placement-group"), ("key", names::UID), ("value", owner.uid.as_str())]
        .map(|(n, v)| any_of(n, [v]));
    let answer = client.ec2.describe_tags().set_filters(Some(filters.into())).send().await;
    if answer.map_err(|e| fail("ec2:DescribeTags", &e))?.tags().is_empty() {
        return Ok(Vec::new());
    }
    placement_groups(client, Of::owner(owner).filters()).await
}

/// Its id is its name; EC2's own id is what tags hang on.
pub(crate) fn live_placement_group(group: &Placed) -> Live {
    let name = group.group_name().unwrap_or_default();
    let resource = PlacementGroup {
        name: name.to_owned(),
        strategy: word(group.strategy(), |s| s.as_str()),
        tags: tags_of(Some(group.tags())),
    };
    live(name, &resource).with("name", name).with("placement_group_id", group.group_id().unwrap_or_default())
}

pub(crate) fn group_tag<'a>(group: &'a AutoScalingGroup, key: &str) -> Option<&'a str> {
    group.tags().iter().find(|tag| tag.key() == Some(key))?.value()
}

pub(crate) fn group_address(group: &AutoScalingGroup, owner: &Owner) -> Option<Addr> {
    group_tag(group, names::UID).filter(|uid| *uid == owner.uid)?;
    group_tag(group, names::ADDRESS)?.parse().ok().filter(|addr: &Addr| addr.kind == AUTOSCALING_GROUP.name)
}

pub(crate) fn live_group(group: &AutoScalingGroup) -> Live {
    let name = group.auto_scaling_group_name().unwrap_or_default();
    let subnets = group.vpc_zone_identifier().unwrap_or_default().split(',').map(str::trim);
    let mut tag: Vec<GroupTag> = group.tags().iter().filter_map(group_tag_of).collect();
    tag.sort();
    let resource = AutoscalingGroup {
        name: name.to_owned(),
        min_size: group.min_size().unwrap_or_default(),
        max_size: group.max_size().unwrap_or_default(),
        vpc_zone_identifier: subnets.filter(|subnet| !subnet.is_empty()).map(Input::known).collect(),
        capacity_rebalance: group.capacity_rebalance().unwrap_or_default(),
        mixed_instances_policy: policy(group),
        tag,
        force_delete: true,
        wait_for_capacity_timeout: "0".to_owned(),
    };
    live(name, &resource).with("name", name)
}

fn group_tag_of(tag: &TagDescription) -> Option<GroupTag> {
    let key = tag.key().filter(|key| !key.starts_with("aws:"))?;
    Some(GroupTag {
        key: key.to_owned(),
        value: tag.value().unwrap_or_default().to_owned(),
        propagate_at_launch: tag.propagate_at_launch().unwrap_or_default(),
    })
}

/// What is left out has Auto Scaling's own default
/// (<https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html>).
fn policy(group: &AutoScalingGroup) -> MixedInstancesPolicy {
    let policy = group.mixed_instances_policy();
    let template = policy.and_then(|p| p.launch_template());
    let specification = template.and_then(|t| t.launch_template_specification()).or(group.launch_template());
    let spread = policy.and_then(|p| p.instances_distribution());
    MixedInstancesPolicy {
        launch_template: MixedLaunchTemplate {
            launch_template_specification: LaunchTemplateSpecification {
                launch_template_id: Input::known(
                    specification.and_then(|s| s.launch_template_id()).unwrap_or_default(),
                ),
                version: specification.and_then(|s| s.version()).unwrap_or("$Default").to_owned(),
            },
            r#override: template
                .map(|t| t.overrides())
                .unwrap_or_default()
                .iter()
                .map(|o| Override { instance_type: o.instance_type().unwrap_or_default().to_owned() })
                .collect(),
        },
        instances_distribution: InstancesDistribution {
            on_demand_base_capacity: spread.and_then(|s| s.on_demand_base_capacity()).unwrap_or(0),
            on_demand_percentage_above_base_capacity: spread
                .and_then(|s| s.on_demand_percentage_above_base_capacity())
                .unwrap_or(100),
            on_demand_allocation_strategy: spread
                .and_then(|s| s.on_demand_allocation_strategy())
                .unwrap_or("prioritized")
                .to_owned(),
            spot_allocation_strategy: spread
                .and_then(|s| s.spot_allocation_strategy())
                .unwrap_or("lowest-price")
                .to_owned(),
        },
    }
}
