//! Elastic Load Balancing, network load balancers:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html>.
//!
//! - `balancer` load balancers; `changes` of their subnets and security groups; `interface` what they put into subnets
//! - `group` target groups; `attributes` of them; `targets` what is registered in them; `health` how it fares
//! - `listener`; `tags`

mod attributes;
mod balancer;
mod changes;
mod group;
mod health;
mod interface;
mod listener;
mod tags;
mod targets;

pub(super) use health::serves;

use serde_json::{Map, Value};

use super::call::{Answer, Call, Refused, object};
use super::table::{Protocol, Service, text};
use super::{ACCOUNT, call};
use crate::world::{Thing, World};

pub(super) static SERVICE: Service = Service {
    name: "elasticloadbalancing",
    namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    protocol: Protocol::Query,
    actions: &[
        balancer::ACTIONS,
        changes::ACTIONS,
        group::ACTIONS,
        attributes::ACTIONS,
        targets::ACTIONS,
        listener::ACTIONS,
        tags::ACTIONS,
    ],
    behaviours: &[
        balancer::BEHAVIOURS,
        changes::BEHAVIOURS,
        group::BEHAVIOURS,
        attributes::BEHAVIOURS,
        targets::BEHAVIOURS,
        health::BEHAVIOURS,
        listener::BEHAVIOURS,
        tags::BEHAVIOURS,
    ],
};

/// Nothing happens by name: states change by attributes, and health is told from times.
pub(super) fn happened(_: &mut World, _: &str, _: &str, _: &str) {}

/// The kinds of this service: what its things are, what their ARNs say, and the error when one is not there.
const LOAD_BALANCER: Kind = Kind { name: "load-balancer", arn: "loadbalancer", missing: "LoadBalancerNotFound" };
const TARGET_GROUP: Kind = Kind { name: "target-group", arn: "targetgroup", missing: "TargetGroupNotFound" };
const LISTENER: Kind = Kind { name: "listener", arn: "listener", missing: "ListenerNotFound" };

#[derive(Debug, Clone, Copy)]
struct Kind {
    name: &'static str,
    arn: &'static str,
    missing: &'static str,
}

impl Kind {
    fn arn(self, world: &World, path: &str) -> String {
        format!("arn:aws:elasticloadbalancing:{}:{ACCOUNT}:{}/{path}", world.region, self.arn)
    }

    /// The kind that an ARN names.
    fn of(arn: &str) -> Option<Self> {
        let resource = arn.splitn(6, ':').nth(5)?.split('/').next()?;
        [LOAD_BALANCER, TARGET_GROUP, LISTENER].into_iter().find(|kind| kind.arn == resource)
    }

    fn unknown(self) -> Refused {
        Refused::bad(self.missing, format!("One or more {}s not found", self.name.replace('-', " ")))
    }

    /// Makes sure that a thing is there for whoever asks.
    fn find(self, world: &mut World, arn: &str) -> Result<Thing, Refused> {
        if !world.knows(self.name, arn) {
            return Err(self.unknown());
        }
        world.get(self.name, arn).cloned().ok_or_else(|| self.unknown())
    }

    /// What a list shows of the wanted ARNs and names; of all, where none are named.
    fn select(self, call: &mut Call<'_>, arns: &str, names: &str, name: &str) -> Result<Vec<Thing>, Refused> {
        let (arns, names) = (call.texts(arns), call.texts(names));
        let mut found = call.world.listed(self.name);
        if !arns.is_empty() || !names.is_empty() {
            found.retain(|thing| arns.contains(&thing.id) || names.iter().any(|wanted| wanted == thing.text(name)));
            if found.len() < arns.len() + names.len() {
                return Err(self.unknown());
            }
        }
        Ok(found)
    }
}

fn validation(message: impl Into<String>) -> Refused {
    Refused::bad("ValidationError", message)
}

/// A parameter that the action cannot do without, as this service refuses its absence.
fn needs(call: &Call<'_>, path: &str) -> Result<String, Refused> {
    call.text(path).map(str::to_owned).ok_or_else(|| validation(format!("'{path}' must be specified")))
}

/// Whether one more than `count` is too many.
fn admits(world: &World, kind: Kind, limit: u32, code: &str) -> Result<(), Refused> {
    let limit = world.weather.quotas.get(kind.name).copied().unwrap_or(limit);
    if world.all(kind.name).count() < limit as usize {
        return Ok(());
    }
    Err(Refused::bad(code, format!("The maximum number of {}s has been reached on your account", kind.name)))
}

/// Up to 32 letters, digits and dashes, no dash at either end.
fn check_name(name: &str, what: &str) -> Result<(), Refused> {
    let right = !name.is_empty()
        && name.len() <= 32
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if right {
        return Ok(());
    }
    Err(validation(format!(
        "{what} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-), must not \
         begin or end with a hyphen, and cannot be longer than '32' characters"
    )))
}

/// A page of a list: 400 entries where the request does not say.
fn page(call: &Call<'_>, set: &str, items: Vec<Value>) -> Answer {
    let from: usize = call.text("Marker").and_then(|marker| marker.parse().ok()).unwrap_or(0);
    let size = match call.number("PageSize") {
        None => 400,
        Some(size) => match usize::try_from(size) {
            Ok(size @ 1..=400) => size,
            _ => return Err(validation("Page size must be between 1 and 400")),
        },
    };
    let total = items.len();
    let shown: Vec<Value> = items.into_iter().skip(from).take(size).collect();
    let mut answer = object([(set, Value::Array(shown))]);
    if from + size < total {
        answer.insert("NextMarker".to_owned(), (from + size).to_string().into());
    }
    Ok(answer)
}

/// A thing's own attributes.
fn shown(thing: &Thing) -> Map<String, Value> {
    thing.attrs.iter().filter(|(name, _)| !name.starts_with('_')).map(|(n, v)| (n.clone(), v.clone())).collect()
}

fn hex(world: &mut World) -> String {
    format!("{:016x}", world.number())
}

fn now(world: &World) -> Value {
    call::timestamp(world.now()).into()
}

/// A list of texts in a fixed order, to compare settings by.
fn sorted(values: &[&Value]) -> Vec<String> {
    let mut texts: Vec<String> = values.iter().map(|value| text(value)).collect();
    texts.sort();
    texts
}
