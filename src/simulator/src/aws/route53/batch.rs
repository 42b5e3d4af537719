//! Changes of records: a batch is carried out as a whole or not at all.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::rules::{Set, problem, read, values};
use super::zone::find;
use super::{Asked, RECORD, change, invalid, record};
use crate::aws::call::{Refused, object};
use crate::aws::table::{Behaviour, text};
use crate::aws::throttle;
use crate::world::Thing;

const CHANGE: &str = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html";

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour { name: "a_batch_is_carried_out_as_a_whole_or_not_at_all", source: CHANGE },
    Behaviour { name: "only_what_is_exactly_so_is_deleted", source: CHANGE },
    Behaviour {
        name: "records_that_cannot_stand_in_a_zone_are_refused",
        source: "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html",
    },
    Behaviour {
        name: "a_zone_takes_one_change_at_a_time",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html#API_ChangeResourceRecordSets_Errors",
    },
];

pub(super) fn change(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let zone = find(asked.world, asked.id)?;
    let apex = zone.text("Name").to_owned();
    let changes: Vec<(String, Set)> = asked
        .body
        .all("ChangeBatch.Changes", "Change")
        .map(|change| {
            let set = change.at("ResourceRecordSet").map(read).unwrap_or_default();
            (change.text("Action").unwrap_or_default().to_owned(), set)
        })
        .collect();
    if changes.is_empty() || changes.len() > 1000 {
        return Err(invalid("A batch has between 1 and 1000 changes"));
    }
    if let Some((action, _)) = changes.iter().find(|(_, set)| !is_whole(set)) {
        return Err(invalid(format!(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or \
             TrafficPolicyInstanceId], but found none in Change with [Action={action}]"
        )));
    }
    if !throttle::zone_is_free(asked.world, &zone.id) {
        let message = "The request was rejected because Route 53 was still processing a prior request.";
        return Err(Refused::bad("PriorRequestNotComplete", message));
    }
    let before: BTreeMap<String, Set> =
        record::of(asked.world, &zone.id).map(|record| (record.id.clone(), record.attrs.clone())).collect();
    let mut after = before.clone();
    let mut problems = Vec::new();
    for (action, set) in changes {
        let id = record::id_of(&zone.id, &set);
        let words = |what: &str| {
            let of = |name: &str| set.get(name).map(text).unwrap_or_default();
            let (name, kind) = (of("Name"), of("Type"));
            match what {
                "create" => {
                    format!("Tried to create resource record set [name='{name}', type='{kind}'] but it already exists")
                }
                "delete" => {
                    format!("Tried to delete resource record set [name='{name}', type='{kind}'] but it was not found")
                }
                _ => format!(
                    "Tried to delete resource record set [name='{name}', type='{kind}'] but the values provided do not \
                     match the current values"
                ),
            }
        };
        match (action.as_str(), after.get(&id)) {
            ("CREATE", Some(_)) => problems.push(words("create")),
            ("CREATE" | "UPSERT", _) => match problem(asked.world, (&zone.id, &apex), &set, &after) {
                Some(problem) => problems.push(problem),
                None => {
                    after.insert(id, set);
                }
            },
            ("DELETE", None) => problems.push(words("delete")),
            ("DELETE", Some(there)) if !same(there, &set) => problems.push(words("values")),
            ("DELETE", Some(_)) if is_apex(&set, &apex) => {
                problems.push(format!(
                    "A HostedZone must contain at least one {} record for the zone itself.",
                    text(&set["Type"])
                ));
            }
            ("DELETE", Some(_)) => {
                after.remove(&id);
            }
            (other, _) => return Err(invalid(format!("{other} is no action"))),
        }
    }
    if !problems.is_empty() {
        return Err(Refused::bad("InvalidChangeBatch", format!("[{}]", problems.join(", "))));
    }
    for id in before.keys().filter(|id| !after.contains_key(*id)) {
        asked.world.remove(RECORD, id);
    }
    for (id, set) in after.into_iter().filter(|(id, set)| before.get(id) != Some(set)) {
        let mut found = asked.world.get(RECORD, &id).cloned().unwrap_or_else(|| Thing::new(RECORD, &id));
        found.attrs = set;
        asked.world.put(found);
    }
    Ok(object([("ChangeInfo", change::begin(asked.world, asked.body.text("ChangeBatch.Comment")))]))
}

/// Either an alias, or values and how long they are good.
fn is_whole(set: &Set) -> bool {
    set.contains_key("Type")
        && (set.contains_key("AliasTarget") || (set.contains_key("TTL") && !values(set).is_empty()))
}

fn is_apex(set: &Set, apex: &str) -> bool {
    set.get("Name").is_some_and(|name| name == apex)
        && matches!(set.get("Type").and_then(Value::as_str), Some("NS" | "SOA"))
}

fn same(there: &Set, given: &Set) -> bool {
    let rest = |set: &Set| json!([set.get("TTL"), set.get("AliasTarget"), set.get("Weight"), set.get("SetIdentifier")]);
    values(there) == values(given) && rest(there) == rest(given)
}

