//! What an account holds, what will happen to it, and when.
//!
//! A world is plain data: it can be copied, compared and saved. Its time is milliseconds since it began; it moves only
//! when somebody says what time it is, and everything that became due happens then, in order.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::chance::Chance;
use crate::latency;
use crate::weather::Weather;

/// Milliseconds since the world began.
pub type Ms = u64;

/// The instant when every world begins, so that one seed writes the same answers on every day.
#[must_use]
pub fn begin() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_767_225_600).unwrap_or_default()
}

/// Something that exists in an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// A row of the cloud's table of kinds.
    pub kind: String,
    pub id: String,
    /// What the cloud answers about it, in the words and the order of its answers. A name that begins with `_` is the
    /// simulator's own and is never answered.
    pub attrs: Map<String, Value>,
    pub tags: BTreeMap<String, String>,
    pub born: Ms,
    /// Until then reads may not know it yet.
    pub seen_from: Ms,
    /// Until then reads by tag may still go by `old_tags`.
    pub tagged_from: Ms,
    pub old_tags: BTreeMap<String, String>,
    /// It is deleted; until then lists may still show it.
    pub ghost_until: Option<Ms>,
    /// It was there before anybody of ours came, and must be the same when they have gone.
    pub foreign: bool,
}

impl Thing {
    #[must_use]
    pub fn new(kind: &str, id: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.into(),
            attrs: Map::new(),
            tags: BTreeMap::new(),
            born: 0,
            seen_from: 0,
            tagged_from: 0,
            old_tags: BTreeMap::new(),
            ghost_until: None,
            foreign: false,
        }
    }

    /// The text of an attribute; empty when there is none.
    #[must_use]
    pub fn text(&self, attr: &str) -> &str {
        self.attrs.get(attr).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn set(&mut self, attr: &str, value: impl Into<Value>) {
        self.attrs.insert(attr.to_owned(), value.into());
    }

    /// All values at a path such as `attachmentSet.instanceId`; lists are walked through.
    #[must_use]
    pub fn at(&self, path: &str) -> Vec<&Value> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let mut found: Vec<&Value> = self.attrs.get(first).into_iter().collect();
        for step in rest.split('.').filter(|step| !step.is_empty()) {
            found = found.into_iter().flat_map(|value| inside(value, step)).collect();
        }
        found
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                other => vec![other],
            })
            .collect()
    }
}

fn inside<'a>(value: &'a Value, step: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| inside(item, step)).collect(),
        Value::Object(map) => map.get(step).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What will happen to a thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// These attributes become so.
    Set(Map<String, Value>),
    /// It vanishes.
    Remove,
    /// It is not listed any more, if it is still the deleted one: its name may have been taken again.
    Forget,
    /// Something that its kind knows by this name.
    Named(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Due {
    kind: String,
    id: String,
    change: Change,
}

/// What happens by name: the cloud's own rules.
pub type Happen = fn(&mut World, kind: &str, id: &str, name: &str);

/// An account of one cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    pub cloud: String,
    pub region: String,
    pub weather: Weather,
    pub chance: Chance,
    /// By kind and id.
    things: BTreeMap<String, BTreeMap<String, Thing>>,
    now: Ms,
    due: BTreeMap<Ms, Vec<Due>>,
    ids: u64,
    /// Answers by action and client token, with a digest of the parameters.
    pub tokens: BTreeMap<String, (String, Value)>,
    /// Tokens left, and when that was true, by bucket.
    pub buckets: BTreeMap<String, (f64, Ms)>,
    /// Requests by action, and how many of them were throttled.
    pub calls: BTreeMap<String, u64>,
    pub throttled: u64,
    /// Mutating requests that named something foreign.
    pub trespasses: Vec<String>,
    /// While a request is answered: one of what it asks for together is not to be done.
    #[serde(skip)]
    pub partial: bool,
}

