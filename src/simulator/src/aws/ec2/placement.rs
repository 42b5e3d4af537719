//! Placement groups and key pairs: things with a name that machines are started with.

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::compute;
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object, timestamp};
use crate::aws::table::{Action, Behaviour, Row, page, shown};
use crate::world::Thing;

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_placement_group_with_machines_is_in_use",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeletePlacementGroup.html",
    },
    Behaviour {
        name: "a_key_is_imported_once_by_its_name",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreatePlacementGroup", &PLACEMENT),
    Action::special("DescribePlacementGroups", describe_groups),
    Action::special("DeletePlacementGroup", delete_group),
    Action::creates("ImportKeyPair", &KEY),
    Action::special("DescribeKeyPairs", describe_keys),
    Action::special("DeleteKeyPair", delete_key),
];

static PLACEMENT: Row = Row {
    id: "groupId",
    id_param: "GroupId",
    one: "placementGroup",
    set: "placementGroupSet",
    missing: "InvalidPlacementGroupId.Unknown",
    filters: &[("group-name", "groupName"), ("strategy", "strategy"), ("state", "state"), ("group-arn", "groupArn")],
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-strategies.html#placement-groups-limitations-general
    limit: (500, "PlacementGroupLimitExceeded"),
    born: Some(group_born),
    ..Row::new("placement-group", "pg")
};

fn group_born(call: &mut Call<'_>, group: &mut Thing) -> Result<(), Refused> {
    let name = call.needs("GroupName")?;
    if call.world.all("placement-group").any(|other| other.text("groupName") == name) {
        let message = format!("The Placement Group '{name}' already exists.");
        return Err(Refused::bad("InvalidPlacementGroup.Duplicate", message));
    }
    let strategy = call.text("Strategy").unwrap_or("cluster").to_owned();
    if !["cluster", "partition", "spread"].contains(&strategy.as_str()) {
        let message = format!("Invalid value '{strategy}' for placement group strategy.");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    let arn = format!("arn:aws:ec2:{}:{ACCOUNT}:placement-group/{name}", call.world.region);
    if strategy == "partition" {
        group.set("partitionCount", call.number("PartitionCount").unwrap_or(2));
    }
    group.set("groupName", name);
    group.set("strategy", strategy);
    group.set("state", "available");
    group.set("groupArn", arn);
    Ok(())
}

fn describe_groups(call: &mut Call<'_>) -> Answer {
    let names = call.texts("GroupName");
    let mut found = PLACEMENT.select(call)?;
    if !names.is_empty() {
        found.retain(|group| names.iter().any(|name| group.text("groupName") == name));
        if let Some(name) = names.iter().find(|name| !found.iter().any(|group| group.text("groupName") == **name)) {
            return Err(unknown(name));
        }
    }
    page(call, PLACEMENT.set, found.iter().map(|group| Value::Object(shown(group))).collect())
}

fn unknown(name: &str) -> Refused {
    Refused::bad("InvalidPlacementGroup.Unknown", format!("The Placement Group '{name}' is unknown."))
}

fn delete_group(call: &mut Call<'_>) -> Answer {
    let name = call.needs("GroupName")?;
    let group = call.world.all("placement-group").find(|group| group.text("groupName") == name);
    let id = group.map(|group| group.id.clone()).ok_or_else(|| unknown(&name))?;
    let inside = |i: &&Thing| i.at("placement.groupName").first().is_some_and(|of| **of == name);
    if call
        .world
        .all("instance")
        .filter(|i| compute::is_alive(i) || compute::state(i) == "shutting-down")
        .any(|i| inside(&i))
    {
        let message = format!("The placement group '{name}' is in use and may not be deleted.");
        return Err(Refused::bad("InvalidPlacementGroup.InUse", message));
    }
    call.world.delete("placement-group", &id);
    Ok(object([("return", true.into())]))
}

static KEY: Row = Row {
    id: "keyPairId",
    id_param: "KeyPairId",
    set: "keySet",
    missing: "InvalidKeyPair.NotFound",
    filters: &[("key-name", "keyName"), ("key-pair-id", "keyPairId"), ("fingerprint", "keyFingerprint")],
    limit: (5000, "KeyPairLimitExceeded"),
    born: Some(key_born),
    ..Row::new("key-pair", "key")
};

fn key_born(call: &mut Call<'_>, key: &mut Thing) -> Result<(), Refused> {
    let name = call.needs("KeyName")?;
    if call.world.all("key-pair").any(|other| other.text("keyName") == name) {
        return Err(Refused::bad("InvalidKeyPair.Duplicate", format!("The keypair already exists: {name}")));
    }
    let material = call.needs("PublicKeyMaterial")?;
    let malformed = || Refused::bad("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
    let decode = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| malformed());
    let public = String::from_utf8(decode(&material)?).map_err(|_| malformed())?;
    let mut words = public.split_whitespace();
    let kind = match words.next() {
        Some("ssh-rsa") => "rsa",
        Some("ssh-ed25519") => "ed25519",
        _ => return Err(malformed()),
    };
    let blob = decode(words.next().unwrap_or_default())?;
    if !blob.get(4..).is_some_and(|rest| rest.starts_with(if kind == "rsa" { b"ssh-rsa" } else { b"ssh-ed25519" })) {
        return Err(malformed());
    }
    // Of an RSA key it would be an MD5, which nobody asks for.
    if kind == "ed25519" {
        key.set("keyFingerprint", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(&blob)));
    }
    key.set("keyName", name);
    key.set("keyType", kind);
    key.set("createTime", timestamp(call.now()));
    key.set("publicKey", public.trim());
    Ok(())
}

