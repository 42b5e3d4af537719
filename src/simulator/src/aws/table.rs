//! Kinds and actions as tables, and what all of them have in common.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Refused, object};
use crate::wire::xml;
use crate::world::{Thing, World};

/// Something that AWS does and its page says; `name` is also the name of the test that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    pub name: &'static str,
    pub source: &'static str,
}

/// A service with a query protocol.
#[derive(Debug)]
pub(super) struct Service {
    /// As in a credential scope.
    pub name: &'static str,
    pub namespace: &'static str,
    pub protocol: Protocol,
    pub actions: &'static [&'static [Action]],
    pub behaviours: &'static [&'static [Behaviour]],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Ec2,
    Query,
}

impl Service {
    /// An answer as this service writes it.
    pub(super) fn text(
        &self,
        content: &Map<String, Value>,
        fields: &BTreeMap<String, String>,
        request_id: &str,
    ) -> String {
        let action = fields.get("Action").map(String::as_str).unwrap_or_default();
        let root = format!("{action}Response");
        match self.protocol {
            Protocol::Ec2 => {
                let mut whole = object([("requestId", request_id.into())]);
                whole.extend(content.clone());
                xml::document(&root, self.namespace, &whole, "item")
            }
            Protocol::Query => {
                let whole = object([
                    (&format!("{action}Result"), Value::Object(content.clone())),
                    ("ResponseMetadata", json!({ "RequestId": request_id })),
                ]);
                xml::document(&root, self.namespace, &whole, "member")
            }
        }
    }
}

