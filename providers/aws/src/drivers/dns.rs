//! The cluster's private zone; `records` has the records in it and in zones of the user's.
//!
//! Route 53 takes a zone's tags only in a second call, so the zone's comment, which is in the first, proves whose it is
//! (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html>). It also says which network
//! was ours, since others may be added.

pub(crate) mod records;

use async_trait::async_trait;
use aws_sdk_route53::types::{
    ChangeInfo, ChangeStatus, HostedZone, HostedZoneConfig, Tag, TagResourceType, Vpc, VpcRegion,
};
use aws_smithy_types::error::operation::BuildError;
use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Driver, Fault, Live, Progress, Typed};
use clusterctl_core::value::Input;
use futures::future::{try_join, try_join_all};
use serde_json::Value;

use super::adopt::{Read, adopt, conflict, empty_answer, given, read, updated};
use crate::client::{Client, fail, is_missing, unless_missing};
use crate::resources::Tags;
use crate::resources::dns::{Zone, ZoneVpc};

pub(crate) fn drivers(client: &Client) -> Vec<(&'static str, Box<dyn AnyDriver>)> {
    vec![
        ("aws_route53_zone", Box::new(Typed(ZoneDriver(client.clone())))),
        ("aws_route53_record", Box::new(Typed(records::RecordDriver(client.clone())))),
    ]
}

/// What proves an owner where there are no tags: in a zone's comment and in the TXT record beside a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub uid: String,
    /// The name in the address.
    pub name: String,
    pub vpc: Option<String>,
}

impl Mark {
    fn of(call: &Call) -> Self {
        Self { uid: call.owner.uid.clone(), name: call.addr.name.clone(), vpc: None }
    }

    pub(crate) fn text(&self) -> String {
        let vpc = self.vpc.as_ref().map(|vpc| format!(",clusterctl/vpc={vpc}")).unwrap_or_default();
        format!("heritage=clusterctl,clusterctl/uid={},clusterctl/address={}{vpc}", self.uid, self.name)
    }

    /// Reads a mark of anybody's.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("heritage=clusterctl,")?;
        let word = |key: &str| rest.split(',').find_map(|w| w.strip_prefix(key)?.strip_prefix('='));
        let (uid, name) = (word("clusterctl/uid")?, word("clusterctl/address")?);
        Some(Self { uid: uid.into(), name: name.into(), vpc: word("clusterctl/vpc").map(str::to_owned) })
    }

    fn proves(&self, call: &Call) -> bool {
        self.uid == call.owner.uid && self.name == call.addr.name
    }
}

/// The mark in a zone's comment.
pub(crate) fn zone_mark(zone: &HostedZone) -> Option<Mark> {
    Mark::read(zone.config()?.comment()?)
}

/// A zone's id without the path that Route 53 puts before it.
pub(crate) fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// A name as people write it: no dot at the end, lower case, `\052` for an asterisk undone.
pub(crate) fn plain_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name.strip_suffix('.').unwrap_or(name);
    while let Some(first) = rest.chars().next() {
        let code = rest.strip_prefix('\\').and_then(|after| u8::from_str_radix(after.get(..3)?, 8).ok());
        match code {
            Some(byte) => {
                text.push(char::from(byte));
                rest = &rest[4..];
            }
            None => {
                text.push(first.to_ascii_lowercase());
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    text
}

/// A zone as it is; of several networks the one that the comment names.
pub(crate) fn live_zone(zone: &HostedZone, vpcs: &[Vpc], tags: &Read) -> Live {
    let ids: Vec<&str> = vpcs.iter().filter_map(Vpc::vpc_id).collect();
    let marked = zone_mark(zone).and_then(|mark| mark.vpc).filter(|vpc| ids.contains(&vpc.as_str()));
    let vpc = marked.as_deref().or(ids.first().copied()).unwrap_or_default();
    let args = Zone {
        name: plain_name(&zone.name),
        vpc: ZoneVpc { vpc_id: Input::known(vpc) },
        force_destroy: false,
        tags: given(tags),
    };
    let id = bare(&zone.id);
    updated(&Live::new(id).with("zone_id", id), &args)
}

/// A zone with what its own description does not tell: its networks.
pub(crate) async fn zone_vpcs(client: &Client, id: &str) -> Result<Vec<Vpc>, CloudError> {
    let answer = client.route53.get_hosted_zone().id(id).send().await;
    Ok(answer.map_err(|e| fail("route53:GetHostedZone", &e))?.vpcs.unwrap_or_default())
}

/// The tags of zones, ten in a call, in the order of `ids`.
pub(crate) async fn zone_tags(client: &Client, ids: &[String]) -> Result<Vec<(String, Read)>, CloudError> {
    let calls = ids.chunks(10).map(|ids| async move {
        let request = client.route53.list_tags_for_resources().resource_type(TagResourceType::Hostedzone);
        let answer = request.set_resource_ids(Some(ids.to_vec())).send().await;
        answer.map_err(|e| fail("route53:ListTagsForResources", &e))
    });
    let sets = try_join_all(calls).await?.into_iter().flat_map(|answer| answer.resource_tag_sets);
    Ok(sets
        .map(|set| {
            let tags = set.tags().iter().filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned()))).collect();
            (set.resource_id.unwrap_or_default(), tags)
        })
        .collect())
}

