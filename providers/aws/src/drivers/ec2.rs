//! What the drivers of EC2's kinds share: tags that prove ownership, and the way back from an answer to a [`Live`].

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Call, CloudError, Fault, Live, Owner};
use clusterctl_core::graph::Resource;
use clusterctl_core::value::Input;

use crate::client::{Client, fail};
use crate::names;
use crate::resources::{TagValue, Tags};

/// Resources by their address.
pub(crate) type Found = Vec<(Addr, Live)>;

/// Whose resources to read: all of an owner, or those of one address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of<'a> {
    owner: &'a Owner,
    addr: Option<&'a Addr>,
}

impl<'a> Of<'a> {
    pub(crate) fn owner(owner: &'a Owner) -> Self {
        Self { owner, addr: None }
    }

    pub(crate) fn call(call: &'a Call) -> Self {
        Self { owner: &call.owner, addr: Some(&call.addr) }
    }

    pub(crate) fn filters(self) -> Vec<Filter> {
        let tag = |key: &str, value: &str| filter(&format!("tag:{key}"), value);
        let mut filters = vec![tag(names::UID, &self.owner.uid)];
        filters.extend(self.addr.map(|addr| tag(names::ADDRESS, &addr.to_string())));
        filters
    }

    /// The address in `tags`, if they prove that a resource of kind `R` is the owner's.
    ///
    /// The filters have chosen already; this does not rely on them, because a deletion may follow.
    pub(crate) fn address<R: Resource>(self, tags: Option<&[Tag]>) -> Option<Addr> {
        let addr = address(tags, &self.owner.uid)?;
        (addr.kind == R::KIND.name && self.addr.is_none_or(|wanted| *wanted == addr)).then_some(addr)
    }
}

/// The address that the tags give, if the owner is `uid`.
pub(crate) fn address(tags: Option<&[Tag]>, uid: &str) -> Option<Addr> {
    let tag = |key| tags.unwrap_or_default().iter().find(|tag| tag.key() == Some(key)).and_then(Tag::value);
    if tag(names::UID) != Some(uid) {
        return None;
    }
    tag(names::ADDRESS)?.parse().ok()
}

pub(crate) fn lives(found: Found) -> Vec<Live> {
    found.into_iter().map(|(_, live)| live).collect()
}

pub(crate) fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Tags that are given in the request that creates.
pub(crate) fn tagged(what: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(what).set_tags(Some(sdk_tags(tags))).build()
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(text(value)).build()).collect()
}

pub(crate) fn text(value: &TagValue) -> &str {
    match value {
        TagValue::Plain(text) => text,
        TagValue::Text(text) => text.sent(),
    }
}

pub(crate) fn tags_of(tags: Option<&[Tag]>) -> Tags {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().into()));
    tags.unwrap_or_default().iter().filter_map(pair).collect()
}

/// Sets tags on what exists. Other tags stay: what is not mentioned is not managed.
pub(crate) async fn retag(client: &Client, id: &str, tags: &Tags) -> Result<(), CloudError> {
    let request = client.ec2.create_tags().resources(id).set_tags(Some(sdk_tags(tags)));
    request.send().await.map_err(|e| fail("ec2:CreateTags", &e))?;
    Ok(())
}

pub(crate) fn has(changed: &[String], argument: &str) -> bool {
    changed.iter().any(|name| name == argument)
}

/// A live resource with these arguments.
pub(crate) fn live<R: Resource>(id: &str, resource: &R) -> Live {
    Live { args: serde_json::to_value(resource).unwrap_or_default(), ..Live::new(id) }
}

/// The same live resource after an update.
pub(crate) fn updated<R: Resource>(before: &Live, resource: &R) -> Live {
    Live { args: live(&before.id, resource).args, ..before.clone() }
}

/// The text of an argument of a live resource.
pub(crate) fn arg<'a>(live: &'a Live, name: &str) -> &'a str {
    live.args.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// The value of an input; every input that a driver sees is known.
pub(crate) fn id<T>(input: &Input<T>) -> &str {
    input.value().unwrap_or_default()
}

pub(crate) fn input<T>(value: Option<&str>) -> Input<T> {
    Input::known(value.unwrap_or_default())
}

/// What an answer must contain. Without it nobody knows what was made.
pub(crate) fn given<T>(part: Option<T>, operation: &str) -> Result<T, CloudError> {
    let missing = || CloudError::new(Fault::Ambiguous, operation, "IncompleteAnswer", "the answer does not name it");
    part.ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::resources::network::{Subnet, Vpc};

    fn tags(uid: &str, addr: &str) -> Vec<Tag> {
        let addr = addr.parse().expect("an address");
        sdk_tags(&names::tags("demo", uid, &addr, &BTreeMap::new()))
    }

    #[test]
    fn only_both_tags_and_the_kind_prove_ownership() {
        let owner = Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() };
        let of = Of::owner(&owner);
        let ours = tags("0011", "aws_vpc.main");
        assert_eq!(of.address::<Vpc>(Some(&ours)), Some(Addr::new("aws_vpc", "main")));
        assert_eq!(of.address::<Subnet>(Some(&ours)), None, "tags that were copied to another kind");
        assert_eq!(of.address::<Vpc>(Some(&tags("0012", "aws_vpc.main"))), None, "another owner");
        for key in [names::UID, names::ADDRESS] {
            let some: Vec<Tag> = ours.iter().filter(|tag| tag.key() != Some(key)).cloned().collect();
            assert_eq!(of.address::<Vpc>(Some(&some)), None, "without {key}");
        }
        assert_eq!(of.address::<Vpc>(None), None);
    }
}