/// One action of a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action {
    pub name: &'static str,
    pub does: Does,
    /// The parameter with the client token; empty where the action has none.
    pub token: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Does {
    Creates(&'static Row),
    Lists(&'static Row),
    Deletes(&'static Row),
    Special(fn(&mut Call<'_>) -> Answer),
}

impl Action {
    pub(super) const fn creates(name: &'static str, row: &'static Row) -> Self {
        Self { name, does: Does::Creates(row), token: "" }
    }

    pub(super) const fn lists(name: &'static str, row: &'static Row) -> Self {
        Self { name, does: Does::Lists(row), token: "" }
    }

    pub(super) const fn deletes(name: &'static str, row: &'static Row) -> Self {
        Self { name, does: Does::Deletes(row), token: "" }
    }

    pub(super) const fn special(name: &'static str, does: fn(&mut Call<'_>) -> Answer) -> Self {
        Self { name, does: Does::Special(does), token: "" }
    }

    /// It honours a client token.
    pub(super) const fn once(self, token: &'static str) -> Self {
        Self { token, ..self }
    }

    pub(super) fn carried_out(&self, call: &mut Call<'_>) -> Answer {
        match self.does {
            Does::Creates(row) => row.create(call),
            Does::Lists(row) => row.list(call),
            Does::Deletes(row) => row.delete(call),
            Does::Special(does) => does(call),
        }
    }
}

type Born = fn(&mut Call<'_>, &mut Thing) -> Result<(), Refused>;
type Dying = fn(&mut Call<'_>, &str) -> Result<bool, Refused>;

/// A kind of EC2: what it is called where, what it is made of, what it needs and what needs it.
#[derive(Debug)]
pub(super) struct Row {
    /// The kind of the thing, and the resource type of its tags.
    pub kind: &'static str,
    /// Of its ids.
    pub prefix: &'static str,
    /// The element with its id.
    pub id: &'static str,
    /// The parameter with one id, or several.
    pub id_param: &'static str,
    /// The element around what was made; empty where there is none.
    pub one: &'static str,
    /// The element around a list.
    pub set: &'static str,
    /// The error for an id that nobody knows.
    pub missing: &'static str,
    /// Parameters that become attributes, as they are.
    pub fields: &'static [(&'static str, &'static str)],
    /// Parameters that name another thing, and its kind.
    pub refs: &'static [(&'static str, &'static Row)],
    /// What keeps it from being deleted: things of a kind with its id at a path.
    pub used_by: &'static [(&'static str, &'static str)],
    pub in_use: &'static str,
    /// Filters by attribute, beside those by tag.
    pub filters: &'static [(&'static str, &'static str)],
    /// How many an account may have, and the error for one more; 0 is no limit.
    pub limit: (u32, &'static str),
    /// What is special about a new one, before it is there.
    pub born: Option<Born>,
    /// What happens next to one that is there.
    pub after: Option<fn(&mut World, &str)>,
    /// What is special about its deletion; `true` when that was all of it.
    pub dying: Option<Dying>,
    /// What is only true at the time of an answer, such as how many addresses are free.
    pub seen: Option<fn(&World, &mut Thing)>,
}

impl Row {
    pub(super) const fn new(kind: &'static str, prefix: &'static str) -> Self {
        Self {
            kind,
            prefix,
            id: "",
            id_param: "",
            one: "",
            set: "",
            missing: "",
            fields: &[],
            refs: &[],
            used_by: &[],
            in_use: "DependencyViolation",
            filters: &[],
            limit: (0, ""),
            born: None,
            after: None,
            dying: None,
            seen: None,
        }
    }

    /// The error for an id that is not there.
    pub(super) fn unknown(&self, id: &str) -> Refused {
        Refused::bad(self.missing, format!("The {} ID '{id}' does not exist", self.kind))
    }

    /// Makes sure that a thing is there for whoever asks.
    pub(super) fn find(&self, world: &mut World, id: &str) -> Result<Thing, Refused> {
        if !world.knows(self.kind, id) {
            return Err(self.unknown(id));
        }
        world.get(self.kind, id).cloned().ok_or_else(|| self.unknown(id))
    }

    pub(super) fn create(&'static self, call: &mut Call<'_>) -> Answer {
        for (param, row) in self.refs {
            for id in call.texts(param) {
                row.find(call.world, &id)?;
            }
        }
        let (limit, code) = self.limit;
        let limit = call.world.weather.quotas.get(self.kind).copied().unwrap_or(limit);
        if !code.is_empty() && call.world.all(self.kind).count() >= limit as usize {
            return Err(Refused::bad(code, format!("The maximum number of {}s has been reached.", self.kind)));
        }
        let id = call.world.id(self.prefix);
        let mut thing = Thing::new(self.kind, &id);
        if !self.id.is_empty() {
            thing.set(self.id, id.as_str());
        }
        for (param, attr) in self.fields {
            if let Some(value) = call.at(param) {
                thing.set(attr, value.clone());
            }
        }
        if let Some(other) =
            call.list("TagSpecification").iter().map(|spec| text(&spec["ResourceType"])).find(|k| k != self.kind)
        {
            let message = format!("'{other}' is not a valid taggable resource type for this operation.");
            return Err(Refused::bad("InvalidParameterValue", message));
        }
        thing.tags = specified(call, self.kind)?;
        if let Some(born) = self.born {
            born(call, &mut thing)?;
        }
        call.world.add(thing);
        if let Some(after) = self.after {
            after(call.world, &id);
        }
        let shown = call.world.get(self.kind, &id).map(|thing| shown(&self.now(call.world, thing.clone())));
        let shown = shown.unwrap_or_default();
        Ok(match self.one {
            "" => shown,
            one => object([(one, Value::Object(shown))]),
        })
    }

    pub(super) fn list(&'static self, call: &mut Call<'_>) -> Answer {
        let found = self.select(call)?;
        page(call, self.set, found.iter().map(|thing| Value::Object(shown(thing))).collect())
    }

    /// What a list's ids and filters leave.
    pub(super) fn select(&self, call: &mut Call<'_>) -> Result<Vec<Thing>, Refused> {
        let ids = call.texts(self.id_param);
        let found = call.world.listed(self.kind);
        let mut found: Vec<Thing> = found.into_iter().map(|thing| self.now(call.world, thing)).collect();
        if !ids.is_empty() {
            found.retain(|thing| ids.contains(&thing.id));
            if let Some(id) = ids.iter().find(|id| !found.iter().any(|thing| thing.id == **id)) {
                return Err(self.unknown(id));
            }
        }
        self.choose(call, found)
    }

    /// What a request's filters leave of these.
    pub(super) fn choose(&self, call: &Call<'_>, mut found: Vec<Thing>) -> Result<Vec<Thing>, Refused> {
        for filter in call.list("Filter") {
            let name = filter.get("Name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let wanted: Vec<String> = match filter.get("Value") {
                Some(Value::Array(values)) => values.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
                Some(Value::String(value)) => vec![value.clone()],
                _ => Vec::new(),
            };
            let fits = |value: &str| wanted.iter().any(|pattern| like(pattern, value));
            if let Some(key) = name.strip_prefix("tag:") {
                found.retain(|thing| thing.tags.get(key).is_some_and(|value| fits(value)));
            } else if name == "tag-key" {
                found.retain(|thing| thing.tags.keys().any(|key| fits(key)));
            } else if let Some((_, path)) = self.filters.iter().find(|(known, _)| *known == name) {
                found.retain(|thing| thing.at(path).iter().any(|value| fits(&text(value))));
            } else {
                let message = format!("The filter '{name}' is invalid");
                return Err(Refused::bad("InvalidParameterValue", message));
            }
        }
        Ok(found)
    }

    pub(super) fn delete(&'static self, call: &mut Call<'_>) -> Answer {
        let id = call.needs(self.id_param)?;
        // A deletion goes by what there is, not by what lists show.
        if call.world.get(self.kind, &id).is_none() {
            return Err(self.unknown(&id));
        }
        if let Some((kind, user)) = self.user(call.world, &id) {
            let message = format!("The {} '{id}' has dependencies and cannot be deleted: {kind} {user}", self.kind);
            return Err(Refused::bad(self.in_use, message));
        }
        let done = match self.dying {
            Some(dying) => dying(call, &id)?,
            None => false,
        };
        if !done {
            call.world.delete(self.kind, &id);
        }
        Ok(object([("return", true.into())]))
    }

    /// The thing with what is only true now.
    fn now(&self, world: &World, mut thing: Thing) -> Thing {
        if let Some(seen) = self.seen {
            seen(world, &mut thing);
        }
        thing
    }

    /// Something that still needs this thing.
    pub(super) fn user(&self, world: &World, id: &str) -> Option<(&'static str, String)> {
        self.used_by.iter().find_map(|(kind, path)| {
            let user = world.all(kind).find(|thing| thing.at(path).iter().any(|value| value.as_str() == Some(id)))?;
            Some((*kind, user.id.clone()))
        })
    }
}

/// A thing as it is answered, with its tags last.
pub(super) fn shown(thing: &Thing) -> Map<String, Value> {
    let mut shown: Map<String, Value> =
        thing.attrs.iter().filter(|(name, _)| !name.starts_with('_')).map(|(n, v)| (n.clone(), v.clone())).collect();
    shown.insert("tagSet".to_owned(), tag_set(&thing.tags));
    shown
}

pub(super) fn tag_set(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// The tags that a request gives to a kind.
pub(super) fn specified(call: &Call<'_>, kind: &str) -> Result<BTreeMap<String, String>, Refused> {
    let of_kind = |spec: &&Value| spec.get("ResourceType").and_then(Value::as_str) == Some(kind);
    let specs = call.list("TagSpecification");
    let tags: Vec<Value> = specs.iter().filter(of_kind).filter_map(|spec| spec.get("Tag").cloned()).collect();
    let mut found = BTreeMap::new();
    for tag in tags.iter().flat_map(|tags| tags.as_array().cloned().unwrap_or_default()) {
        let (key, value) = (text(&tag["Key"]), text(&tag["Value"]));
        tag_allowed(&key, &value)?;
        found.insert(key, value);
    }
    Ok(found)
}

/// Keys up to 128 characters, values up to 256, `aws:` reserved
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>).
pub(super) fn tag_allowed(key: &str, value: &str) -> Result<(), Refused> {
    if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
        return Err(Refused::bad("InvalidParameterValue", format!("Tag {key} is too long or empty")));
    }
    if key.starts_with("aws:") {
        return Err(Refused::bad(
            "InvalidParameterValue",
            format!("Tag keys starting with 'aws:' are reserved: {key}"),
        ));
    }
    Ok(())
}

/// One page of a list: 1000 entries where the request does not say.
pub(super) fn page(call: &Call<'_>, set: &str, mut items: Vec<Value>) -> Answer {
    let from: usize = call.text("NextToken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let most =
        call.number("MaxResults").and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0).unwrap_or(1000);
    let rest = items.split_off(from.min(items.len()));
    let more = rest.len() > most;
    let shown: Vec<Value> = rest.into_iter().take(most).collect();
    let mut answer = object([(set, Value::Array(shown))]);
    if more {
        answer.insert("nextToken".to_owned(), (from + most).to_string().into());
    }
    Ok(answer)
}

/// Text of a scalar.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Whether a filter's value fits: `*` stands for anything, `?` for one character
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>).
pub(super) fn like(pattern: &str, value: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return pattern == value;
    }
    let (pattern, value): (Vec<char>, Vec<char>) = (pattern.chars().collect(), value.chars().collect());
    let mut reach = vec![false; value.len() + 1];
    reach[0] = true;
    for p in pattern {
        let mut next = vec![false; value.len() + 1];
        match p {
            '*' => {
                let mut seen = false;
                for (at, reached) in reach.iter().enumerate() {
                    seen |= reached;
                    next[at] = seen;
                }
            }
            p => {
                for (at, c) in value.iter().enumerate() {
                    next[at + 1] = reach[at] && (p == '?' || p == *c);
                }
            }
        }
        reach = next;
    }
    reach[value.len()]
}
