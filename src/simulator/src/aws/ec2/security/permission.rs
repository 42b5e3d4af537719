//! Permissions as requests and answers write them: several peers to a protocol and its ports. Rules have one each.

use serde_json::{Map, Value, json};

use super::is_plain;
use crate::aws::ACCOUNT;
use crate::aws::call::{Call, Refused};
use crate::aws::ec2::cidr::Cidr;
use crate::aws::table::text;
use crate::world::Thing;

/// What makes two rules of a group and direction the same; the description is not part of it.
const SAME: [&str; 7] =
    ["ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId", "referencedGroupInfo"];

pub(super) fn same(one: &Value, other: &Map<String, Value>) -> bool {
    SAME.iter().all(|part| one.get(*part) == other.get(*part))
}

/// The rules that a request describes, each as the attributes of one.
pub(super) fn read(call: &Call<'_>) -> Result<Vec<Value>, Refused> {
    let mut permissions = call.list("IpPermissions");
    if permissions.is_empty() && call.text("IpProtocol").is_some() {
        let part = |name: &str| call.text(name).map(str::to_owned);
        permissions.push(json!({ "IpProtocol": part("IpProtocol"), "FromPort": part("FromPort"),
                                 "ToPort": part("ToPort"), "IpRanges": [{ "CidrIp": part("CidrIp") }] }));
    }
    if permissions.is_empty() {
        return Err(Refused::bad("MissingParameter", "The request must contain the parameter ipPermissions"));
    }
    let mut rules = Vec::new();
    for permission in &permissions {
        let ports = ports(permission)?;
        let entries = |list: &str| permission.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        let before = rules.len();
        for (list, param) in [("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId")] {
            for peer in entries(list) {
                rules.push(rule(&ports, param, &text(&peer[param]), &peer["Description"])?);
            }
        }
        for peer in entries("Groups") {
            rules.push(rule(&ports, "GroupId", &text(&peer["GroupId"]), &peer["Description"])?);
        }
        if rules.len() == before {
            let message = "The request must contain a source or a destination in each of ipPermissions";
            return Err(Refused::bad("MissingParameter", message));
        }
    }
    Ok(rules)
}

/// The rule that an update describes.
pub(super) fn update(request: &Value) -> Result<Value, Refused> {
    let ports = ports(request)?;
    let peers = [("CidrIpv4", "CidrIp"), ("CidrIpv6", "CidrIpv6"), ("PrefixListId", "PrefixListId")];
    let peers = peers.into_iter().chain([("ReferencedGroupId", "GroupId")]);
    let given: Vec<(&str, String)> = peers
        .filter_map(|(param, peer)| Some((peer, text(request.get(param)?))))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let [(param, peer)] = given.as_slice() else {
        let message = "A rule must have exactly one of CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupId";
        return Err(Refused::bad("InvalidParameterCombination", message));
    };
    rule(&ports, param, peer, &request["Description"])
}

/// Protocol and ports. Protocols that have a name go by it
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>).
fn ports(permission: &Value) -> Result<Value, Refused> {
    let protocol = text(&permission["IpProtocol"]).to_ascii_lowercase();
    let protocol = match protocol.as_str() {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" => "icmpv6",
        "all" => "-1",
        other => other,
    };
    let number = |name: &str| text(&permission[name]).parse::<i64>().ok();
    let (from, to) = (number("FromPort"), number("ToPort"));
    let valid = match protocol {
        "tcp" | "udp" => {
            from.zip(to).is_some_and(|(from, to)| (0..=65535).contains(&from) && from <= to && to <= 65535)
        }
        "icmp" | "icmpv6" => from.zip(to).is_some_and(|(kind, code)| (-1..=255).contains(&kind) && code >= -1),
        "-1" => true,
        other => other.parse::<u8>().is_ok(),
    };
    if !valid {
        let message = format!("Invalid value for portRange or protocol: {protocol}, {from:?}, {to:?}");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    let (from, to) = if ["tcp", "udp", "icmp", "icmpv6"].contains(&protocol) { (from, to) } else { (None, None) };
    Ok(json!({ "ipProtocol": protocol, "fromPort": from.unwrap_or(-1), "toPort": to.unwrap_or(-1) }))
}

fn rule(ports: &Value, param: &str, peer: &str, description: &Value) -> Result<Value, Refused> {
    let mut rule = ports.clone();
    match param {
        "CidrIp" => {
            let cidr: Cidr = peer
                .parse()
                .map_err(|()| Refused::bad("InvalidParameterValue", format!("CIDR block {peer} is malformed")))?;
            rule["cidrIpv4"] = cidr.to_string().into();
        }
        "CidrIpv6" => rule["cidrIpv6"] = peer.into(),
        "PrefixListId" => rule["prefixListId"] = peer.into(),
        _ => rule["referencedGroupInfo"] = json!({ "groupId": peer, "userId": ACCOUNT }),
    }
    let description = text(description);
    if !is_plain(&description) {
        let message = "Invalid rule description. Valid descriptions are strings less than 256 characters from the \
                       following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    if !description.is_empty() {
        rule["description"] = description.into();
    }
    Ok(rule)
}

/// Rules as a group tells them: by protocol and ports, with all their peers.
pub(super) fn written(rules: &[&Thing]) -> Value {
    let mut permissions: Vec<Value> = Vec::new();
    for rule in rules {
        let part = |name: &str| rule.attrs.get(name).cloned().unwrap_or_default();
        let mut ports = json!({ "ipProtocol": part("ipProtocol") });
        if ports["ipProtocol"] != "-1" {
            ports["fromPort"] = part("fromPort");
            ports["toPort"] = part("toPort");
        }
        let same = |known: &&mut Value| {
            ["ipProtocol", "fromPort", "toPort"].iter().all(|name| known.get(*name) == ports.get(*name))
        };
        let permission = match permissions.iter_mut().find(same) {
            Some(known) => known,
            None => {
                for list in ["groups", "ipRanges", "ipv6Ranges", "prefixListIds"] {
                    ports[list] = json!([]);
                }
                permissions.push(ports);
                let Some(last) = permissions.last_mut() else { continue };
                last
            }
        };
        let (list, mut peer) = peer(rule);
        if let Some(description) = rule.attrs.get("description") {
            peer["description"] = description.clone();
        }
        if let Some(list) = permission[list].as_array_mut() {
            list.push(peer);
        }
    }
    Value::Array(permissions)
}

fn peer(rule: &Thing) -> (&'static str, Value) {
    let of = |name: &str| rule.attrs.get(name).cloned();
    if let Some(cidr) = of("cidrIpv4") {
        ("ipRanges", json!({ "cidrIp": cidr }))
    } else if let Some(cidr) = of("cidrIpv6") {
        ("ipv6Ranges", json!({ "cidrIpv6": cidr }))
    } else if let Some(list) = of("prefixListId") {
        ("prefixListIds", json!({ "prefixListId": list }))
    } else {
        ("groups", of("referencedGroupInfo").unwrap_or_default())
    }
}
