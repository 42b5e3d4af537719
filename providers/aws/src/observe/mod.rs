//! Reads everything of an owner, one file per concern, in a constant number of calls and their pages.
//!
//! `network` · `security` · `load_balancer` · `control_plane` · `node_groups` · `identity` · `dns`

pub(crate) mod control_plane;
pub(crate) mod dns;
pub(crate) mod identity;
pub(crate) mod load_balancer;
pub(crate) mod network;
pub(crate) mod node_groups;
pub(crate) mod security;

use std::collections::BTreeMap;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{CloudError, Live, Observed, Owner, Scope};

use crate::client::Client;
use crate::resources::control_plane::NETWORK_INTERFACE;

/// Reads everything of `owner`, all concerns at once.
///
/// `zones` are the ids of the user's own public zones that hold records of the owner; they carry no mark of ours.
///
/// # Errors
/// The first failure: half of what is there must not be taken for all of it.
pub async fn observe(client: &Client, owner: &Owner, scope: &Scope, zones: &[String]) -> Result<Observed, CloudError> {
    let (network, security, balancing, machines, groups, identity, dns) = futures::try_join!(
        network::observe(client, owner, scope),
        security::observe(client, owner, scope),
        load_balancer::observe(client, owner, scope),
        control_plane::observe(client, owner, scope),
        node_groups::observe(client, owner, scope),
        identity::observe(client, owner, scope),
        dns::observe(client, owner, scope, zones),
    )?;
    let targets = load_balancer::attachments(&balancing.targets, &interfaces(&machines));
    let mut observed = Observed::default();
    let all = [network, security, balancing.resources, targets, machines, groups, identity, dns];
    for (addr, live) in all.into_iter().flatten() {
        if observed.account.is_none() {
            observed.account = account(&live);
        }
        observed.insert(addr, live);
    }
    Ok(observed)
}

/// The names of the network interfaces by their private addresses: what is registered in a target group is known by its
/// address alone.
fn interfaces(machines: &[(Addr, Live)]) -> BTreeMap<String, String> {
    let interfaces = machines.iter().filter(|(addr, _)| addr.kind == NETWORK_INTERFACE.name);
    interfaces
        .filter_map(|(addr, live)| Some((live.outputs.get("private_ip")?.as_str()?.to_owned(), addr.name.clone())))
        .collect()
}

/// The account that an answer names: as the owner of a VPC or security group, or inside an ARN.
fn account(live: &Live) -> Option<String> {
    let text = |name: &str| live.outputs.get(name).and_then(serde_json::Value::as_str);
    let account = text("owner_id").or_else(|| text("arn")?.split(':').nth(4))?;
    (!account.is_empty()).then(|| account.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_or_an_arn_names_the_account() {
        assert_eq!(account(&Live::new("vpc-1").with("owner_id", "111122223333")).as_deref(), Some("111122223333"));
        let role = Live::new("r").with("arn", "arn:aws:iam::111122223333:role/clusterctl/0011/r/r");
        assert_eq!(account(&role).as_deref(), Some("111122223333"));
        assert_eq!(account(&Live::new("rtb-1")), None);
    }
}
