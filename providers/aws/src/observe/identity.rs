//! Roles, their policies, instance profiles and key pairs.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{InstanceProfile, Role};
use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{CloudError, Live, Owner, Scope};
use futures::future::{try_join, try_join_all};

use crate::client::{Client, fail};
use crate::drivers::adopt::{Read, address};
use crate::drivers::identity::{key_pairs, live_key, live_profile, live_role, policy};
use crate::names;

/// Reads the identities of `owner`: a list of profiles by path with the roles in them, one call for each role that exists,
/// and one for key pairs where they are in scope.
///
/// A role without a profile is what a run leaves that was cut short between the two; making it again adopts it. Only who
/// looks everywhere, as a deletion does, pays for a list of roles.
pub(crate) async fn observe(client: &Client, owner: &Owner, scope: &Scope) -> Result<Vec<(Addr, Live)>, CloudError> {
    let identities = async {
        if !["aws_iam_role", "aws_iam_role_policy", "aws_iam_instance_profile"].iter().any(|kind| scope.has(kind)) {
            return Ok(Vec::new());
        }
        let (profiles, listed) = try_join(list_profiles(client, owner), async {
            if *scope == Scope::Everything { list_roles(client, owner).await } else { Ok(Vec::new()) }
        })
        .await?;
        let mut roles: BTreeMap<String, Role> = BTreeMap::new();
        for role in profiles.iter().flat_map(|profile| profile.roles()).chain(&listed) {
            roles.entry(role.role_name.clone()).or_insert_with(|| role.clone());
        }
        let named = roles.values().filter_map(|role| Some((role, name(&role.path, owner)?)));
        let read = named.map(|(role, name)| async move {
            let policy = policy(client, &role.role_name, name).await?;
            let policy = policy.map(|live| (Addr::new("aws_iam_role_policy", name), live));
            Ok::<_, CloudError>([Some((Addr::new("aws_iam_role", name), live_role(role))), policy])
        });
        let mut all: Vec<(Addr, Live)> = try_join_all(read).await?.into_iter().flatten().flatten().collect();
        all.extend(profiles.iter().filter_map(|profile| {
            let addr = Addr::new("aws_iam_instance_profile", name(&profile.path, owner)?);
            Some((addr, live_profile(profile)))
        }));
        Ok(all)
    };
    let keys = async {
        if !scope.has("aws_key_pair") {
            return Ok(Vec::new());
        }
        let keys = key_pairs(client, &[(names::UID, &owner.uid)]).await?;
        let found = keys.iter().filter_map(|key| {
            let tags: Read = key.tags().iter().filter_map(|t| Some((t.key()?.into(), t.value()?.into()))).collect();
            Some((address(&tags, &owner.uid)?, live_key(key)))
        });
        Ok(found.collect::<Vec<_>>())
    };
    let (mut all, keys): (Vec<_>, Vec<_>) = try_join(identities, keys).await?;
    all.extend(keys);
    Ok(all)
}

/// The address name in a path of the owner's; deeper paths are not ours.
fn name<'a>(path: &'a str, owner: &Owner) -> Option<&'a str> {
    names::name_in_path(path, &owner.uid).filter(|name| !name.is_empty() && !name.contains('/'))
}

async fn list_roles(client: &Client, owner: &Owner) -> Result<Vec<Role>, CloudError> {
    let pages = client.iam.list_roles().path_prefix(format!("/clusterctl/{}/", owner.uid)).into_paginator().items();
    pages.send().try_collect().await.map_err(|e| fail("iam:ListRoles", &e))
}

async fn list_profiles(client: &Client, owner: &Owner) -> Result<Vec<InstanceProfile>, CloudError> {
    let prefix = format!("/clusterctl/{}/", owner.uid);
    let pages = client.iam.list_instance_profiles().path_prefix(prefix).into_paginator().items();
    pages.send().try_collect().await.map_err(|e| fail("iam:ListInstanceProfiles", &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_right_under_our_path_is_ours() {
        let owner = Owner { uid: "0011".into(), cluster: "demo".into() };
        assert_eq!(name("/clusterctl/0011/control-plane/", &owner), Some("control-plane"));
        for path in ["/clusterctl/0011/", "/clusterctl/0011/a/b/", "/clusterctl/00112/a/", "/", "/other/0011/a/"] {
            assert_eq!(name(path, &owner), None, "{path}");
        }
    }
}
