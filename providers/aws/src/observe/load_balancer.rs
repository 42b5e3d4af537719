//! Load balancers, listeners, target groups and what is registered in them.
//!
//! Elastic Load Balancing cannot list by tag. Everything is listed, names that cannot be ours are passed over, and tags
//! prove the rest; the listeners of the candidates are asked for before the proof, so that one call reads all tags.

use std::collections::BTreeMap;
use std::net::IpAddr;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup, TargetTypeEnum};
use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{CloudError, Live, Owner, Scope};
use futures::future::{try_join, try_join_all};

use crate::client::{Client, fail};
use crate::drivers::adopt::{address, moved};
use crate::drivers::load_balancer::targets::{Target, attributes, health, live_attachment, live_group};
use crate::drivers::load_balancer::{listeners, live_lb, live_listener, tags_of};

/// The load balancing of an owner.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadBalancers {
    /// Load balancers, listeners and target groups.
    pub resources: Vec<(Addr, Live)>,
    /// Everything registered in target groups whose targets are addresses; [`attachments`] gives them their addresses.
    pub targets: Vec<Target>,
}

/// Reads the load balancing of `owner`: two lists, one call for tags, and for each load balancer its listeners, for each
/// target group its attributes and its targets.
pub(crate) async fn observe(client: &Client, owner: &Owner, scope: &Scope) -> Result<LoadBalancers, CloudError> {
    let kinds = ["aws_lb", "aws_lb_listener", "aws_lb_target_group", "aws_lb_target_group_attachment"];
    if !kinds.iter().any(|kind| scope.has(kind)) {
        return Ok(LoadBalancers::default());
    }
    let (mut lbs, mut groups) = try_join(balancers(client), groups(client)).await?;
    lbs.retain(|lb| may_be_ours(lb.load_balancer_name().unwrap_or_default(), owner));
    groups.retain(|group| may_be_ours(group.target_group_name().unwrap_or_default(), owner));

    let arns = lbs.iter().filter_map(LoadBalancer::load_balancer_arn);
    let found = try_join_all(arns.map(|arn| listeners(client, arn))).await.map_err(moved)?;
    let found: Vec<_> = found.into_iter().flatten().collect();

    let arns = lbs.iter().filter_map(LoadBalancer::load_balancer_arn);
    let arns = arns.chain(groups.iter().filter_map(TargetGroup::target_group_arn));
    let arns: Vec<String> = arns.chain(found.iter().filter_map(|l| l.listener_arn())).map(str::to_owned).collect();
    let tags = tags_of(client, &arns).await.map_err(moved)?;
    let proof = |arn: Option<&str>| {
        let tags = tags.get(arn?)?;
        Some((address(tags, &owner.uid)?, tags))
    };

    let mut all = LoadBalancers::default();
    for lb in &lbs {
        all.resources.extend(proof(lb.load_balancer_arn()).map(|(addr, tags)| (addr, live_lb(lb, tags))));
    }
    for listener in &found {
        all.resources.extend(proof(listener.listener_arn()).map(|(addr, tags)| (addr, live_listener(listener, tags))));
    }
    let ours = groups.iter().filter_map(|group| Some((group, proof(group.target_group_arn())?)));
    let read = ours.map(|(group, (addr, tags))| async move {
        let arn = group.target_group_arn().unwrap_or_default();
        let targets = async {
            // Instances are registered by their autoscaling group.
            if group.target_type() == Some(&TargetTypeEnum::Ip) { health(client, arn).await } else { Ok(Vec::new()) }
        };
        let (attributes, targets) = try_join(attributes(client, arn), targets).await?;
        Ok((addr, live_group(group, &attributes, tags), targets))
    });
    for (addr, live, targets) in try_join_all(read).await.map_err(moved)? {
        all.resources.push((addr, live));
        all.targets.extend(targets);
    }
    Ok(all)
}

async fn balancers(client: &Client) -> Result<Vec<LoadBalancer>, CloudError> {
    let pages = client.elb.describe_load_balancers().page_size(400).into_paginator().items();
    pages.send().try_collect().await.map_err(|e| fail("elasticloadbalancing:DescribeLoadBalancers", &e))
}

async fn groups(client: &Client) -> Result<Vec<TargetGroup>, CloudError> {
    let pages = client.elb.describe_target_groups().page_size(400).into_paginator().items();
    pages.send().try_collect().await.map_err(|e| fail("elasticloadbalancing:DescribeTargetGroups", &e))
}

/// Whether [`crate::names::fit`] may have made the name: it saves calls and proves nothing.
fn may_be_ours(name: &str, owner: &Owner) -> bool {
    let Some((start, hash)) = name.rsplit_once('-') else { return false };
    // A long cluster name is cut, together with a dash that would end it.
    let cut = owner.cluster.get(..start.len()).unwrap_or(&owner.cluster);
    hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) && start.starts_with(cut)
}

/// Gives registered targets their addresses: the name of the network interface that has the address.
///
/// `interfaces` maps a private address to the address name of our network interface. A target without one was left by
/// an interface that is gone, and goes by its address, such as `10-20-0-5`: it hangs off a target group of ours, in
/// which only we register addresses. What drains is not there any more.
pub(crate) fn attachments(targets: &[Target], interfaces: &BTreeMap<String, String>) -> Vec<(Addr, Live)> {
    targets
        .iter()
        .filter(|target| !target.is_leaving() && target.id.parse::<IpAddr>().is_ok())
        .map(|target| {
            let name = interfaces.get(&target.id).cloned().unwrap_or_else(|| target.id.replace(['.', ':'], "-"));
            (Addr::new("aws_lb_target_group_attachment", &name), live_attachment(target))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    fn owner(cluster: &str) -> Owner {
        Owner { uid: "0011223344556677".into(), cluster: cluster.into() }
    }

    #[test]
    fn every_name_we_make_passes_the_filter_and_few_others_do() {
        for cluster in ["demo", "a", "a-very-long-cluster-nam", "a-very-long-cluster-name-that-is-cut", "ab-cd"] {
            for what in ["api", "api-6443", "ingress-http"] {
                let name = names::fit(cluster, "0011223344556677", "aws_lb", what, 32);
                assert!(may_be_ours(&name, &owner(cluster)), "{name}");
            }
        }
        for name in ["k8s-default-web-0123456789", "demo", "demo-api", "other-api-eb191a35", "demo-api-eb191a3z"] {
            assert!(!may_be_ours(name, &owner("demo")), "{name}");
        }
    }

    #[test]
    fn targets_are_named_after_interfaces() {
        let target = |id: &str, state: &str| Target {
            group: "arn:tg".into(),
            id: id.into(),
            port: 6443,
            state: state.into(),
            reason: None,
        };
        let targets =
            [target("10.20.0.4", "initial"), target("10.20.0.5", "draining"), target("10.20.0.6", "unhealthy")];
        let interfaces = BTreeMap::from([("10.20.0.4".to_owned(), "control-plane-0".to_owned())]);
        let text: Vec<String> = attachments(&targets, &interfaces)
            .into_iter()
            .map(|(addr, live)| format!("{addr} {} {}", live.id, live.args))
            .collect();
        expect_test::expect![[r#"
            aws_lb_target_group_attachment.control-plane-0 arn:tg_10.20.0.4_6443 {"target_group_arn":"arn:tg","target_id":"10.20.0.4","port":6443}
            aws_lb_target_group_attachment.10-20-0-6 arn:tg_10.20.0.6_6443 {"target_group_arn":"arn:tg","target_id":"10.20.0.6","port":6443}"#]]
        .assert_eq(&text.join("\n"));
    }
}
