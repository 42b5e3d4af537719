//! Roles, their inline policies, instance profiles, and the key pair.
//!
//! IAM takes no client tokens: names are unique in the account, and the path of a role or profile proves whose it is
//! (`names::path`). A role has one inline policy of ours, and its name is the role's name in the graph, so that it is
//! found without listing.

use async_trait::async_trait;
use aws_sdk_ec2::types::{Filter, KeyPairInfo, ResourceType, Tag, TagSpecification};
use aws_sdk_iam::types::{InstanceProfile as SdkProfile, Role as SdkRole};
use aws_smithy_types::Blob;
use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Driver, Fault, Live, Typed};
use clusterctl_core::value::{Input, Json};
use serde_json::{Value, json};

use super::adopt::{Read, adopt, conflict, empty_answer, given, plain, read, updated};
use crate::client::{Client, fail, is_missing, unless_missing};
use crate::names;
use crate::resources::identity::{InstanceProfile, KeyPair, Role, RolePolicy};

pub(crate) fn drivers(client: &Client) -> Vec<(&'static str, Box<dyn AnyDriver>)> {
    let client = || client.clone();
    vec![
        ("aws_iam_role", Box::new(Typed(RoleDriver(client())))),
        ("aws_iam_role_policy", Box::new(Typed(PolicyDriver(client())))),
        ("aws_iam_instance_profile", Box::new(Typed(ProfileDriver(client())))),
        ("aws_key_pair", Box::new(Typed(KeyDriver(client())))),
    ]
}

/// A document as IAM gives it back: JSON, percent-encoded (RFC 3986). What is no JSON stays a string, and differs.
fn document(encoded: &str) -> Json {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |i: usize| after.get(i).and_then(|b| char::from(*b).to_digit(16));
        let escaped = digit(0).zip(digit(1)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        match escaped.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Json(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A role as it is.
pub(crate) fn live_role(role: &SdkRole) -> Live {
    let args = Role {
        name: role.role_name.clone(),
        path: role.path.clone(),
        assume_role_policy: document(role.assume_role_policy_document().unwrap_or_default()),
    };
    let live = Live::new(&role.role_name).with("name", role.role_name.clone()).with("arn", role.arn.clone());
    updated(&live, &args)
}

/// The inline policy of a role; `policy` is the document as IAM gives it back.
pub(crate) fn live_policy(role: &str, name: &str, policy: &str) -> Live {
    let args = RolePolicy { name: name.to_owned(), role: Input::known(role), policy: document(policy) };
    updated(&Live::new(format!("{role}:{name}")).with("role", role), &args)
}

/// An instance profile as it is. Without a role it has no `role` argument, so that it differs.
pub(crate) fn live_profile(profile: &SdkProfile) -> Live {
    let name = &profile.instance_profile_name;
    let mut live = Live::new(name).with("name", name.clone()).with("arn", profile.arn.clone());
    live.args = json!({ "name": name, "path": profile.path });
    if let Some(role) = profile.roles.first() {
        live.args["role"] = Value::from(role.role_name.clone());
    }
    live
}

/// The type and the key itself: the comment is nothing to AWS, which may give another one back.
fn without_comment(public_key: &str) -> String {
    public_key.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// A key pair as it is.
pub(crate) fn live_key(key: &KeyPairInfo) -> Live {
    let name = key.key_name().unwrap_or_default();
    let tags: Read = key.tags().iter().filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned()))).collect();
    let args = KeyPair {
        key_name: name.to_owned(),
        public_key: without_comment(key.public_key().unwrap_or_default()),
        tags: given(&tags),
    };
    let live = Live::new(name).with("key_name", name).with(KEY_PAIR_ID, key.key_pair_id().unwrap_or_default());
    updated(&live, &args)
}

#[derive(Debug, Clone)]
struct RoleDriver(Client);

/// Whether IAM does not find what it has just called a name that is taken: its reads are behind its writes
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>).
fn is_behind(read: Result<(), CloudError>) -> bool {
    read.is_err_and(|error| is_missing(&error))
}

#[async_trait]
impl Driver for RoleDriver {
    type Resource = Role;

