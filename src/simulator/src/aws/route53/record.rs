//! Record sets, read. A record's id is its zone, name, type and, for routed ones, identifier.
//!
//! Reads of a zone's records are not behind: they show what is pending, too.

use serde_json::{Map, Value, json};

use super::zone::find;
use super::{Asked, RECORD, dns, invalid};
use crate::aws::call::{Refused, object};
use crate::aws::table::{Behaviour, text};
use crate::world::{Thing, World};

const LIST: &str = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html";

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour { name: "a_list_of_records_has_what_is_pending", source: LIST },
    Behaviour { name: "records_are_listed_from_a_name_and_type_on", source: LIST },
];

pub(super) const NAME_SERVERS: [&str; 4] =
    ["ns-1024.awsdns-00.org", "ns-1536.awsdns-00.co.uk", "ns-0.awsdns-00.com", "ns-512.awsdns-00.net"];

pub(super) fn id_of(zone: &str, set: &Map<String, Value>) -> String {
    let of = |name: &str| set.get(name).map(text).unwrap_or_default();
    format!("{zone}/{}/{}/{}", of("Name"), of("Type"), of("SetIdentifier"))
}

/// The records of a zone.
pub(super) fn of<'a>(world: &'a World, zone: &str) -> impl Iterator<Item = &'a Thing> + use<'a> {
    let prefix = format!("{zone}/");
    world.all(RECORD).filter(move |record| record.id.starts_with(&prefix))
}

/// The records that Route 53 puts into every new zone.
pub(super) fn apex(world: &mut World, zone: &str, name: &str) {
    let servers: Vec<Value> = NAME_SERVERS.iter().map(|server| json!({ "Value": format!("{server}.") })).collect();
    let soa = format!("{}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", NAME_SERVERS[0]);
    for (kind, ttl, values) in [("NS", 172_800, servers), ("SOA", 900, vec![json!({ "Value": soa })])] {
        let set = object([
            ("Name", name.into()),
            ("Type", kind.into()),
            ("TTL", ttl.into()),
            ("ResourceRecords", json!({ "*ResourceRecord": values })),
        ]);
        let mut record = Thing::new(RECORD, id_of(zone, &set));
        record.attrs = set;
        world.put(record);
    }
}

/// Whether a zone cannot be without it.
pub(super) fn is_required(record: &Thing, zone: &str) -> bool {
    record.text("Name") == zone && matches!(record.text("Type"), "NS" | "SOA")
}

/// What records are sorted by.
fn place(record: &Thing) -> (Vec<String>, String, String) {
    let of = |name: &str| record.text(name).to_owned();
    (dns::order(record.text("Name")), of("Type"), of("SetIdentifier"))
}

pub(super) fn list(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let most = asked.most(300)?;
    let zone = find(asked.world, asked.id)?;
    let from = asked.query("name").map(|name| {
        let of = |name: &str| asked.query(name).unwrap_or_default().to_owned();
        (dns::order(&dns::canonical(name)), of("type"), of("identifier"))
    });
    if from.is_none() && asked.query("type").is_some() {
        return Err(invalid("type needs name"));
    }
    let mut records: Vec<&Thing> = of(asked.world, &zone.id).collect();
    records.sort_by_cached_key(|record| place(record));
    records.retain(|record| from.as_ref().is_none_or(|from| place(record) >= *from));
    let shown: Vec<Value> = records.iter().take(most).map(|record| Value::Object(record.attrs.clone())).collect();
    let mut answer = object([
        ("ResourceRecordSets", json!({ "*ResourceRecordSet": shown })),
        ("IsTruncated", (records.len() > most).into()),
        ("MaxItems", most.into()),
    ]);
    if let Some(next) = records.get(most) {
        answer.insert("NextRecordName".to_owned(), next.text("Name").into());
        answer.insert("NextRecordType".to_owned(), next.text("Type").into());
        if let Some(identifier) = next.attrs.get("SetIdentifier") {
            answer.insert("NextRecordIdentifier".to_owned(), identifier.clone());
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::super::testing::desk;
    use crate::aws::testing::Desk;

    fn names(desk: &mut Desk, path: &str) -> Vec<String> {
        let xml = desk.dns("GET", path, "").xml();
        let sets = xml.all("ResourceRecordSets", "ResourceRecordSet");
        sets.map(|set| format!("{} {}", set.text("Name").unwrap_or_default(), set.text("Type").unwrap_or_default()))
            .collect()
    }

    #[test]
    fn a_list_of_records_has_what_is_pending() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        let changed = desk.records(&zone, &[("CREATE", "*.demo.internal", "A", "10.0.0.1")]);
        assert_eq!(changed.xml().text("ChangeInfo.Status"), Some("PENDING"));
        let path = format!("hostedzone/{zone}/rrset");
        assert_eq!(names(&mut desk, &path), ["demo.internal. NS", "demo.internal. SOA", "\\052.demo.internal. A"]);
    }

    #[test]
    fn records_are_listed_from_a_name_and_type_on() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        for name in ["b.demo.internal", "a.demo.internal", "c.b.demo.internal"] {
            desk.records(&zone, &[("CREATE", name, "A", "10.0.0.1")]);
        }
        desk.records(&zone, &[("CREATE", "b.demo.internal", "TXT", "&quot;x&quot;")]);
        let path = format!("hostedzone/{zone}/rrset?name=b.demo.internal&type=B");
        assert_eq!(names(&mut desk, &path), ["b.demo.internal. TXT", "c.b.demo.internal. A"]);
        let page = desk.dns("GET", &format!("hostedzone/{zone}/rrset?maxitems=3"), "").xml();
        assert_eq!((page.text("NextRecordName"), page.text("NextRecordType")), (Some("b.demo.internal."), Some("A")));
    }
}
