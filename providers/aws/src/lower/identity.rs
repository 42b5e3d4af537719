//! Who the machines are to AWS, and what they may do there: nothing that their bootstrap does not need.

use std::collections::BTreeMap;

use clusterctl_core::blueprint::{Identity, IdentityRole, Permission};
use clusterctl_core::bootstrap::{join_folder, secret_folder};
use clusterctl_core::graph::Concern;
use clusterctl_core::provider::LowerError;
use clusterctl_core::value::{Input, Json};
use serde_json::{Value, json};

use super::Lowering;
use crate::names::path;
use crate::resources::identity::{InstanceProfile, KeyPair, Role, RolePolicy};
use crate::resources::{KeyName, ProfileName};

pub(crate) type Profiles = BTreeMap<IdentityRole, Input<ProfileName>>;

pub(super) fn lower(to: &mut Lowering<'_>, identities: &[Identity], region: &str) -> Result<Profiles, LowerError> {
    let at = Concern::Identity;
    let mut profiles = Profiles::new();
    for Identity { role, may } in identities {
        let name = role.name();
        let role_name = to.fit::<Role>(name, 64);
        let path = path(&to.owner.uid, name);
        let made = to.add(
            at,
            name,
            &Role {
                name: role_name,
                path: path.clone(),
                assume_role_policy: Json(json!({
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Principal": {"Service": service(region, "ec2")},
                        "Action": "sts:AssumeRole",
                    }],
                })),
            },
        )?;
        let statements: Vec<Value> =
            may.iter().flat_map(|permission| statements(*permission, &to.owner.uid, region)).collect();
        to.add(
            at,
            name,
            &RolePolicy {
                name: name.to_owned(),
                role: made.name.clone(),
                policy: Json(json!({"Version": "2012-10-17", "Statement": statements})),
            },
        )?;
        let profile =
            to.add(at, name, &InstanceProfile { name: to.fit::<InstanceProfile>(name, 64), path, role: made.name })?;
        profiles.insert(*role, profile.name);
    }
    Ok(profiles)
}

/// The key pair of whoever may log in: AWS holds the first key.
pub(super) fn key_pair(to: &mut Lowering<'_>, keys: &[String]) -> Result<Option<Input<KeyName>>, LowerError> {
    let Some(first) = keys.first() else { return Ok(None) };
    let key = KeyPair {
        key_name: to.fit::<KeyPair>("ssh", 255),
        // Without the comment, which says nothing about the key and comes back otherwise.
        public_key: first.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
        tags: to.tags::<KeyPair>("ssh"),
    };
    Ok(Some(to.add(Concern::Identity, "ssh", &key)?.key_name))
}

/// The partition of a region: ARNs and endpoints differ in China and in the US government's regions.
pub(super) fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

fn service(region: &str, name: &str) -> String {
    if partition(region) == "aws-cn" { format!("{name}.amazonaws.com.cn") } else { format!("{name}.amazonaws.com") }
}

/// Parameters by path, in any account: SSM never looks into another one.
fn parameters(region: &str, folder: &str) -> Value {
    json!(format!("arn:{}:ssm:{region}:*:parameter{folder}/*", partition(region)))
}

fn statements(permission: Permission, uid: &str, region: &str) -> Vec<Value> {
    match permission {
        Permission::KeepSecrets => vec![json!({
            "Sid": "KeepSecrets",
            "Effect": "Allow",
            "Action": ["ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"],
            "Resource": parameters(region, &secret_folder(uid)),
        })],
        Permission::ReadJoinMaterial => vec![json!({
            "Sid": "ReadJoinMaterial",
            "Effect": "Allow",
            "Action": ["ssm:GetParameter"],
            "Resource": parameters(region, &join_folder(uid)),
        })],
    }
}