/// The output that holds a change until it has reached all of Route 53's servers.
const CHANGE_ID: &str = "change_id";

fn with_change(live: Live, change: Option<&ChangeInfo>) -> Live {
    match change {
        Some(change) => live.with(CHANGE_ID, bare(&change.id)),
        None => live,
    }
}

/// Whether the change that made `live` has reached all of Route 53's servers.
async fn in_sync(client: &Client, live: &Live) -> Result<Progress, CloudError> {
    let Some(change) = live.outputs.get(CHANGE_ID).and_then(Value::as_str) else {
        return Ok(Progress::Done(live.clone()));
    };
    let pending = match client.route53.get_change().id(change).send().await.map_err(|e| fail("route53:GetChange", &e)) {
        Ok(answer) => answer.change_info().is_some_and(|info| *info.status() == ChangeStatus::Pending),
        // A change is forgotten some time after it is done.
        Err(error) if error.code == "NoSuchChange" => false,
        Err(error) => return Err(error),
    };
    if pending {
        return Ok(Progress::Pending("not on all name servers yet".to_owned()));
    }
    let mut live = live.clone();
    live.outputs.shift_remove(CHANGE_ID);
    Ok(Progress::Done(live))
}

/// A request that lacks what it must have.
fn built<T>(result: Result<T, BuildError>) -> Result<T, CloudError> {
    result.map_err(|e| CloudError::new(Fault::Permanent, "route53:Request", "Incomplete", e.to_string()))
}

#[derive(Debug, Clone)]
struct ZoneDriver(Client);

impl ZoneDriver {
    fn vpc(&self, id: &str) -> Vpc {
        Vpc::builder().vpc_id(id).vpc_region(VpcRegion::from(self.0.region.as_str())).build()
    }

    /// Sets the wanted tags; ten are taken in a call.
    async fn tag(&self, id: &str, tags: &Tags) -> Result<(), CloudError> {
        let tags: Vec<Tag> = read(tags).into_iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
        let calls = tags.chunks(10).map(|tags| {
            let request = self.0.route53.change_tags_for_resource().resource_type(TagResourceType::Hostedzone);
            request.resource_id(id).set_add_tags(Some(tags.to_vec())).send()
        });
        try_join_all(calls).await.map(drop).map_err(|e| fail("route53:ChangeTagsForResource", &e))
    }

    /// Puts the zone into the wanted network, takes it out of the one that was ours, and says so in the comment.
    async fn move_to(&self, call: &Call, live: &Live, vpc: &str) -> Result<(), CloudError> {
        let request = self.0.route53.associate_vpc_with_hosted_zone().hosted_zone_id(&live.id).vpc(self.vpc(vpc));
        let result = request.send().await.map_err(|e| fail("route53:AssociateVPCWithHostedZone", &e));
        match result {
            // It may be in already, from an attempt that was cut short.
            Err(error) if error.code == "ConflictingDomainExists" => {
                let there = zone_vpcs(&self.0, &live.id).await?;
                if !there.iter().any(|other| other.vpc_id() == Some(vpc)) {
                    return Err(error);
                }
            }
            other => drop(other?),
        }
        let mark = Mark { vpc: Some(vpc.to_owned()), ..Mark::of(call) };
        let request = self.0.route53.update_hosted_zone_comment().id(&live.id).comment(mark.text());
        request.send().await.map_err(|e| fail("route53:UpdateHostedZoneComment", &e))?;
        let Some(old) = live.args.pointer("/vpc/vpc_id").and_then(Value::as_str).filter(|old| *old != vpc) else {
            return Ok(());
        };
        let request = self.0.route53.disassociate_vpc_from_hosted_zone().hosted_zone_id(&live.id).vpc(self.vpc(old));
        let result = request.send().await.map(drop).map_err(|e| fail("route53:DisassociateVPCFromHostedZone", &e));
        unless_missing(result)
    }

    /// What is in the zone beside what Route 53 and this cluster put there, for people.
    async fn others(&self, call: &Call, id: &str) -> Result<Vec<String>, CloudError> {
        let answer = self.0.route53.list_resource_record_sets().hosted_zone_id(id).send().await;
        let sets = answer.map_err(|e| fail("route53:ListResourceRecordSets", &e))?.resource_record_sets;
        Ok(records::others(&sets, &call.owner.uid))
    }
}

#[async_trait]
impl Driver for ZoneDriver {
    type Resource = Zone;

