//! One network load balancer in front of the API.

use clusterctl_core::blueprint::{Api, Health, Role, SourceAddress, Visibility};
use clusterctl_core::graph::Concern;
use clusterctl_core::provider::LowerError;
use clusterctl_core::value::{Input, sha256_hex};

use super::Lowering;
use super::network::Net;
use super::security::Roles;
use crate::resources::load_balancer::{ForwardAction, HealthCheck, Lb, Listener, TargetGroup};
use crate::resources::{DnsName, HostedZoneId, TargetGroupArn};

pub(crate) struct Balancer {
    pub(crate) dns_name: Input<DnsName>,
    pub(crate) zone_id: Input<HostedZoneId>,
    pub(crate) targets: Input<TargetGroupArn>,
    pub(crate) port: i32,
}

pub(super) fn lower(to: &mut Lowering<'_>, api: &Api, net: &Net, roles: &Roles) -> Result<Balancer, LowerError> {
    let Api { visibility, port, health, draining, source } = api;
    let Health { path, interval, timeout, healthy_after, unhealthy_after } = health;
    let at = Concern::LoadBalancer;
    let port = i32::from(*port);
    let subnets = match visibility {
        Visibility::Public => &net.public,
        Visibility::Private => &net.nodes,
    };
    let balancer = to.add(
        at,
        "api",
        &Lb {
            name: to.fit::<Lb>("api", 32),
            internal: *visibility == Visibility::Private,
            load_balancer_type: "network".into(),
            subnets: subnets.values().cloned().collect(),
            security_groups: [roles[&Role::LoadBalancer].clone()].into(),
            tags: to.tags::<Lb>("api"),
        },
    )?;
    // What forces a replacement is in the name, so that the new one can be made before the old one goes.
    let unlike = &sha256_hex(format!("TCP {port} ip").as_bytes())[..4];
    let targets = to
        .add(
            at,
            "api",
            &TargetGroup {
                name: to.fit::<TargetGroup>(&format!("api-{unlike}"), 32),
                port,
                protocol: "TCP".into(),
                target_type: "ip".into(),
                vpc_id: net.vpc.clone(),
                preserve_client_ip: match source {
                    SourceAddress::Balancer => "false".into(),
                },
                deregistration_delay: draining.to_string(),
                connection_termination: true,
                load_balancing_cross_zone_enabled: "true".into(),
                health_check: HealthCheck {
                    protocol: "HTTPS".into(),
                    port: "traffic-port".into(),
                    path: Some(path.clone()),
                    matcher: Some("200".into()),
                    interval: number(*interval),
                    timeout: number(*timeout),
                    healthy_threshold: number(*healthy_after),
                    unhealthy_threshold: number(*unhealthy_after),
                },
                tags: to.tags::<TargetGroup>("api"),
            },
        )?
        .arn;
    to.add(
        at,
        "api",
        &Listener {
            load_balancer_arn: balancer.arn,
            port,
            protocol: "TCP".into(),
            default_action: ForwardAction { r#type: "forward".into(), target_group_arn: targets.clone() },
            tags: to.tags::<Listener>("api"),
        },
    )?;
    Ok(Balancer { dns_name: balancer.dns_name, zone_id: balancer.zone_id, targets, port })
}

/// AWS's numbers are signed; ours are small and never negative.
pub(super) fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
