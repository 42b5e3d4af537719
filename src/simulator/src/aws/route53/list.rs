//! Lists of zones.

use serde_json::{Map, Value, json};

use super::zone::{is_private, shown};
use super::{Asked, ZONE, dns, invalid};
use crate::aws::call::{Refused, object};
use crate::aws::table::Behaviour;

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "zones_are_listed_by_type_and_a_page_at_a_time",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZones.html",
    },
    Behaviour {
        name: "zones_by_name_begin_at_the_name_and_are_sorted_by_labels_from_the_end",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html",
    },
];

pub(super) fn all(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let most = asked.most(100)?;
    let mut zones = asked.world.listed(ZONE);
    match asked.query("hostedzonetype") {
        None => {}
        Some("PrivateHostedZone") => zones.retain(is_private),
        Some(other) => return Err(invalid(format!("{other} is not a valid hosted zone type"))),
    }
    let marker = asked.query("marker").map(str::to_owned);
    zones.retain(|zone| marker.as_ref().is_none_or(|marker| zone.id >= *marker));
    let shown: Vec<Value> = zones.iter().take(most).map(|zone| shown(asked.world, zone)).collect();
    let mut answer = object([
        ("HostedZones", json!({ "*HostedZone": shown })),
        ("Marker", json!(marker)),
        ("IsTruncated", (zones.len() > most).into()),
        ("MaxItems", most.into()),
    ]);
    if let Some(next) = zones.get(most) {
        answer.insert("NextMarker".to_owned(), next.id.as_str().into());
    }
    Ok(answer)
}

pub(super) fn by_name(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let most = asked.most(100)?;
    let name = asked.query("dnsname").map(dns::canonical);
    let id = asked.query("hostedzoneid").map(str::to_owned);
    if id.is_some() && name.is_none() {
        return Err(invalid("hostedzoneid needs dnsname"));
    }
    let from = name.as_deref().map(|name| (dns::order(name), id.clone().unwrap_or_default()));
    let mut zones = asked.world.listed(ZONE);
    zones.sort_by_cached_key(|zone| (dns::order(zone.text("Name")), zone.id.clone()));
    zones.retain(|zone| from.as_ref().is_none_or(|from| (dns::order(zone.text("Name")), zone.id.clone()) >= *from));
    let shown: Vec<Value> = zones.iter().take(most).map(|zone| shown(asked.world, zone)).collect();
    let mut answer = object([
        ("HostedZones", json!({ "*HostedZone": shown })),
        ("DNSName", json!(name)),
        ("HostedZoneId", json!(id)),
        ("IsTruncated", (zones.len() > most).into()),
        ("MaxItems", most.into()),
    ]);
    if let Some(next) = zones.get(most) {
        answer.insert("NextDNSName".to_owned(), next.text("Name").into());
        answer.insert("NextHostedZoneId".to_owned(), next.id.as_str().into());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::super::testing::desk;
    use crate::aws::testing::Desk;

    fn names(desk: &mut Desk, path: &str) -> Vec<String> {
        let xml = desk.dns("GET", path, "").xml();
        xml.all("HostedZones", "HostedZone").filter_map(|zone| zone.text("Name").map(str::to_owned)).collect()
    }

    #[test]
    fn zones_are_listed_by_type_and_a_page_at_a_time() {
        let mut desk = desk();
        desk.zone("example.com", None, "p");
        desk.made("a.internal");
        desk.made("b.internal");
        assert_eq!(names(&mut desk, "hostedzone").len(), 3);
        assert_eq!(names(&mut desk, "hostedzone?hostedzonetype=PrivateHostedZone").len(), 2);
        let page = desk.dns("GET", "hostedzone?maxitems=2", "").xml();
        assert_eq!(page.text("IsTruncated"), Some("true"));
        let next = format!("hostedzone?maxitems=2&marker={}", page.text("NextMarker").expect("a marker"));
        assert_eq!(names(&mut desk, &next).len(), 1);
    }

    #[test]
    fn zones_by_name_begin_at_the_name_and_are_sorted_by_labels_from_the_end() {
        let mut desk = desk();
        for name in ["b.example.com", "example.com", "a.org", "z.com"] {
            desk.zone(name, None, name);
        }
        assert_eq!(names(&mut desk, "hostedzonesbyname"), ["example.com.", "b.example.com.", "z.com.", "a.org."]);
        assert_eq!(names(&mut desk, "hostedzonesbyname?dnsname=b.example.com&maxitems=1"), ["b.example.com."]);
    }
}
