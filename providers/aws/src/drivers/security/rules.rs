//! The rules of security groups, in and out.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html> takes no client token,
//! but a group holds the same rule only once.

use std::marker::PhantomData;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    self, IpPermission, IpRange, ResourceType, SecurityGroupRuleRequest, SecurityGroupRuleUpdate, UserIdGroupPair,
};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live};
use clusterctl_core::graph::Resource;

use crate::client::{Client, fail, unless_missing};
use crate::drivers::ec2::{Of, address, arg, filter, given, has, id, input, live, retag, tagged, tags_of, updated};
use crate::resources::security::{EgressRule, IngressRule, Rule};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Ingress,
    Egress,
}

/// A kind of rule; the two kinds differ in nothing but the direction.
pub(super) trait Directed: Resource + Send + Sync {
    fn rule(self) -> Rule;
}

impl Directed for IngressRule {
    fn rule(self) -> Rule {
        self.0
    }
}

impl Directed for EgressRule {
    fn rule(self) -> Rule {
        self.0
    }
}

#[derive(Debug)]
pub(super) struct Rules<R> {
    client: Client,
    direction: Direction,
    marker: PhantomData<fn() -> R>,
}

impl<R> Rules<R> {
    pub(super) fn new(client: &Client, direction: Direction) -> Self {
        Self { client: client.clone(), direction, marker: PhantomData }
    }

    async fn authorize(&self, want: &Rule) -> Result<Option<Vec<types::SecurityGroupRule>>, CloudError> {
        let (group, tags) = (id(&want.security_group_id), tagged(ResourceType::SecurityGroupRule, &want.tags));
        match self.direction {
            Direction::Ingress => {
                let request = self.client.ec2.authorize_security_group_ingress().group_id(group);
                let answer = request.ip_permissions(permission(want)).tag_specifications(tags).send().await;
                let answer = answer.map_err(|e| fail("ec2:AuthorizeSecurityGroupIngress", &e))?;
                Ok(answer.security_group_rules)
            }
            Direction::Egress => {
                let request = self.client.ec2.authorize_security_group_egress().group_id(group);
                let answer = request.ip_permissions(permission(want)).tag_specifications(tags).send().await;
                let answer = answer.map_err(|e| fail("ec2:AuthorizeSecurityGroupEgress", &e))?;
                Ok(answer.security_group_rules)
            }
        }
    }

    async fn modify(&self, rule: &str, want: &Rule) -> Result<(), CloudError> {
        let change = SecurityGroupRuleRequest::builder()
            .ip_protocol(&want.ip_protocol)
            // EC2 shows -1 for the ports of a rule about all protocols, and takes it back.
            .from_port(want.from_port.unwrap_or(-1))
            .to_port(want.to_port.unwrap_or(-1))
            .set_cidr_ipv4(want.cidr_ipv4.clone())
            .set_referenced_group_id(want.referenced_security_group_id.as_ref().map(|group| id(group).to_owned()))
            .description(&want.description)
            .build();
        let change =
            SecurityGroupRuleUpdate::builder().security_group_rule_id(rule).security_group_rule(change).build();
        let request = self.client.ec2.modify_security_group_rules().group_id(id(&want.security_group_id));
        let request = request.security_group_rules(change);
        request.send().await.map_err(|e| fail("ec2:ModifySecurityGroupRules", &e))?;
        Ok(())
    }

    /// The rule that lets the same through already.
    ///
    /// It is adopted when nothing but AWS can have made it, or when an attempt whose answer was lost has. A rule of
    /// another address of ours is about to go, and then there is room. In a group that is not ours it stays whose it is.
    async fn adopted(&self, call: &Call, want: &Rule, error: CloudError) -> Result<Live, CloudError> {
        let filters = vec![filter("group-id", id(&want.security_group_id))];
        let all = rules(&self.client, filters).await?;
        let egress = self.direction == Direction::Egress;
        let same = |rule: &&types::SecurityGroupRule| rule.is_egress() == Some(egress) && passes(rule) == peer(want);
        let Some(rule) = all.iter().find(same) else { return Err(error) };
        let rule_id = rule.security_group_rule_id().unwrap_or_default();
        match address(rule.tags.as_deref(), &call.owner.uid) {
            Some(addr) if addr == call.addr => {}
            Some(addr) => {
                let message = format!("{addr} ({rule_id}) lets the same through and must go first");
                return Err(CloudError { fault: Fault::NotReady, message, ..error });
            }
            None if self.is_ours(call, id(&want.security_group_id)).await? => {}
            None => {
                let message = format!("{rule_id} lets the same through and is not this cluster's");
                return Err(CloudError { message, ..error });
            }
        }
        if rule.description() != Some(&want.description) {
            self.modify(rule_id, want).await?;
        }
        retag(&self.client, rule_id, &want.tags).await?;
        Ok(live_wanted(rule_id, want))
    }

    async fn is_ours(&self, call: &Call, group: &str) -> Result<bool, CloudError> {
        let request = self.client.ec2.describe_security_groups().filters(filter("group-id", group));
        let answer = request.send().await.map_err(|e| fail("ec2:DescribeSecurityGroups", &e))?;
        let tags = answer.security_groups().first().and_then(|group| group.tags.as_deref());
        Ok(address(tags, &call.owner.uid).is_some())
    }
}

