//! What a group says about what it does.

use serde_json::{Value, json};

use super::{kept, missing, needs, page};
use crate::aws::call::{Answer, Call, timestamp};
use crate::aws::table::text;
use crate::world::{Thing, World};

/// As many as are remembered.
const MOST: usize = 200;

/// Something that a group begins, or tried.
#[derive(Debug, Clone)]
pub(super) struct News<'a> {
    pub(super) description: String,
    pub(super) cause: String,
    /// The machine it is about; empty when there is none.
    pub(super) machine: &'a str,
    /// Why it failed at once.
    pub(super) failed: Option<String>,
}

pub(super) fn begun(world: &mut World, group: &mut Thing, news: News<'_>) {
    let (now, number) = (timestamp(world.now()), world.number());
    let high = number.rotate_left(32) ^ world.chance.seed();
    let mut activity = json!({
        "ActivityId": format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            number >> 32, (number >> 16) & 0xffff, number & 0xffff, high >> 48, high & 0xffff_ffff_ffff
        ),
        "AutoScalingGroupName": group.id,
        "Description": news.description,
        "Cause": format!("At {now} {}", news.cause),
        "StartTime": now,
        "StatusCode": "InProgress",
        "Progress": 30,
        "Details": json!({ "Subnet ID": "", "Availability Zone": "" }).to_string(),
        "AutoScalingGroupARN": group.text("AutoScalingGroupARN"),
        "_machine": news.machine,
    });
    if let Some(words) = news.failed {
        activity["StatusCode"] = "Failed".into();
        activity["StatusMessage"] = words.into();
        activity["EndTime"] = activity["StartTime"].clone();
        activity["Progress"] = 100.into();
    }
    let mut all = kept(group, "_activities");
    all.insert(0, activity);
    all.truncate(MOST);
    group.set("_activities", all);
}

/// Ends what is in progress about a machine.
pub(super) fn ended(world: &World, group: &mut Thing, machine: &str, failed: Option<&str>) {
    let now = timestamp(world.now());
    let Some(all) = group.attrs.get_mut("_activities").and_then(Value::as_array_mut) else { return };
    for activity in all.iter_mut().filter(|a| a["_machine"] == machine && a["StatusCode"] == "InProgress") {
        activity["StatusCode"] = if failed.is_some() { "Failed" } else { "Successful" }.into();
        activity["EndTime"] = now.clone().into();
        activity["Progress"] = 100.into();
        if let Some(words) = failed {
            activity["StatusMessage"] = words.into();
        }
    }
}

/// The machines that something in progress is about.
pub(super) fn open(group: &Thing) -> Vec<String> {
    let all = kept(group, "_activities");
    all.iter().filter(|a| a["StatusCode"] == "InProgress").map(|a| text(&a["_machine"])).collect()
}

pub(super) fn under_way(group: &Thing) -> bool {
    !open(group).is_empty()
}

/// Newest first.
pub(super) fn describe(call: &mut Call<'_>) -> Answer {
    let name = needs(call, "AutoScalingGroupName")?;
    let known = call.world.knows(super::KIND, &name);
    let group = call.world.get(super::KIND, &name).filter(|_| known).ok_or_else(|| missing(&name))?;
    let ids = call.texts("ActivityIds");
    let mut all = kept(group, "_activities");
    all.retain(|activity| ids.is_empty() || ids.contains(&text(&activity["ActivityId"])));
    page(call, "Activities", all, 100)
}
