//! Reads security groups and their rules.

use clusterctl_core::cloud::{CloudError, Owner, Scope};

use super::network::only;
use crate::client::Client;
use crate::drivers::ec2::{Found, Of};
use crate::drivers::security::{rules, security_groups};
use crate::resources::security as kinds;

pub(crate) async fn observe(client: &Client, owner: &Owner, scope: &Scope) -> Result<Found, CloudError> {
    let of = Of::owner(owner);
    let rules = async {
        match scope.has(kinds::INGRESS_RULE.name) || scope.has(kinds::EGRESS_RULE.name) {
            true => rules::rules(client, of.filters()).await,
            false => Ok(Vec::new()),
        }
    };
    let groups = only(scope, kinds::SECURITY_GROUP.name, security_groups(client, of));
    let (groups, rules) = futures::try_join!(groups, rules)?;
    Ok([groups, rules::observed(&rules, of)].concat())
}