fn describe_keys(call: &mut Call<'_>) -> Answer {
    let names = call.texts("KeyName");
    let mut found = KEY.select(call)?;
    if !names.is_empty() {
        found.retain(|key| names.iter().any(|name| key.text("keyName") == name));
        if let Some(name) = names.iter().find(|name| !found.iter().any(|key| key.text("keyName") == **name)) {
            let message = format!("The key pair '{name}' does not exist");
            return Err(Refused::bad("InvalidKeyPair.NotFound", message));
        }
    }
    let public = call.flag("IncludePublicKey") == Some(true);
    let told = |key: &Thing| {
        let mut told = shown(key);
        if !public {
            told.shift_remove("publicKey");
        }
        Value::Object(told)
    };
    Ok(object([(KEY.set, found.iter().map(told).collect())]))
}

/// A key that is not there is deleted as well.
fn delete_key(call: &mut Call<'_>) -> Answer {
    let (id, name) = (call.text("KeyPairId"), call.text("KeyName"));
    if id.is_none() && name.is_none() {
        return Err(Refused::bad("MissingParameter", "The request must contain the parameter KeyName or KeyPairId"));
    }
    let named =
        |key: &&Thing| id.is_some_and(|id| key.id == id) || name.is_some_and(|name| key.text("keyName") == name);
    let found = call.world.all("key-pair").find(named).map(|key| key.id.clone());
    if let Some(id) = &found {
        call.world.delete("key-pair", id);
    }
    Ok(object([("return", true.into()), ("keyPairId", json!(found))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ec2::compute::tests::{RUN, machine_with};
    use crate::aws::ec2::ground::ground;
    use crate::aws::testing::Desk;

    #[test]
    fn a_placement_group_with_machines_is_in_use() {
        let mut desk = ground();
        let name = [("GroupName", "gpu")];
        let made = desk.ok("CreatePlacementGroup", &[("GroupName", "gpu"), ("Strategy", "cluster")]);
        assert_eq!(made["placementGroup"]["state"], "available");
        assert_eq!(desk.refused("CreatePlacementGroup", &name), "InvalidPlacementGroup.Duplicate");
        let mut ask = RUN.to_vec();
        ask.push(("Placement.GroupName", "gpu"));
        let i = machine_with(&mut desk, &ask);
        desk.wait(60_000);
        assert_eq!(desk.refused("DeletePlacementGroup", &name), "InvalidPlacementGroup.InUse");
        desk.ok("TerminateInstances", &[("InstanceId.1", &i)]);
        desk.wait(200_000);
        desk.ok("DeletePlacementGroup", &name);
        assert_eq!(desk.refused("DeletePlacementGroup", &name), "InvalidPlacementGroup.Unknown");
    }

    #[test]
    fn a_key_is_imported_once_by_its_name() {
        let mut desk = Desk::calm();
        let blob = [&[0, 0, 0, 11], b"ssh-ed25519".as_slice(), &[0, 0, 0, 1, 7]].concat();
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let material = encode(format!("ssh-ed25519 {} me", encode(&blob)).as_bytes());
        let import = |material| [("KeyName", "demo"), ("PublicKeyMaterial", material)];
        let id = desk.ok("ImportKeyPair", &import(&material))["keyPairId"].as_str().unwrap_or_default().to_owned();
        assert_eq!(desk.refused("ImportKeyPair", &import(&material)), "InvalidKeyPair.Duplicate");
        let junk = encode(b"ssh-ed25519 AAAA");
        let other = [("KeyName", "other"), ("PublicKeyMaterial", junk.as_str())];
        assert_eq!(desk.refused("ImportKeyPair", &other), "InvalidKey.Format");
        assert!(desk.ok("DescribeKeyPairs", &[])["keySet"][0].get("publicKey").is_none());
        let whole = desk.ok("DescribeKeyPairs", &[("IncludePublicKey", "true")]);
        assert!(whole["keySet"][0]["publicKey"].as_str().is_some_and(|key| key.starts_with("ssh-ed25519 ")));
        desk.ok("DeleteKeyPair", &[("KeyPairId", &id)]);
        assert_eq!(desk.ok("DeleteKeyPair", &[("KeyPairId", &id)])["return"], true);
    }
}
