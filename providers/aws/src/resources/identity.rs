//! Roles, their policies and profiles, and the key pair.

use clusterctl_core::graph::{Kind, Ownership, Resource};
use clusterctl_core::value::{Input, Json};
use serde::{Deserialize, Serialize};

use super::{KeyName, ProfileName, RoleArn, RoleName, Tags, outputs};

/// Owned by its path, `/clusterctl/<uid>/`: IAM lists by path and gives no tags in lists.
pub static ROLE: Kind = Kind {
    ownership: Ownership::Named,
    forces_new: &["name", "path"],
    identity: &["id", "arn"],
    seconds: (1.0, 1.0),
    ..Kind::new("aws_iam_role")
};

/// Its id is its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    pub path: String,
    pub assume_role_policy: Json,
}

outputs!(RoleOut { name: RoleName, arn: RoleArn });
impl Resource for Role {
    const KIND: &'static Kind = &ROLE;
    type Out = RoleOut;
}

pub static ROLE_POLICY: Kind =
    Kind { ownership: Ownership::Child, forces_new: &["name", "role"], ..Kind::new("aws_iam_role_policy") };

/// Its id is `<role>:<name>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolePolicy {
    pub name: String,
    pub role: Input<RoleName>,
    pub policy: Json,
}

outputs!(RolePolicyOut { role: RoleName });
impl Resource for RolePolicy {
    const KIND: &'static Kind = &ROLE_POLICY;
    type Out = RolePolicyOut;
}

pub static INSTANCE_PROFILE: Kind = Kind {
    ownership: Ownership::Named,
    forces_new: &["name", "path"],
    identity: &["id", "arn"],
    seconds: (8.0, 1.0),
    early: &["id", "name", "arn"],
    ..Kind::new("aws_iam_instance_profile")
};

/// Its id is its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceProfile {
    pub name: String,
    pub path: String,
    pub role: Input<RoleName>,
}

outputs!(InstanceProfileOut { name: ProfileName });
impl Resource for InstanceProfile {
    const KIND: &'static Kind = &INSTANCE_PROFILE;
    type Out = InstanceProfileOut;
}

pub static KEY_PAIR: Kind = Kind { forces_new: &["key_name", "public_key"], ..Kind::new("aws_key_pair") };

/// Its id is its name. AWS holds one key; further keys of the user are put on the machine by user-data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyPair {
    pub key_name: String,
    pub public_key: String,
    pub tags: Tags,
}

outputs!(KeyPairOut { key_name: KeyName });
impl Resource for KeyPair {
    const KIND: &'static Kind = &KEY_PAIR;
    type Out = KeyPairOut;
}
