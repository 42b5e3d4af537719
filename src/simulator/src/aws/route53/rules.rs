//! What may stand in a zone: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html>.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::dns;
use crate::aws::table::text;
use crate::wire::element::Element;
use crate::world::World;

/// A record set as it is kept and answered.
pub(super) type Set = Map<String, Value>;

/// Reads the record set of a request.
pub(super) fn read(set: &Element) -> Set {
    let mut read = Set::new();
    let name = dns::canonical(set.text("Name").unwrap_or_default());
    read.insert("Name".to_owned(), name.into());
    for name in ["Type", "SetIdentifier", "Weight", "Region", "Failover", "MultiValueAnswer", "TTL", "HealthCheckId"] {
        if let Some(value) = set.text(name) {
            let number = value.parse::<u64>().ok().filter(|_| matches!(name, "TTL" | "Weight"));
            read.insert(name.to_owned(), number.map_or(value.into(), Value::from));
        }
    }
    if set.at("ResourceRecords").is_some() {
        let values = set.all("ResourceRecords", "ResourceRecord");
        let values: Vec<Value> = values.map(|record| json!({ "Value": record.text("Value") })).collect();
        read.insert("ResourceRecords".to_owned(), json!({ "*ResourceRecord": values }));
    }
    if let Some(target) = set.at("AliasTarget") {
        let of = |name: &str| target.text(name).unwrap_or_default();
        let alias = json!({ "HostedZoneId": of("HostedZoneId"), "DNSName": dns::canonical(of("DNSName")),
                            "EvaluateTargetHealth": of("EvaluateTargetHealth") == "true" });
        read.insert("AliasTarget".to_owned(), alias);
    }
    read
}

/// The values of a record set, in a fixed order.
pub(super) fn values(set: &Set) -> Vec<String> {
    let list = set.get("ResourceRecords").and_then(|records| records["*ResourceRecord"].as_array());
    let mut values: Vec<String> =
        list.map(|list| list.iter().map(|record| text(&record["Value"])).collect()).unwrap_or_default();
    values.sort();
    values
}

/// Why a record set cannot stand in a zone with these others; `None` when it can.
pub(super) fn problem(world: &World, zone: (&str, &str), set: &Set, others: &BTreeMap<String, Set>) -> Option<String> {
    let (id, apex) = zone;
    let of = |name: &str| set.get(name).map(text).unwrap_or_default();
    let (name, kind) = (of("Name"), of("Type"));
    if !dns::is_in(&name, apex) {
        return Some(format!("RRSet with DNS name {name} is not permitted in zone {apex}"));
    }
    if let Some(alias) = set.get("AliasTarget") {
        return alias_problem(world, id, alias, &kind, others);
    }
    let conflicts = others.values().any(|other| {
        other.get("Name") == set.get("Name")
            && other.get("Type") != set.get("Type")
            && (kind == "CNAME" || other.get("Type").is_some_and(|kind| kind == "CNAME"))
    });
    if kind == "CNAME" && name == apex {
        return Some(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {apex}"));
    }
    if conflicts {
        return Some(format!(
            "RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the same \
             DNS name in zone {apex}"
        ));
    }
    values(set).iter().find_map(|value| {
        let words = match kind.as_str() {
            "A" if value.parse::<Ipv4Addr>().is_err() => {
                "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
            }
            "AAAA" if value.parse::<Ipv6Addr>().is_err() => {
                "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
            }
            "TXT" if !(value.len() > 1 && value.starts_with('"') && value.ends_with('"')) => {
                "InvalidCharacterString (Value should be enclosed in quotation marks)"
            }
            _ => return None,
        };
        Some(format!("Invalid Resource Record: 'FATAL problem: {words} encountered with '{value}''"))
    })
}

/// An alias leads into a zone: its own, where the target must be, or that of load balancers of a region.
fn alias_problem(
    world: &World,
    zone: &str,
    alias: &Value,
    kind: &str,
    others: &BTreeMap<String, Set>,
) -> Option<String> {
    let (target, of) = (text(&alias["DNSName"]), text(&alias["HostedZoneId"]));
    let balancers = world.all("load-balancer");
    let is_there = if of == zone {
        others.values().any(|other| other["Name"] == target.as_str() && other.get("Type").is_some_and(|k| k == kind))
    } else {
        let mut zones = balancers.filter(|lb| lb.text("CanonicalHostedZoneId") == of).peekable();
        let suffix = format!(".elb.{}.amazonaws.com.", world.region);
        zones.peek().is_none() || target.ends_with(&suffix)
    };
    (!is_there).then(|| {
        format!(
            "Tried to create an alias that targets {target}, type {kind} in zone {of}, but that target was not found"
        )
    })
}