#[cfg(test)]
mod tests {
    use super::super::testing::desk;
    use crate::aws::testing::{Desk, Reply};
    use crate::weather::Weather;

    impl Desk {
        /// Changes records, each with its action, name, type and value.
        pub(in crate::aws::route53) fn records(&mut self, zone: &str, changes: &[(&str, &str, &str, &str)]) -> Reply {
            let change = |(action, name, kind, value): &(&str, &str, &str, &str)| {
                format!(
                    "<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type>\
                     <TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord>\
                     </ResourceRecords></ResourceRecordSet></Change>"
                )
            };
            self.batch(zone, &changes.iter().map(change).collect::<String>())
        }

        fn batch(&mut self, zone: &str, changes: &str) -> Reply {
            let body = format!(
                "<ChangeResourceRecordSetsRequest><ChangeBatch><Changes>{changes}</Changes></ChangeBatch>\
                 </ChangeResourceRecordSetsRequest>"
            );
            self.dns("POST", &format!("hostedzone/{zone}/rrset"), &body)
        }
    }

    const A: (&str, &str, &str, &str) = ("CREATE", "api.demo.internal", "A", "10.0.0.1");

    fn refused(reply: &Reply) -> String {
        assert_eq!(reply.refusal(), (400, "InvalidChangeBatch".into()), "{}", reply.body());
        reply.xml().text("Error.Message").unwrap_or_default().to_owned()
    }

    #[test]
    fn a_batch_is_carried_out_as_a_whole_or_not_at_all() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        let marker = ("CREATE", "_clusterctl-a.api.demo.internal", "TXT", "&quot;x&quot;");
        assert_eq!(desk.records(&zone, &[marker]).status(), 200);
        let message = refused(&desk.records(&zone, &[A, marker]));
        assert_eq!(
            message,
            "[Tried to create resource record set [name='_clusterctl-a.api.demo.internal.', type='TXT'] but it already exists]"
        );
        assert_eq!(desk.world.all("record-set").count(), 3, "nothing of it was done");
        assert_eq!(desk.records(&zone, &[A, ("UPSERT", marker.1, "TXT", "&quot;y&quot;")]).status(), 200);
        assert_eq!(desk.world.all("record-set").count(), 4);
    }

    #[test]
    fn only_what_is_exactly_so_is_deleted() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        let delete = ("DELETE", A.1, "A", "10.0.0.1");
        assert!(refused(&desk.records(&zone, &[delete])).contains("but it was not found"));
        desk.records(&zone, &[A]);
        let other = refused(&desk.records(&zone, &[("DELETE", A.1, "A", "10.0.0.2")]));
        assert!(other.contains("the values provided do not match the current values"));
        assert_eq!(desk.records(&zone, &[delete]).status(), 200);
    }

    #[test]
    fn records_that_cannot_stand_in_a_zone_are_refused() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        desk.records(&zone, &[A]);
        for (wrong, words) in [
            (("CREATE", "api.other.internal", "A", "10.0.0.1"), "is not permitted in zone demo.internal."),
            (("CREATE", A.1, "CNAME", "x.org"), "conflicts with other records"),
            (("CREATE", "demo.internal", "CNAME", "x.org"), "at apex"),
            (("CREATE", "b.demo.internal", "A", "10.0.0"), "not a valid IPv4 address"),
            (("CREATE", "b.demo.internal", "TXT", "bare"), "quotation marks"),
        ] {
            let message = refused(&desk.records(&zone, &[wrong]));
            assert!(message.contains(words), "{message}");
        }
        let alias = "<Change><Action>CREATE</Action><ResourceRecordSet><Name>b.demo.internal</Name><Type>A</Type><AliasTarget>\
                     <HostedZoneId>ZONE</HostedZoneId><DNSName>c.demo.internal</DNSName>\
                     <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>";
        assert!(refused(&desk.batch(&zone, &alias.replace("ZONE", &zone))).contains("that target was not found"));
        assert_eq!(desk.batch(&zone, &alias.replace("ZONE", "Z3F0SRJ5LGBH90")).status(), 200);
        let bare = "<Change><Action>CREATE</Action><ResourceRecordSet><Name>d.demo.internal</Name><Type>A</Type>\
                    </ResourceRecordSet></Change>";
        assert_eq!(desk.batch(&zone, bare).refusal(), (400, "InvalidInput".into()));
    }

    #[test]
    fn a_zone_takes_one_change_at_a_time() {
        let mut desk = desk();
        let zone = desk.made("demo.internal");
        desk.world.weather = Weather { throttle: true, ..Weather::calm() };
        assert_eq!(desk.records(&zone, &[A]).status(), 200);
        let next = ("CREATE", "b.demo.internal", "A", "10.0.0.1");
        assert_eq!(desk.records(&zone, &[next]).refusal(), (400, "PriorRequestNotComplete".into()));
        desk.wait(1000);
        assert_eq!(desk.records(&zone, &[next]).status(), 200);
    }
}