#[async_trait]
impl<R: Directed> Driver for Rules<R> {
    type Resource = R;

    async fn create(&self, call: &Call, want: R) -> Result<Live, CloudError> {
        let want = want.rule();
        match self.authorize(&want).await {
            Err(error) if error.code == "InvalidPermission.Duplicate" => self.adopted(call, &want, error).await,
            answer => {
                let made = answer?.unwrap_or_default().into_iter().next();
                let rule = made.and_then(|rule| rule.security_group_rule_id);
                Ok(live_wanted(&given(rule, "ec2:AuthorizeSecurityGroup")?, &want))
            }
        }
    }

    async fn update(&self, _call: &Call, live: &Live, want: R, changed: &[String]) -> Result<Live, CloudError> {
        let want = want.rule();
        if changed.iter().any(|argument| argument != "tags") {
            self.modify(&live.id, &want).await?;
        }
        if has(changed, "tags") {
            retag(&self.client, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &IngressRule(want)))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let group = arg(live, "security_group_id");
        unless_missing(match self.direction {
            Direction::Ingress => {
                let request = self.client.ec2.revoke_security_group_ingress().group_id(group);
                let answer = request.security_group_rule_ids(&live.id).send().await;
                answer.map(drop).map_err(|e| fail("ec2:RevokeSecurityGroupIngress", &e))
            }
            Direction::Egress => {
                let request = self.client.ec2.revoke_security_group_egress().group_id(group);
                let answer = request.security_group_rule_ids(&live.id).send().await;
                answer.map(drop).map_err(|e| fail("ec2:RevokeSecurityGroupEgress", &e))
            }
        })
    }

    async fn find(&self, call: &Call, want: R) -> Result<Vec<Live>, CloudError> {
        let group = filter("group-id", id(&want.rule().security_group_id));
        let of = Of::call(call);
        let all = rules(&self.client, of.filters().into_iter().chain([group]).collect()).await?;
        Ok(all.iter().filter(|r| of.address::<R>(r.tags.as_deref()).is_some()).map(live_rule).collect())
    }
}

pub(crate) async fn rules(
    client: &Client,
    filters: Vec<types::Filter>,
) -> Result<Vec<types::SecurityGroupRule>, CloudError> {
    let pages = client.ec2.describe_security_group_rules().set_filters(Some(filters)).into_paginator().items();
    pages.send().collect::<Result<_, _>>().await.map_err(|e| fail("ec2:DescribeSecurityGroupRules", &e))
}

/// Rules of both kinds, by the addresses in their tags.
pub(crate) fn observed(all: &[types::SecurityGroupRule], of: Of<'_>) -> super::Found {
    let ours = |rule: &types::SecurityGroupRule| {
        let tags = rule.tags.as_deref();
        let addr = match rule.is_egress() {
            Some(true) => of.address::<EgressRule>(tags)?,
            _ => of.address::<IngressRule>(tags)?,
        };
        Some((addr, live_rule(rule)))
    };
    all.iter().filter_map(ours).collect()
}

fn permission(want: &Rule) -> IpPermission {
    let permission = IpPermission::builder().ip_protocol(&want.ip_protocol);
    let permission = permission.set_from_port(want.from_port).set_to_port(want.to_port);
    let permission = match &want.cidr_ipv4 {
        Some(cidr) => permission.ip_ranges(IpRange::builder().cidr_ip(cidr).description(&want.description).build()),
        None => permission,
    };
    match &want.referenced_security_group_id {
        Some(group) => permission
            .user_id_group_pairs(UserIdGroupPair::builder().group_id(id(group)).description(&want.description).build()),
        None => permission,
    }
    .build()
}

/// What makes two rules of a group and direction the same for AWS: the description is not part of it.
type Peer<'a> = (&'a str, Option<i32>, Option<i32>, Option<&'a str>, Option<&'a str>);

fn peer(want: &Rule) -> Peer<'_> {
    let group = want.referenced_security_group_id.as_ref().map(id);
    (&want.ip_protocol, want.from_port, want.to_port, want.cidr_ipv4.as_deref(), group)
}

/// AWS gives -1 for the ports of a rule that has none.
fn passes(rule: &types::SecurityGroupRule) -> Peer<'_> {
    let protocol = rule.ip_protocol().unwrap_or_default();
    let port = |port: Option<i32>| port.filter(|_| protocol != "-1");
    let group = rule.referenced_group_info().and_then(|group| group.group_id());
    (protocol, port(rule.from_port()), port(rule.to_port()), rule.cidr_ipv4(), group)
}

fn live_rule(rule: &types::SecurityGroupRule) -> Live {
    let (protocol, from_port, to_port, cidr, group) = passes(rule);
    let resource = Rule {
        security_group_id: input(rule.group_id()),
        ip_protocol: protocol.to_owned(),
        from_port,
        to_port,
        cidr_ipv4: cidr.map(str::to_owned),
        referenced_security_group_id: group.map(|group| input(Some(group))),
        description: rule.description().unwrap_or_default().to_owned(),
        tags: tags_of(rule.tags.as_deref()),
    };
    live_wanted(rule.security_group_rule_id().unwrap_or_default(), &resource)
}

/// Both kinds have the same arguments, so either says them.
fn live_wanted(rule: &str, want: &Rule) -> Live {
    live(rule, &IngressRule(want.clone()))
}
