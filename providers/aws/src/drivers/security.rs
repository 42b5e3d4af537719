//! Drivers of security groups; `rules` has those of their rules.

pub(crate) mod rules;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use aws_sdk_ec2::types::{self, IpPermission, IpRange, ResourceType};
use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Driver, Live, Typed};

use self::rules::{Direction, Rules};
use crate::client::{Client, fail, unless_missing};
use crate::drivers::ec2::{Found, Of, filter, given, has, id, input, live, lives, retag, tagged, tags_of, updated};
use crate::resources::security::{self as kinds, EgressRule, IngressRule, SecurityGroup};

pub(crate) fn drivers(client: &Client) -> Vec<(&'static str, Box<dyn AnyDriver>)> {
    vec![
        (kinds::SECURITY_GROUP.name, Box::new(Typed(SecurityGroups(client.clone())))),
        (kinds::INGRESS_RULE.name, Box::new(Typed(Rules::<IngressRule>::new(client, Direction::Ingress)))),
        (kinds::EGRESS_RULE.name, Box::new(Typed(Rules::<EgressRule>::new(client, Direction::Egress)))),
    ]
}

/// A security group, made without rules.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html> takes no client token, but the
/// name is taken after the first attempt.
#[derive(Debug)]
struct SecurityGroups(Client);

impl SecurityGroups {
    /// AWS lets everything out of a new group.
    async fn close(&self, group: &str) -> Result<(), CloudError> {
        let everywhere = IpRange::builder().cidr_ip("0.0.0.0/0").build();
        let everything = IpPermission::builder().ip_protocol("-1").ip_ranges(everywhere).build();
        let request = self.0.ec2.revoke_security_group_egress().group_id(group).ip_permissions(everything);
        match request.send().await.map_err(|e| fail("ec2:RevokeSecurityGroupEgress", &e)) {
            Err(error) if error.code == "InvalidPermission.NotFound" => Ok(()),
            // A group that is not known everywhere yet is as open as AWS made it.
            answer => answer.map(drop),
        }
    }

    /// The same for a group that was there already: its rule for everywhere may be one of ours by now, which has tags.
    async fn close_again(&self, group: &str) -> Result<(), CloudError> {
        let request = self.0.ec2.describe_security_group_rules().filters(filter("group-id", group));
        let answer = request.send().await.map_err(|e| fail("ec2:DescribeSecurityGroupRules", &e))?;
        let open = answer.security_group_rules().iter().filter(|rule| {
            rule.is_egress() == Some(true)
                && rule.ip_protocol() == Some("-1")
                && rule.cidr_ipv4() == Some("0.0.0.0/0")
                && rule.tags().is_empty()
        });
        let ids: Vec<String> = open.filter_map(|rule| rule.security_group_rule_id().map(str::to_owned)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let request = self.0.ec2.revoke_security_group_egress().group_id(group).set_security_group_rule_ids(Some(ids));
        unless_missing(request.send().await.map(drop).map_err(|e| fail("ec2:RevokeSecurityGroupEgress", &e)))
    }

    /// The group that has taken the name: ours from an attempt whose answer was lost, or somebody else's.
    async fn adopted(&self, call: &Call, want: &SecurityGroup, error: CloudError) -> Result<Live, CloudError> {
        let request = self.0.ec2.describe_security_groups();
        let request = request.filters(filter("vpc-id", id(&want.vpc_id))).filters(filter("group-name", &want.name));
        let answer = request.send().await.map_err(|e| fail("ec2:DescribeSecurityGroups", &e))?;
        let Some(group) = answer.security_groups().first() else { return Err(error) };
        if Of::call(call).address::<SecurityGroup>(group.tags.as_deref()).is_some() {
            return Ok(live_group(group));
        }
        let group = group.group_id().unwrap_or_default();
        let message = format!("{group} has the name {} and does not carry this cluster's tags", want.name);
        Err(CloudError { message, ..error })
    }
}

#[async_trait]
impl Driver for SecurityGroups {
    type Resource = SecurityGroup;

    async fn create(&self, call: &Call, want: SecurityGroup) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_security_group().group_name(&want.name).description(&want.description);
        let request = request.vpc_id(id(&want.vpc_id));
        let request = request.tag_specifications(tagged(ResourceType::SecurityGroup, &want.tags));
        let live = match request.send().await.map_err(|e| fail("ec2:CreateSecurityGroup", &e)) {
            Err(error) if error.code == "InvalidGroup.Duplicate" => {
                let live = self.adopted(call, &want, error).await?;
                self.close_again(&live.id).await?;
                return Ok(updated(&live, &want));
            }
            answer => live(&given(answer?.group_id, "ec2:CreateSecurityGroup")?, &want),
        };
        let made = updated(&live, &SecurityGroup { default_egress: true, ..want });
        self.close(&live.id).await.map_err(|error| error.after(made))?;
        Ok(live)
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: SecurityGroup,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if has(changed, "default_egress") {
            self.close(&live.id).await?;
        }
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_security_group().group_id(&live.id).send().await;
        unless_missing(answer.map(drop).map_err(|e| fail("ec2:DeleteSecurityGroup", &e)))
    }

    async fn find(&self, call: &Call, _want: SecurityGroup) -> Result<Vec<Live>, CloudError> {
        security_groups(&self.0, Of::call(call)).await.map(lives)
    }
}

pub(crate) async fn security_groups(client: &Client, of: Of<'_>) -> Result<Found, CloudError> {
    let pages = client.ec2.describe_security_groups().set_filters(Some(of.filters())).into_paginator().items();
    let all: Vec<types::SecurityGroup> =
        pages.send().collect::<Result<_, _>>().await.map_err(|e| fail("ec2:DescribeSecurityGroups", &e))?;
    let ours =
        |group: &types::SecurityGroup| Some((of.address::<SecurityGroup>(group.tags.as_deref())?, live_group(group)));
    Ok(all.iter().filter_map(ours).collect())
}

fn live_group(group: &types::SecurityGroup) -> Live {
    let resource = SecurityGroup {
        name: group.group_name().unwrap_or_default().to_owned(),
        description: group.description().unwrap_or_default().to_owned(),
        vpc_id: input(group.vpc_id()),
        default_egress: group.ip_permissions_egress().iter().any(is_default),
        tags: tags_of(group.tags.as_deref()),
    };
    live(group.group_id().unwrap_or_default(), &resource).with("owner_id", group.owner_id().unwrap_or_default())
}

/// Rules of ours, unlike the one that AWS makes, say in their description what they are for.
fn is_default(permission: &IpPermission) -> bool {
    let everywhere =
        |range: &IpRange| range.cidr_ip() == Some("0.0.0.0/0") && range.description().is_none_or(str::is_empty);
    permission.ip_protocol() == Some("-1") && permission.ip_ranges().iter().any(everywhere)
}
