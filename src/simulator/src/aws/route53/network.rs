//! The networks that a private zone is for.

use serde_json::{Map, Value, json};

use super::zone::{find, is_private};
use super::{Asked, ZONE, change, invalid};
use crate::aws::call::{Refused, object};
use crate::aws::table::{Behaviour, text};
use crate::wire::element::Element;
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_network_has_one_zone_of_a_name",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_AssociateVPCWithHostedZone.html",
    },
    Behaviour {
        name: "a_private_zone_keeps_its_last_network",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_DisassociateVPCFromHostedZone.html",
    },
];

/// The network of a request, which must be there.
pub(super) fn read(world: &mut World, vpc: &Element) -> Result<Value, Refused> {
    let (Some(id), Some(region)) = (vpc.text("VPCId"), vpc.text("VPCRegion")) else {
        return Err(invalid("A VPC needs its id and its region"));
    };
    if !world.knows("vpc", id) || region != world.region {
        let message = format!("The VPC {id} in region {region} that you provided is not valid or not yours.");
        return Err(Refused::bad("InvalidVPCId", message));
    }
    Ok(json!({ "VPCRegion": region, "VPCId": id }))
}

fn has(zone: &Thing, vpc: &Value) -> bool {
    zone.at("_vpcs").into_iter().any(|other| other["VPCId"] == vpc["VPCId"])
}

/// Makes sure that no zone of that name is for the network.
pub(super) fn is_free(world: &World, name: &str, vpc: &Value) -> Result<(), Refused> {
    match world.all(ZONE).find(|zone| zone.text("Name") == name && has(zone, vpc)) {
        None => Ok(()),
        Some(zone) => Err(Refused::bad(
            "ConflictingDomainExists",
            format!(
                "The VPC {} in region {} has already been associated with the hosted zone {} with the same domain name.",
                text(&vpc["VPCId"]),
                text(&vpc["VPCRegion"]),
                zone.id
            ),
        )),
    }
}

/// The private zone and the network of a request.
fn named(asked: &mut Asked<'_>) -> Result<(Thing, Value), Refused> {
    let zone = find(asked.world, asked.id)?;
    let vpc = asked.body.at("VPC").ok_or_else(|| invalid("VPC is missing"))?;
    let vpc = read(asked.world, vpc)?;
    if !is_private(&zone) {
        let message = "You're trying to associate a VPC with a public hosted zone.";
        return Err(Refused::bad("PublicZoneVPCAssociation", message));
    }
    Ok((zone, vpc))
}

fn set(world: &mut World, zone: &str, vpcs: Vec<Value>) {
    if let Some(zone) = world.get_mut(ZONE, zone) {
        zone.set("_vpcs", vpcs);
    }
}

pub(super) fn associate(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let (zone, vpc) = named(asked)?;
    is_free(asked.world, zone.text("Name"), &vpc)?;
    let vpcs = zone.at("_vpcs").into_iter().cloned().chain([vpc]).collect();
    set(asked.world, &zone.id, vpcs);
    Ok(object([("ChangeInfo", change::begin(asked.world, asked.body.text("Comment")))]))
}

pub(super) fn disassociate(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let (zone, vpc) = named(asked)?;
    if !has(&zone, &vpc) {
        let message = format!("The VPC {} is not associated with the hosted zone.", text(&vpc["VPCId"]));
        return Err(Refused::new(404, "VPCAssociationNotFound", message));
    }
    let left: Vec<Value> =
        zone.at("_vpcs").into_iter().filter(|other| other["VPCId"] != vpc["VPCId"]).cloned().collect();
    if left.is_empty() {
        let message = "The VPC that you're trying to disassociate is the last one that is associated with the zone.";
        return Err(Refused::bad("LastVPCAssociation", message));
    }
    set(asked.world, &zone.id, left);
    Ok(object([("ChangeInfo", change::begin(asked.world, asked.body.text("Comment")))]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{desk, vpc_of};

    fn body(vpc: &str) -> String {
        format!("<AssociateVPCWithHostedZoneRequest>{}</AssociateVPCWithHostedZoneRequest>", vpc_of(vpc))
    }

    #[test]
    fn a_network_has_one_zone_of_a_name() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        let path = format!("hostedzone/{zone}/associatevpc");
        assert_eq!(desk.dns("POST", &path, &body("vpc-1")).refusal(), (400, "ConflictingDomainExists".into()));
        assert_eq!(desk.dns("POST", &path, &body("vpc-none")).refusal(), (400, "InvalidVPCId".into()));
        let associated = desk.dns("POST", &path, &body("vpc-2")).xml();
        assert_eq!(associated.text("ChangeInfo.Status"), Some("PENDING"));
        let got = desk.dns("GET", &format!("hostedzone/{zone}"), "").xml();
        assert_eq!(got.all("VPCs", "VPC").count(), 2);
    }

    #[test]
    fn a_private_zone_keeps_its_last_network() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        let path = format!("hostedzone/{zone}/disassociatevpc");
        assert_eq!(desk.dns("POST", &path, &body("vpc-1")).refusal(), (400, "LastVPCAssociation".into()));
        assert_eq!(desk.dns("POST", &path, &body("vpc-2")).refusal(), (404, "VPCAssociationNotFound".into()));
        desk.dns("POST", &format!("hostedzone/{zone}/associatevpc"), &body("vpc-2"));
        assert_eq!(desk.dns("POST", &path, &body("vpc-1")).status(), 200);
    }
}
