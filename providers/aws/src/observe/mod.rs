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

use clusterctl_core::cloud::{CloudError, Live, Observed, Owner, Scope};

use crate::client::Client;

/// Reads everything of `owner`, all concerns at once.
///
/// # Errors
/// The first failure: half of what is there must not be taken for all of it.
pub async fn observe(client: &Client, owner: &Owner, scope: &Scope) -> Result<Observed, CloudError> {
    let all = futures::try_join!(network::observe(client, owner, scope), security::observe(client, owner, scope),)?;
    let mut observed = Observed::default();
    for (addr, live) in [all.0, all.1].into_iter().flatten() {
        if observed.account.is_none() {
            observed.account = account(&live);
        }
        observed.insert(addr, live);
    }
    Ok(observed)
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
