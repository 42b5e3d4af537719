//! Hosted zones.

use serde_json::{Map, Value, json};

use super::{Asked, RECORD, ZONE, change, dns, invalid, network, record};
use crate::aws::call::{Refused, object};
use crate::aws::table::Behaviour;
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_reference_makes_one_zone",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html",
    },
    Behaviour {
        name: "a_zone_with_records_cannot_be_deleted",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHostedZone.html",
    },
    Behaviour {
        name: "a_public_zone_has_name_servers_and_a_private_one_networks",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html",
    },
];

/// A zone for whoever asks.
pub(super) fn find(world: &mut World, id: &str) -> Result<Thing, Refused> {
    let known = world.knows(ZONE, id);
    let zone = world.get(ZONE, id).filter(|_| known).cloned();
    zone.ok_or_else(|| Refused::new(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}")))
}

pub(super) fn create(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let name = dns::canonical(&asked.needs("Name")?);
    if !dns::is_valid(&name) {
        return Err(Refused::bad("InvalidDomainName", format!("{name} is not a valid domain name.")));
    }
    let reference = asked.needs("CallerReference")?;
    if asked.world.all(ZONE).any(|zone| zone.text("CallerReference") == reference) {
        let message = "A hosted zone has already been created with the specified caller reference.";
        return Err(Refused::new(409, "HostedZoneAlreadyExists", message));
    }
    let vpc = asked.body.at("VPC").map(|vpc| network::read(asked.world, vpc)).transpose()?;
    if vpc.is_none() && asked.body.text("HostedZoneConfig.PrivateZone") == Some("true") {
        return Err(invalid("When you're creating a private hosted zone, you must specify a VPC"));
    }
    if let Some(vpc) = &vpc {
        network::is_free(asked.world, &name, vpc)?;
    }
    let most = asked.world.weather.quotas.get(ZONE).copied().unwrap_or(500);
    if asked.world.all(ZONE).count() >= most as usize {
        return Err(Refused::bad("TooManyHostedZones", "This operation can't be completed: the limit is reached."));
    }
    let id = format!("Z{:016X}", asked.world.number());
    let mut zone = Thing::new(ZONE, &id);
    zone.set("Id", format!("/hostedzone/{id}"));
    zone.set("Name", name.as_str());
    zone.set("CallerReference", reference);
    zone.set("Config", config(asked.body.text("HostedZoneConfig.Comment"), vpc.is_some()));
    zone.set("_vpcs", vpc.iter().cloned().collect::<Vec<Value>>());
    asked.world.add(zone);
    record::apex(asked.world, &id, &name);
    let zone = asked.world.get(ZONE, &id).cloned().unwrap_or_else(|| Thing::new(ZONE, &id));
    let mut answer = object([("HostedZone", shown(asked.world, &zone))]);
    answer.insert("ChangeInfo".to_owned(), change::begin(asked.world, None));
    match vpc {
        Some(vpc) => answer.insert("VPC".to_owned(), vpc),
        None => answer.insert("DelegationSet".to_owned(), delegation()),
    };
    Ok(answer)
}

fn config(comment: Option<&str>, private: bool) -> Value {
    json!({ "Comment": comment, "PrivateZone": private })
}

fn delegation() -> Value {
    json!({ "NameServers": { "*NameServer": record::NAME_SERVERS } })
}

/// A zone as it is answered.
pub(super) fn shown(world: &World, zone: &Thing) -> Value {
    let attrs = zone.attrs.iter().filter(|(name, _)| !name.starts_with('_'));
    let mut shown: Map<String, Value> = attrs.map(|(name, value)| (name.clone(), value.clone())).collect();
    shown.insert("ResourceRecordSetCount".to_owned(), record::of(world, &zone.id).count().into());
    Value::Object(shown)
}

pub(super) fn get(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let zone = find(asked.world, asked.id)?;
    let mut answer = object([("HostedZone", shown(asked.world, &zone))]);
    if is_private(&zone) {
        let vpcs = zone.attrs.get("_vpcs").cloned().unwrap_or_default();
        answer.insert("VPCs".to_owned(), json!({ "*VPC": vpcs }));
    } else {
        answer.insert("DelegationSet".to_owned(), delegation());
    }
    Ok(answer)
}

pub(super) fn is_private(zone: &Thing) -> bool {
    zone.at("Config.PrivateZone").first().is_some_and(|private| **private == true)
}

pub(super) fn comment(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let zone = find(asked.world, asked.id)?;
    let config = config(asked.body.text("Comment"), is_private(&zone));
    if let Some(zone) = asked.world.get_mut(ZONE, asked.id) {
        zone.set("Config", config);
    }
    let zone = find(asked.world, asked.id)?;
    Ok(object([("HostedZone", shown(asked.world, &zone))]))
}

pub(super) fn delete(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    // A deletion goes by what there is.
    let Some(zone) = asked.world.get(ZONE, asked.id).cloned() else {
        return Err(Refused::new(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {}", asked.id)));
    };
    let records: Vec<Thing> = record::of(asked.world, &zone.id).cloned().collect();
    if records.iter().any(|found| !record::is_required(found, zone.text("Name"))) {
        let message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted.";
        return Err(Refused::bad("HostedZoneNotEmpty", message));
    }
    for found in records {
        asked.world.remove(RECORD, &found.id);
    }
    asked.world.delete(ZONE, &zone.id);
    Ok(object([("ChangeInfo", change::begin(asked.world, None))]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::desk;

    #[test]
    fn a_reference_makes_one_zone() {
        let mut desk = desk();
        assert_eq!(desk.zone("demo.internal", Some("vpc-1"), "token").status(), 201);
        let again = desk.zone("demo.internal", Some("vpc-1"), "token").refusal();
        assert_eq!(again, (409, "HostedZoneAlreadyExists".into()));
        let other = desk.zone("demo.internal", Some("vpc-1"), "other").refusal();
        assert_eq!(other, (400, "ConflictingDomainExists".into()), "the network has that domain");
        assert_eq!(desk.zone("demo.internal", Some("vpc-2"), "other").status(), 201);
        assert_eq!(desk.zone("a..b", Some("vpc-2"), "third").refusal(), (400, "InvalidDomainName".into()));
    }

    #[test]
    fn a_zone_with_records_cannot_be_deleted() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        desk.records(&zone, &[("CREATE", "api.demo.internal", "A", "10.0.0.1")]);
        let delete = format!("hostedzone/{zone}");
        assert_eq!(desk.dns("DELETE", &delete, "").refusal(), (400, "HostedZoneNotEmpty".into()));
        desk.records(&zone, &[("DELETE", "api.demo.internal", "A", "10.0.0.1")]);
        let deleted = desk.dns("DELETE", &delete, "").xml();
        assert_eq!(deleted.text("ChangeInfo.Status"), Some("PENDING"));
        assert_eq!(desk.dns("DELETE", &delete, "").refusal(), (404, "NoSuchHostedZone".into()));
        assert!(desk.world.inventory().iter().all(|thing| thing.starts_with("vpc ")), "{:?}", desk.world.inventory());
    }

    #[test]
    fn a_public_zone_has_name_servers_and_a_private_one_networks() {
        let mut desk = desk();
        let made = desk.zone("Example.com", None, "p").xml();
        assert_eq!(made.all("DelegationSet.NameServers", "NameServer").count(), 4);
        assert_eq!(
            (made.text("HostedZone.Name"), made.text("HostedZone.Config.PrivateZone")),
            (Some("example.com."), Some("false"))
        );
        let private = desk.made("demo.internal");
        let got = desk.dns("GET", &format!("hostedzone/{private}"), "").xml();
        assert_eq!((got.text("VPCs.VPC.VPCId"), got.at("DelegationSet")), (Some("vpc-1"), None));
        assert_eq!(got.text("HostedZone.ResourceRecordSetCount"), Some("2"));
        let path = format!("hostedzone/{private}");
        let body = "<UpdateHostedZoneCommentRequest><Comment>theirs</Comment></UpdateHostedZoneCommentRequest>";
        assert_eq!(desk.dns("POST", &path, body).xml().text("HostedZone.Config.Comment"), Some("theirs"));
    }
}
