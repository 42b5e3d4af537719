//! Names and tags: what proves that a resource is ours, and which one it is.

use clusterctl_core::addr::Addr;
use clusterctl_core::value::sha256_hex;

use crate::resources::Tags;

/// The owner's uid: on every resource that can be tagged.
pub const UID: &str = "clusterctl.dev/uid";
/// The address in the graph.
pub const ADDRESS: &str = "clusterctl.dev/address";
/// The cluster's name, for people.
pub const CLUSTER: &str = "clusterctl.dev/cluster";
/// The SHA-256 of a machine's user-data, which AWS gives back only machine by machine.
pub const USER_DATA: &str = "clusterctl.dev/user-data";
/// What AWS consoles show as the name.
pub const NAME: &str = "Name";

/// A name that fits `limit`, the same for the same cluster, kind and purpose, and unlike that of any other.
///
/// Long ones are cut before the hash, so that the hash keeps them apart. Kinds differ too: a name can be an id, and who
/// mentions an id has to be deleted first.
#[must_use]
pub fn fit(cluster: &str, uid: &str, kind: &str, what: &str, limit: usize) -> String {
    let hash = &sha256_hex(format!("{uid}/{kind}/{what}").as_bytes())[..8];
    let mut name = format!("{cluster}-{what}");
    name.truncate(limit - 9);
    format!("{}-{hash}", name.trim_end_matches('-'))
}

/// The path of roles and instance profiles: IAM lists by it, and it holds owner and address.
#[must_use]
pub fn path(uid: &str, name: &str) -> String {
    format!("/clusterctl/{uid}/{name}/")
}

/// Reads the address name out of a [`path`] of `uid`.
#[must_use]
pub fn name_in_path<'a>(path: &'a str, uid: &str) -> Option<&'a str> {
    path.strip_prefix("/clusterctl/")?.strip_prefix(uid)?.strip_prefix('/')?.strip_suffix('/')
}

/// Where nodes keep what they tell each other.
#[must_use]
pub fn secrets_path(uid: &str) -> String {
    format!("/clusterctl/{uid}")
}

/// The tags of every resource, with the user's own beneath ours.
#[must_use]
pub fn tags(cluster: &str, uid: &str, addr: &Addr, extra: &std::collections::BTreeMap<String, String>) -> Tags {
    let mut tags: Tags = extra.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect();
    tags.insert(UID.into(), uid.into());
    tags.insert(ADDRESS.into(), addr.to_string().into());
    tags.insert(CLUSTER.into(), cluster.into());
    tags.insert(NAME.into(), format!("{cluster}-{}", addr.name).into());
    tags
}

/// The last word of a route's address: `default`, or the destination with dashes.
#[must_use]
pub fn destination(cidr: &str) -> String {
    if cidr == "0.0.0.0/0" { "default".to_owned() } else { cidr.replace(['.', '/'], "-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_differ() {
        let long = "a".repeat(28);
        for limit in [32, 64, 255] {
            let one = fit(&long, "0011223344556677", "aws_lb", "api", limit);
            let other = fit(&long, "0011223344556678", "aws_lb", "api", limit);
            assert!(one.len() <= limit && one != other, "{one} {other}");
        }
        assert_eq!(fit("demo", "0011223344556677", "aws_lb", "api", 32), "demo-api-f1fbcd2c");
    }

    #[test]
    fn a_path_tells_owner_and_address() {
        let path = path("0011", "control-plane");
        assert_eq!(name_in_path(&path, "0011"), Some("control-plane"));
        assert_eq!(name_in_path(&path, "0012"), None);
    }

    #[test]
    fn a_group_called_as_something_else_has_a_name_of_its_own() {
        // The id of an autoscaling group is its name; a launch template mentions the key pair by name.
        let name = |kind| fit("demo", "00c0ffee00c0ffee", kind, "ssh", 255);
        assert_ne!(name("aws_autoscaling_group"), name("aws_key_pair"));
    }
}
