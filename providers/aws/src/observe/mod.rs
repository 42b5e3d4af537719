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
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{CloudError, Fault, Live, Observed, Owner, Scope};
use tokio::time::sleep;

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
        unhurried(|| network::observe(client, owner, scope)),
        unhurried(|| security::observe(client, owner, scope)),
        unhurried(|| load_balancer::observe(client, owner, scope)),
        unhurried(|| control_plane::observe(client, owner, scope)),
        unhurried(|| node_groups::observe(client, owner, scope)),
        unhurried(|| identity::observe(client, owner, scope)),
        unhurried(|| dns::observe(client, owner, scope, zones)),
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

/// Reads one concern, and that one alone again while AWS says that it is asked too often: everything again would be asked
/// too often all the more.
async fn unhurried<T, R: Future<Output = Result<T, CloudError>>>(read: impl Fn() -> R) -> Result<T, CloudError> {
    const LONGEST: Duration = Duration::from_secs(8);
    let mut pause = Duration::from_millis(250);
    loop {
        match read().await {
            Err(error) if error.fault == Fault::Throttled && pause <= LONGEST => {
                sleep(error.retry_after.unwrap_or(pause)).await;
                pause *= 2;
            }
            other => return other,
        }
    }
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

    #[tokio::test(start_paused = true)]
    async fn a_busy_concern_is_read_again_alone() {
        let asked = std::cell::Cell::new(0);
        let read = |refusals: u32, fault: Fault| {
            asked.set(0);
            let asked = &asked;
            move || async move {
                asked.set(asked.get() + 1);
                if asked.get() > refusals { Ok(()) } else { Err(CloudError::new(fault, "ec2:DescribeVpcs", "X", "x")) }
            }
        };
        assert_eq!((unhurried(read(3, Fault::Throttled)).await, asked.get()), (Ok(()), 4));
        assert!(unhurried(read(99, Fault::Throttled)).await.is_err());
        assert!(unhurried(read(1, Fault::Auth)).await.is_err());
        assert_eq!(asked.get(), 1);
    }

    #[test]
    fn an_owner_or_an_arn_names_the_account() {
        assert_eq!(account(&Live::new("vpc-1").with("owner_id", "111122223333")).as_deref(), Some("111122223333"));
        let role = Live::new("r").with("arn", "arn:aws:iam::111122223333:role/clusterctl/0011/r/r");
        assert_eq!(account(&role).as_deref(), Some("111122223333"));
        assert_eq!(account(&Live::new("rtb-1")), None);
    }
}
