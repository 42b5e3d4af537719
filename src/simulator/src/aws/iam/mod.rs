//! IAM: <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>.
//!
//! - `role` roles; `policy` their inline policies, and what a document must be; `profile` instance profiles
//!
//! A thing's id is its name. Instance profiles carry `_known_from`: other services come to know one later than IAM's own
//! reads, counted from when its role is in it.

mod policy;
mod profile;
mod role;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ACCOUNT;
use super::call::{Answer, Call, Refused, object};
use super::table::{Protocol, Service, text};
use crate::world::{Thing, World};

pub(super) static SERVICE: Service = Service {
    name: "iam",
    namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
    protocol: Protocol::Query,
    actions: &[role::ACTIONS, policy::ACTIONS, profile::ACTIONS],
    behaviours: &[role::BEHAVIOURS, policy::BEHAVIOURS, profile::BEHAVIOURS],
};

const ROLE: Kind = Kind { name: "role", quota: "RolesPerAccount" };
const PROFILE: Kind = Kind { name: "instance-profile", quota: "InstanceProfilesPerAccount" };

#[derive(Debug, Clone, Copy)]
struct Kind {
    name: &'static str,
    quota: &'static str,
}

impl Kind {
    fn unknown(self, name: &str) -> Refused {
        let message = match self.name {
            "role" => format!("The role with name {name} cannot be found."),
            _ => format!("Instance Profile {name} cannot be found."),
        };
        Refused::new(404, "NoSuchEntity", message)
    }

    /// Makes sure that a thing is there for whoever asks.
    fn find(self, world: &mut World, name: &str) -> Result<Thing, Refused> {
        if !world.knows(self.name, name) {
            return Err(self.unknown(name));
        }
        world.get(self.name, name).cloned().ok_or_else(|| self.unknown(name))
    }

    /// Makes sure that one more of that name may be made.
    fn admits(self, world: &World, name: &str) -> Result<(), Refused> {
        if world.get(self.name, name).is_some() {
            let message = match self.name {
                "role" => format!("Role with name {name} already exists."),
                _ => format!("Instance Profile {name} already exists."),
            };
            return Err(Refused::new(409, "EntityAlreadyExists", message));
        }
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        let most = world.weather.quotas.get(self.name).copied().unwrap_or(1000);
        if world.all(self.name).count() >= most as usize {
            return Err(exceeded(self.quota, most));
        }
        Ok(())
    }

    /// Those of a list whose path has the prefix of the request, a page of them.
    fn page(self, call: &mut Call<'_>, set: &str, shown: fn(&World, &Thing) -> Value) -> Answer {
        let prefix = call.text("PathPrefix").unwrap_or("/").to_owned();
        let mut found = call.world.listed(self.name);
        found.retain(|thing| thing.text("Path").starts_with(&prefix));
        let from: usize = call.text("Marker").and_then(|marker| marker.parse().ok()).unwrap_or(0);
        let most = call.number("MaxItems").and_then(|most| usize::try_from(most).ok()).unwrap_or(100).clamp(1, 1000);
        let more = found.len() > from + most;
        let items: Vec<Value> = found.iter().skip(from).take(most).map(|thing| shown(call.world, thing)).collect();
        let mut answer = object([(set, items.into()), ("IsTruncated", more.into())]);
        if more {
            answer.insert("Marker".to_owned(), (from + most).to_string().into());
        }
        Ok(answer)
    }
}

fn exceeded(quota: &str, most: u32) -> Refused {
    Refused::new(409, "LimitExceeded", format!("Cannot exceed quota for {quota}: {most}"))
}

fn validation(message: impl Into<String>) -> Refused {
    Refused::bad("ValidationError", message)
}

/// A name as IAM takes it: letters, digits and `+=,.@_-`.
fn named(call: &Call<'_>, param: &str, longest: usize) -> Result<String, Refused> {
    let name = call.needs(param).map_err(|refused| validation(refused.message))?;
    let right = name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c));
    if right && name.len() <= longest {
        return Ok(name);
    }
    Err(validation(format!(
        "The specified value for {param} is invalid. It must contain only alphanumeric characters \
                            and/or the following: +=,.@_-"
    )))
}

/// A path begins and ends with a slash.
fn path(call: &Call<'_>) -> Result<String, Refused> {
    let path = call.text("Path").unwrap_or("/");
    let right =
        path.starts_with('/') && path.ends_with('/') && path.len() <= 512 && path.chars().all(|c| c.is_ascii_graphic());
    if right {
        return Ok(path.to_owned());
    }
    Err(validation(
        "The specified value for path is invalid. It must begin and end with / and contain only \
                    alphanumeric characters and/or / characters.",
    ))
}

fn arn(resource: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{resource}{path}{name}")
}

/// A unique id such as `AROA` with 17 characters: nobody gets it again when the name is taken again.
fn unique(world: &mut World, prefix: &str) -> String {
    format!("{prefix}S{:016X}", world.number())
}

fn tags(call: &Call<'_>) -> BTreeMap<String, String> {
    call.list("Tags").iter().map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
}

fn tag_list(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}
