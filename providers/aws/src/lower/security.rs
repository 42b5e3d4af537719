//! A security group per role, and a rule per intent.

use std::collections::BTreeMap;
use std::sync::Arc;

use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::{Direction, FirewallRule, Peer, Role, Traffic};
use clusterctl_core::graph::Concern;
use clusterctl_core::provider::LowerError;
use clusterctl_core::value::Input;

use super::network::Net;
use super::{Lowering, host};
use crate::resources::SecurityGroupId;
use crate::resources::TagValue;
use crate::resources::security::{EgressRule, IngressRule, Rule, SecurityGroup};

pub(crate) type Roles = BTreeMap<Role, Input<SecurityGroupId>>;

pub(super) fn lower(to: &mut Lowering<'_>, rules: &[FirewallRule], net: &Net) -> Result<Roles, LowerError> {
    let mut roles = Roles::new();
    for role in rules.iter().flat_map(|rule| {
        let peer = if let Peer::Role(role) = rule.peer { Some(role) } else { None };
        [Some(rule.role), peer].into_iter().flatten()
    }) {
        if roles.contains_key(&role) {
            continue;
        }
        let name = role.name();
        let mut tags = to.tags::<SecurityGroup>(name);
        if role == Role::Node {
            // The cloud controller manager adds its rules to the one group of a node that carries this tag.
            tags.insert(format!("kubernetes.io/cluster/{}", to.owner.cluster), TagValue::from("owned"));
        }
        let group = SecurityGroup {
            name: to.fit::<SecurityGroup>(name, 255),
            description: format!("{} of cluster {}", description(role), to.owner.cluster),
            vpc_id: net.vpc.clone(),
            default_egress: false,
            tags,
        };
        roles.insert(role, to.add(Concern::Security, name, &group)?.id);
    }
    for rule in rules {
        match &rule.peer {
            Peer::OwnEgress => {
                // Nodes of a network that is not ours, or with addresses of their own, are let in by the user's rule.
                for (name, address) in &net.egress {
                    let addr = add(to, rule, &format!("{}-{name}", rule.name), &roles)?;
                    // An address that is not known yet, with its prefix, is text; the typed rule has no place for it.
                    if let Some(args) =
                        to.graph.node_mut(&addr).and_then(|node| Arc::make_mut(&mut node.args).as_object_mut())
                    {
                        args.insert("cidr_ipv4".into(), (&host(address)).into());
                    }
                }
            }
            _ => {
                add(to, rule, &rule.name, &roles)?;
            }
        }
    }
    Ok(roles)
}

fn add(to: &mut Lowering<'_>, intent: &FirewallRule, name: &str, roles: &Roles) -> Result<Addr, LowerError> {
    let FirewallRule { name: _, role, direction, peer, traffic, reason } = intent;
    let name = format!("{}-{name}", role.name());
    let (ip_protocol, from_port, to_port) = match *traffic {
        Traffic::All => ("-1", None, None),
        Traffic::Tcp(from, to) => ("tcp", Some(from.into()), Some(to.into())),
        Traffic::Udp(from, to) => ("udp", Some(from.into()), Some(to.into())),
        Traffic::Icmp(kind, code) => ("icmp", Some(kind.into()), Some(code.into())),
    };
    let tags = match direction {
        Direction::In => to.tags::<IngressRule>(&name),
        Direction::Out => to.tags::<EgressRule>(&name),
    };
    let rule = Rule {
        security_group_id: roles[role].clone(),
        ip_protocol: ip_protocol.into(),
        from_port,
        to_port,
        cidr_ipv4: if let Peer::Net(net) = peer { Some(net.to_string()) } else { None },
        referenced_security_group_id: if let Peer::Role(role) = peer { Some(roles[role].clone()) } else { None },
        description: reason.clone(),
        tags,
    };
    Ok(match direction {
        Direction::In => to.add(Concern::Security, &name, &IngressRule(rule))?.addr,
        Direction::Out => to.add(Concern::Security, &name, &EgressRule(rule))?.addr,
    })
}

fn description(role: Role) -> &'static str {
    match role {
        Role::Node => "Every machine",
        Role::ControlPlane => "Control-plane machines",
        Role::LoadBalancer => "The load balancer",
        Role::Bastion => "The bastion",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EC2 takes these and no others, up to 255 of them:
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>.
    fn is_taken(description: &str) -> bool {
        let taken = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
        description.chars().all(taken) && description.len() <= 255
    }

    #[test]
    fn ec2_takes_every_description() {
        for role in [Role::Node, Role::ControlPlane, Role::LoadBalancer, Role::Bastion] {
            assert!(is_taken(description(role)));
        }
        let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");
        let mut seen = 0;
        for case in std::fs::read_dir(cases).expect("the cases").flatten() {
            let Ok(export) = std::fs::read_to_string(case.path().join("terraform/security.tf")) else { continue };
            for line in export.lines().filter(|line| line.trim_start().starts_with("description")) {
                let text =
                    line.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"')).map_or("", |(text, _)| text);
                assert!(is_taken(text), "{text}");
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen}");
    }
}