    /// Makes the zone, with its owner in the comment, then tags it.
    async fn create(&self, call: &Call, want: Zone) -> Result<Live, CloudError> {
        let operation = "route53:CreateHostedZone";
        let vpc = want.vpc.vpc_id.value().unwrap_or_default();
        let mark = Mark { vpc: Some(vpc.to_owned()), ..Mark::of(call) };
        let request = self
            .0
            .route53
            .create_hosted_zone()
            .name(&want.name)
            .vpc(self.vpc(vpc))
            .caller_reference(&call.token)
            .hosted_zone_config(HostedZoneConfig::builder().comment(mark.text()).private_zone(true).build());
        match request.send().await.map_err(|e| fail(operation, &e)) {
            Ok(answer) => {
                let zone = answer.hosted_zone().ok_or_else(|| empty_answer(operation))?;
                self.tag(bare(&zone.id), &want.tags).await?;
                let live = live_zone(zone, &[self.vpc(vpc)], &read(&want.tags));
                Ok(with_change(live, answer.change_info()))
            }
            Err(error) if matches!(error.code.as_str(), "HostedZoneAlreadyExists" | "ConflictingDomainExists") => {
                let name = want.name.clone();
                adopt(self, call, want, &name, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, call: &Call, live: &Live, want: Zone, changed: &[String]) -> Result<Live, CloudError> {
        if changed.iter().any(|argument| argument == "vpc") {
            self.move_to(call, live, want.vpc.vpc_id.value().unwrap_or_default()).await?;
        }
        if changed.iter().any(|argument| argument == "tags") {
            self.tag(&live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    /// Deletes the zone. Records of others hold it, and the error names them.
    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        let result = self.0.route53.delete_hosted_zone().id(&live.id).send().await;
        match result.map(drop).map_err(|e| fail("route53:DeleteHostedZone", &e)) {
            Err(error) if error.code == "HostedZoneNotEmpty" => {
                let others = self.others(call, &live.id).await?;
                if others.is_empty() {
                    return Err(error);
                }
                let few = others.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
                let more = if others.len() > 5 { ", ..." } else { "" };
                Err(conflict(error, &format!("records that this cluster did not make are in it: {few}{more}")))
            }
            other => unless_missing(other),
        }
    }

    async fn find(&self, call: &Call, want: Zone) -> Result<Vec<Live>, CloudError> {
        let request = self.0.route53.list_hosted_zones_by_name().dns_name(&want.name).max_items(100);
        let answer = request.send().await.map_err(|e| fail("route53:ListHostedZonesByName", &e))?;
        let named = answer.hosted_zones.iter().filter(|zone| plain_name(&zone.name) == plain_name(&want.name));
        let ours = named.filter(|zone| zone_mark(zone).is_some_and(|mark| mark.proves(call)));
        let read = ours.map(|zone| async move {
            let ids = [bare(&zone.id).to_owned()];
            let (vpcs, tags) = try_join(zone_vpcs(&self.0, &ids[0]), zone_tags(&self.0, &ids)).await?;
            let tags = tags.into_iter().next().map(|(_, tags)| tags).unwrap_or_default();
            Ok::<_, CloudError>(live_zone(zone, &vpcs, &tags))
        });
        try_join_all(read).await.or_else(|error| if is_missing(&error) { Ok(Vec::new()) } else { Err(error) })
    }

    async fn ready(&self, _call: &Call, live: &Live, _want: Zone) -> Result<Progress, CloudError> {
        in_sync(&self.0, live).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_other_texts_are_none() {
        let mark = Mark { uid: "0011".into(), name: "api".into(), vpc: Some("vpc-1".into()) };
        for mark in [mark.clone(), Mark { vpc: None, ..mark.clone() }] {
            assert_eq!(Mark::read(&mark.text()), Some(mark));
        }
        for text in ["", "Managed by Terraform", "heritage=external-dns,clusterctl/uid=0011,clusterctl/address=api"] {
            assert_eq!(Mark::read(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_as_people_write_them() {
        for (given, plain) in [
            ("Example.COM.", "example.com"),
            (r"\052.apps.example.com.", "*.apps.example.com"),
            (r"a\344\270b.com", "a\u{e4}\u{b8}b.com"),
            (r"a\9b", r"a\9b"),
        ] {
            assert_eq!(plain_name(given), plain);
        }
    }

    fn zone(comment: &str) -> HostedZone {
        let config = HostedZoneConfig::builder().comment(comment).private_zone(true).build();
        let zone = HostedZone::builder().id("/hostedzone/Z1").name("demo.internal.").caller_reference("t");
        zone.config(config).build().expect("a zone")
    }

    #[test]
    fn of_several_networks_ours_is_the_one_in_the_comment() {
        let vpc = |id: &str| Vpc::builder().vpc_id(id).build();
        let mark = Mark { uid: "0011".into(), name: "main".into(), vpc: Some("vpc-2".into()) };
        let live = live_zone(&zone(&mark.text()), &[vpc("vpc-1"), vpc("vpc-2")], &Read::new());
        assert_eq!((live.id.as_str(), &live.args["vpc"]["vpc_id"]), ("Z1", &Value::from("vpc-2")));
        assert_eq!(live.args["name"], "demo.internal");
        let live = live_zone(&zone(&mark.text()), &[vpc("vpc-1")], &Read::new());
        assert_eq!(live.args["vpc"]["vpc_id"], "vpc-1");
    }
}