impl World {
    #[must_use]
    pub fn new(cloud: &str, region: &str, seed: u64, weather: Weather) -> Self {
        Self {
            cloud: cloud.to_owned(),
            region: region.to_owned(),
            weather,
            chance: Chance::new(seed),
            things: BTreeMap::new(),
            now: 0,
            due: BTreeMap::new(),
            ids: 0,
            tokens: BTreeMap::new(),
            buckets: BTreeMap::new(),
            calls: BTreeMap::new(),
            throttled: 0,
            trespasses: Vec::new(),
            partial: false,
        }
    }

    /// Takes the world away and leaves an empty one.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new("", "", 0, Weather::default()))
    }

    #[must_use]
    pub fn now(&self) -> Ms {
        self.now
    }

    /// Lets everything happen that is due by `now`. Time does not run backwards.
    pub fn pass(&mut self, now: Ms, happen: Happen) {
        while let Some(entry) = self.due.first_entry() {
            if *entry.key() > now {
                break;
            }
            let (at, all) = entry.remove_entry();
            self.now = self.now.max(at);
            for Due { kind, id, change } in all {
                match change {
                    Change::Set(attrs) => {
                        if let Some(thing) = self.get_mut(&kind, &id) {
                            thing.attrs.extend(attrs);
                        }
                    }
                    Change::Remove => {
                        self.remove(&kind, &id);
                    }
                    Change::Forget => {
                        if self.get(&kind, &id).is_none() {
                            self.remove(&kind, &id);
                        }
                    }
                    Change::Named(name) => happen(self, &kind, &id, &name),
                }
            }
        }
        self.now = self.now.max(now);
    }

    /// When the next thing happens by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Ms> {
        self.due.keys().next().copied()
    }

    /// Makes `change` happen to a thing after so long.
    pub fn later(&mut self, after: Ms, kind: &str, id: &str, change: Change) {
        let due = Due { kind: kind.to_owned(), id: id.to_owned(), change };
        self.due.entry(self.now + after.max(1)).or_default().push(due);
    }

    /// Draws how long something of the table of latencies takes; nothing where the table does not have it.
    pub fn takes(&mut self, figure: &str) -> Ms {
        let usual = latency::of(figure).map_or(0, |latency| latency.draw(&mut self.chance, figure));
        (usual as f64 / self.weather.haste.max(0.001)) as Ms
    }

    /// A new id such as `vpc-0a1b2c3d4e5f60718`: eight or seventeen digits are equally valid, new ones have seventeen
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>).
    pub fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{:016x}", self.number())
    }

    /// A number that no other thing of this world has.
    pub fn number(&mut self) -> u64 {
        self.ids += 1;
        // Multiplying by an odd number loses nothing, so that numbers differ as long as their counts do.
        (self.ids ^ (self.chance.seed() << 20)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// How long reads may differ about something that changes now.
    pub fn lag(&mut self, label: &str) -> Ms {
        let Weather { lag_p50_ms, lag_max_ms, .. } = self.weather;
        if lag_max_ms == 0 {
            return 0;
        }
        // Exponential: half are shorter than the median, and a few take very long.
        let lag = lag_p50_ms as f64 * -(1.0 - self.chance.unit(label)).log2();
        (lag as Ms).min(lag_max_ms)
    }

    /// Adds a new thing, which reads come to know in their time.
    pub fn add(&mut self, mut thing: Thing) {
        thing.born = self.now;
        let label = format!("lag/{}", thing.kind);
        thing.seen_from = self.now + self.lag(&label);
        thing.tagged_from = thing.seen_from;
        self.put(thing);
    }

    /// Adds a thing as it is.
    pub fn put(&mut self, thing: Thing) {
        self.things.entry(thing.kind.clone()).or_default().insert(thing.id.clone(), thing);
    }

    /// Deletes a thing; lists may show it for a while.
    pub fn delete(&mut self, kind: &str, id: &str) {
        let lag = self.lag(&format!("ghost/{kind}"));
        let now = self.now;
        if lag == 0 {
            self.remove(kind, id);
        } else if let Some(thing) = self.get_mut(kind, id) {
            thing.ghost_until = Some(now + lag);
            self.later(lag, kind, id, Change::Forget);
        }
    }

    pub fn remove(&mut self, kind: &str, id: &str) -> Option<Thing> {
        let all = self.things.get_mut(kind)?;
        let removed = all.remove(id);
        if all.is_empty() {
            self.things.remove(kind);
        }
        removed
    }

    /// A thing that exists, whether reads know it or not.
    #[must_use]
    pub fn get(&self, kind: &str, id: &str) -> Option<&Thing> {
        self.things.get(kind)?.get(id).filter(|thing| thing.ghost_until.is_none())
    }

    pub fn get_mut(&mut self, kind: &str, id: &str) -> Option<&mut Thing> {
        self.things.get_mut(kind)?.get_mut(id).filter(|thing| thing.ghost_until.is_none())
    }

    /// All of a kind that exist.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = &Thing> + use<'_> {
        self.things.get(kind).into_iter().flat_map(BTreeMap::values).filter(|thing| thing.ghost_until.is_none())
    }

    /// Everything that exists, kind by kind.
    pub fn everything(&self) -> impl Iterator<Item = &Thing> + use<'_> {
        self.things.values().flat_map(BTreeMap::values).filter(|thing| thing.ghost_until.is_none())
    }

    /// Whether a lookup of that thing finds it now. Within its lag the answer differs from request to request.
    pub fn knows(&mut self, kind: &str, id: &str) -> bool {
        let (now, flap) = (self.now, self.weather.flap);
        match self.get(kind, id).map(|thing| thing.seen_from) {
            None => false,
            Some(from) if from <= now => true,
            Some(_) => self.chance.happens(&format!("flap/{kind}"), flap),
        }
    }

    /// What a list of a kind shows now: without some of what is new, with some of what is gone.
    pub fn listed(&mut self, kind: &str) -> Vec<Thing> {
        let (now, flap) = (self.now, self.weather.flap);
        let Some(all) = self.things.get(kind) else { return Vec::new() };
        let mut shown = Vec::with_capacity(all.len());
        for thing in all.values() {
            let sure = thing.seen_from <= now && thing.ghost_until.is_none();
            let stale = thing.tagged_from > now;
            if !sure
                && !self.chance.happens(&format!("flap/{kind}"), if thing.ghost_until.is_some() { 0.5 } else { flap })
            {
                continue;
            }
            let mut thing = thing.clone();
            if stale && thing.seen_from <= now && !self.chance.happens(&format!("flap/{kind}"), flap) {
                thing.tags.clone_from(&thing.old_tags);
            }
            shown.push(thing);
        }
        shown
    }

    /// Changes the tags of a thing; reads may go by the old ones for a while.
    pub fn retag(&mut self, kind: &str, id: &str, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        let lag = self.lag(&format!("tags/{kind}"));
        let now = self.now;
        if let Some(thing) = self.get_mut(kind, id) {
            if thing.tagged_from <= now {
                thing.old_tags.clone_from(&thing.tags);
            }
            thing.tagged_from = now + lag;
            change(&mut thing.tags);
        }
    }

    /// What is there that was not there in the beginning, as `kind id`; without what has ended and is only still
    /// described (`_lingers`).
    #[must_use]
    pub fn inventory(&self) -> BTreeSet<String> {
        let ours = self.everything().filter(|thing| !thing.foreign && !thing.attrs.contains_key("_lingers"));
        ours.map(|thing| format!("{} {}", thing.kind, thing.id)).collect()
    }

    /// Everything foreign, as data to compare.
    pub fn foreign(&self) -> impl Iterator<Item = &Thing> + use<'_> {
        self.everything().filter(|thing| thing.foreign)
    }
}

#[cfg(test)]
mod tests;