    async fn create(&self, call: &Call, want: Role) -> Result<Live, CloudError> {
        let trust = want.assume_role_policy.0.to_string();
        let request =
            self.0.iam.create_role().role_name(&want.name).path(&want.path).assume_role_policy_document(trust);
        match request.send().await.map_err(|e| fail("iam:CreateRole", &e)) {
            Ok(answer) => {
                let role = answer.role().ok_or_else(|| empty_answer("iam:CreateRole"))?;
                Ok(updated(&live_role(role), &want))
            }
            Err(error) if error.code == "EntityAlreadyExists" => {
                let name = want.name.clone();
                let read = self.0.iam.get_role().role_name(&name).send().await;
                if is_behind(read.map(drop).map_err(|e| fail("iam:GetRole", &e))) {
                    return Err(CloudError { fault: Fault::NotReady, ..error });
                }
                adopt(self, call, want, &name, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, _call: &Call, live: &Live, want: Role, changed: &[String]) -> Result<Live, CloudError> {
        if changed.iter().any(|argument| argument == "assume_role_policy") {
            let trust = want.assume_role_policy.0.to_string();
            let request = self.0.iam.update_assume_role_policy().role_name(&live.id).policy_document(trust);
            request.send().await.map_err(|e| fail("iam:UpdateAssumeRolePolicy", &e))?;
        }
        Ok(updated(live, &want))
    }

    /// Policies of the role that are still there, also somebody else's, hold it: then it is not ready to be deleted.
    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let result = self.0.iam.delete_role().role_name(&live.id).send().await;
        unless_missing(result.map(drop).map_err(|e| fail("iam:DeleteRole", &e)))
    }

    async fn find(&self, call: &Call, want: Role) -> Result<Vec<Live>, CloudError> {
        match self.0.iam.get_role().role_name(&want.name).send().await.map_err(|e| fail("iam:GetRole", &e)) {
            Ok(answer) => Ok(answer.role().filter(|role| ours(&role.path, call)).map(live_role).into_iter().collect()),
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// Whether a path proves that this is the resource of the call.
fn ours(path: &str, call: &Call) -> bool {
    names::name_in_path(path, &call.owner.uid) == Some(call.addr.name.as_str())
}

#[derive(Debug, Clone)]
struct PolicyDriver(Client);

impl PolicyDriver {
    async fn put(&self, want: &RolePolicy) -> Result<Live, CloudError> {
        let role = want.role.value().unwrap_or_default();
        let request = self.0.iam.put_role_policy().role_name(role).policy_name(&want.name);
        let request = request.policy_document(want.policy.0.to_string());
        request.send().await.map_err(|e| fail("iam:PutRolePolicy", &e))?;
        Ok(updated(&Live::new(format!("{role}:{}", want.name)).with("role", role), want))
    }
}

/// The inline policy of a role, as it is; `None` when there is none of that name.
pub(crate) async fn policy(client: &Client, role: &str, name: &str) -> Result<Option<Live>, CloudError> {
    let result = client.iam.get_role_policy().role_name(role).policy_name(name).send().await;
    match result.map_err(|e| fail("iam:GetRolePolicy", &e)) {
        Ok(answer) => Ok(Some(live_policy(role, name, &answer.policy_document))),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Driver for PolicyDriver {
    type Resource = RolePolicy;

    /// Puts it: the role is ours, and with it the policy of that name.
    async fn create(&self, _call: &Call, want: RolePolicy) -> Result<Live, CloudError> {
        self.put(&want).await
    }

    async fn update(&self, _: &Call, _: &Live, want: RolePolicy, _changed: &[String]) -> Result<Live, CloudError> {
        self.put(&want).await
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let Some((role, name)) = live.id.split_once(':') else { return Ok(()) };
        let result = self.0.iam.delete_role_policy().role_name(role).policy_name(name).send().await;
        unless_missing(result.map(drop).map_err(|e| fail("iam:DeleteRolePolicy", &e)))
    }

    async fn find(&self, _call: &Call, want: RolePolicy) -> Result<Vec<Live>, CloudError> {
        Ok(policy(&self.0, want.role.value().unwrap_or_default(), &want.name).await?.into_iter().collect())
    }
}

#[derive(Debug, Clone)]
struct ProfileDriver(Client);

impl ProfileDriver {
    async fn add_role(&self, profile: &str, role: &str) -> Result<(), CloudError> {
        let request = self.0.iam.add_role_to_instance_profile().instance_profile_name(profile).role_name(role);
        match request.send().await.map_err(|e| fail("iam:AddRoleToInstanceProfile", &e)) {
            // A profile holds one role, also when it is this one already, from an attempt whose answer was lost.
            Err(error) if error.code == "LimitExceeded" => {
                let request = self.0.iam.get_instance_profile().instance_profile_name(profile);
                let answer = request.send().await.map_err(|e| fail("iam:GetInstanceProfile", &e))?;
                let roles = answer.instance_profile().map(|profile| profile.roles()).unwrap_or_default();
                if roles.iter().any(|held| held.role_name() == role) { Ok(()) } else { Err(error) }
            }
            answer => answer.map(drop),
        }
    }

    async fn remove_role(&self, live: &Live) -> Result<(), CloudError> {
        let Some(role) = live.args.get("role").and_then(Value::as_str) else { return Ok(()) };
        let request = self.0.iam.remove_role_from_instance_profile().instance_profile_name(&live.id).role_name(role);
        let result = request.send().await;
        unless_missing(result.map(drop).map_err(|e| fail("iam:RemoveRoleFromInstanceProfile", &e)))
    }
}

#[async_trait]
impl Driver for ProfileDriver {
    type Resource = InstanceProfile;

    /// Makes the profile, then puts the role in; cut short in between, it is found without a role and differs.
    async fn create(&self, call: &Call, want: InstanceProfile) -> Result<Live, CloudError> {
        let request = self.0.iam.create_instance_profile().instance_profile_name(&want.name).path(&want.path);
        match request.send().await.map_err(|e| fail("iam:CreateInstanceProfile", &e)) {
            Ok(answer) => {
                let made = answer.instance_profile().ok_or_else(|| empty_answer("iam:CreateInstanceProfile"))?;
                let made = live_profile(made);
                let role = self.add_role(&want.name, want.role.value().unwrap_or_default()).await;
                role.map_err(|error| error.after(made.clone()))?;
                Ok(updated(&made, &want))
            }
            Err(error) if error.code == "EntityAlreadyExists" => {
                let name = want.name.clone();
                let read = self.0.iam.get_instance_profile().instance_profile_name(&name).send().await;
                if is_behind(read.map(drop).map_err(|e| fail("iam:GetInstanceProfile", &e))) {
                    return Err(CloudError { fault: Fault::NotReady, ..error });
                }
                adopt(self, call, want, &name, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: InstanceProfile,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if changed.iter().any(|argument| argument == "role") {
            // A profile holds one role.
            self.remove_role(live).await?;
            self.add_role(&live.id, want.role.value().unwrap_or_default()).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        self.remove_role(live).await?;
        let result = self.0.iam.delete_instance_profile().instance_profile_name(&live.id).send().await;
        unless_missing(result.map(drop).map_err(|e| fail("iam:DeleteInstanceProfile", &e)))
    }

    async fn find(&self, call: &Call, want: InstanceProfile) -> Result<Vec<Live>, CloudError> {
        let result = self.0.iam.get_instance_profile().instance_profile_name(&want.name).send().await;
        match result.map_err(|e| fail("iam:GetInstanceProfile", &e)) {
            Ok(answer) => {
                let profile = answer.instance_profile().filter(|profile| ours(&profile.path, call));
                Ok(profile.map(live_profile).into_iter().collect())
            }
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The id of a key pair: unlike its name, nobody can take it again.
const KEY_PAIR_ID: &str = "key_pair_id";

#[derive(Debug, Clone)]
struct KeyDriver(Client);

/// Reads key pairs by tags.
pub(crate) async fn key_pairs(client: &Client, tags: &[(&str, &str)]) -> Result<Vec<KeyPairInfo>, CloudError> {
    let filters = tags.iter().map(|(key, value)| Filter::builder().name(format!("tag:{key}")).values(*value).build());
    let request = client.ec2.describe_key_pairs().include_public_key(true).set_filters(Some(filters.collect()));
    let answer = request.send().await.map_err(|e| fail("ec2:DescribeKeyPairs", &e))?;
    Ok(answer.key_pairs.unwrap_or_default())
}

#[async_trait]
impl Driver for KeyDriver {
    type Resource = KeyPair;

    async fn create(&self, call: &Call, want: KeyPair) -> Result<Live, CloudError> {
        let tags = read(&want.tags).into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = TagSpecification::builder().resource_type(ResourceType::KeyPair).set_tags(Some(tags.collect()));
        let request = self.0.ec2.import_key_pair().key_name(&want.key_name).tag_specifications(tags.build());
        let request = request.public_key_material(Blob::new(want.public_key.as_bytes()));
        match request.send().await.map_err(|e| fail("ec2:ImportKeyPair", &e)) {
            Ok(answer) => {
                let live = Live::new(&want.key_name).with("key_name", want.key_name.clone());
                Ok(updated(&live.with(KEY_PAIR_ID, answer.key_pair_id().unwrap_or_default()), &want))
            }
            Err(error) if error.code == "InvalidKeyPair.Duplicate" => {
                let name = want.key_name.clone();
                adopt(self, call, want, &name, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, _call: &Call, live: &Live, want: KeyPair, changed: &[String]) -> Result<Live, CloudError> {
        let id = live.outputs.get(KEY_PAIR_ID).and_then(Value::as_str).unwrap_or_default();
        if changed.iter().any(|argument| argument == "tags") {
            let tags = want.tags.iter().map(|(key, value)| Tag::builder().key(key).value(plain(value)).build());
            let request = self.0.ec2.create_tags().resources(id).set_tags(Some(tags.collect()));
            request.send().await.map_err(|e| fail("ec2:CreateTags", &e))?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        let Some(id) = live.outputs.get(KEY_PAIR_ID).and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            let words = format!("`{}` was observed without its id", live.id);
            return Err(conflict(empty_answer("ec2:DeleteKeyPair"), &format!("{}: {words}", call.addr)));
        };
        let result = self.0.ec2.delete_key_pair().key_pair_id(id).send().await;
        unless_missing(result.map(drop).map_err(|e| fail("ec2:DeleteKeyPair", &e)))
    }

    async fn find(&self, call: &Call, want: KeyPair) -> Result<Vec<Live>, CloudError> {
        let addr = call.addr.to_string();
        let found = key_pairs(&self.0, &[(names::UID, &call.owner.uid), (names::ADDRESS, &addr)]).await?;
        Ok(found.iter().filter(|key| key.key_name() == Some(&want.key_name)).map(live_key).collect())
    }
}

#[cfg(test)]
mod tests;
