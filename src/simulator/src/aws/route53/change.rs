//! Changes: pending until they have reached all name servers.

use serde_json::{Map, Value, json};

use super::{Asked, CHANGE};
use crate::aws::call::{Fate, Refused, fate, object, timestamp};
use crate::aws::table::Behaviour;
use crate::world::{Change, Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    name: "a_change_is_pending_until_it_is_on_all_name_servers",
    source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html",
}];

/// How long a change can be asked for.
const KEPT: u64 = 24 * 3600 * 1000;

/// Begins a change; gives what every answer says of it.
pub(super) fn begin(world: &mut World, comment: Option<&str>) -> Value {
    let id = format!("C{:017X}", world.number());
    let mut change = Thing::new(CHANGE, &id);
    change.set("Id", format!("/change/{id}"));
    change.set("Status", "PENDING");
    change.set("SubmittedAt", timestamp(world.now()));
    if let Some(comment) = comment {
        change.set("Comment", comment);
    }
    // It is no thing that anybody has.
    change.set("_lingers", true);
    let shown = shown(&change);
    world.put(change);
    if fate(world, CHANGE) != Fate::NeverEnds {
        let took = world.takes("aws.Route53.insync");
        world.later(took, CHANGE, &id, Change::Set(object([("Status", "INSYNC".into())])));
    }
    world.later(KEPT, CHANGE, &id, Change::Remove);
    shown
}

fn shown(change: &Thing) -> Value {
    let attrs = change.attrs.iter().filter(|(name, _)| !name.starts_with('_'));
    attrs.map(|(name, value)| (name.clone(), value.clone())).collect()
}

pub(super) fn get(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    match asked.world.get(CHANGE, asked.id) {
        Some(change) => Ok(object([("ChangeInfo", shown(change))])),
        None => Err(Refused::new(404, "NoSuchChange", format!("Could not find resource with ID: {}", json!(asked.id)))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::desk;

    #[test]
    fn a_change_is_pending_until_it_is_on_all_name_servers() {
        let mut desk = desk();
        let made = desk.zone("demo.internal", Some("vpc-1"), "t").xml();
        assert_eq!(made.text("ChangeInfo.Status"), Some("PENDING"));
        let id = made.text("ChangeInfo.Id").expect("an id").trim_start_matches("/change/").to_owned();
        let status = |desk: &mut crate::aws::testing::Desk| {
            desk.dns("GET", &format!("change/{id}"), "").xml().text("ChangeInfo.Status").map(str::to_owned)
        };
        assert_eq!(status(&mut desk).as_deref(), Some("PENDING"));
        desk.wait(90_000);
        assert_eq!(status(&mut desk).as_deref(), Some("INSYNC"));
        assert_eq!(desk.dns("GET", "change/C0", "").refusal(), (404, "NoSuchChange".into()));
        assert!(!desk.world.inventory().iter().any(|thing| thing.starts_with("change")));
    }
}
