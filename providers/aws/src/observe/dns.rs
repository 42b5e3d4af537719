//! The cluster's zone, and its records in that zone and in the user's.

use aws_sdk_route53::types::{HostedZone, HostedZoneType, ResourceRecordSet};
use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{CloudError, Live, Owner, Scope};
use futures::future::try_join_all;

use crate::client::{Client, fail};
use crate::drivers::adopt::{Read, address, moved};
use crate::drivers::dns::records::ours;
use crate::drivers::dns::{bare, live_zone, zone_mark, zone_tags, zone_vpcs};

const ZONE: &str = "aws_route53_zone";
const RECORD: &str = "aws_route53_record";

/// Reads the zones of `owner`, and its records there and in `public_zones`, the ids of the user's zones that it was
/// told to use.
///
/// Where nothing is known of the owner, neither scope nor zones, its records are looked for in every zone of the account.
pub(crate) async fn observe(
    client: &Client,
    owner: &Owner,
    scope: &Scope,
    public_zones: &[String],
) -> Result<Vec<(Addr, Live)>, CloudError> {
    let everywhere = *scope == Scope::Everything && public_zones.is_empty();
    let zones = if scope.has(ZONE) { list_zones(client, everywhere).await? } else { Vec::new() };
    let mut all = zones_of(client, owner, &zones).await.map_err(moved)?;
    if !scope.has(RECORD) {
        return Ok(all);
    }
    let public = zones.iter().filter(|zone| everywhere && !is_private(zone)).map(|zone| bare(&zone.id).to_owned());
    let mut ids: Vec<String> = public.chain(public_zones.iter().map(|id| bare(id).to_owned())).collect();
    ids.extend(all.iter().map(|(_, live)| live.id.clone()));
    ids.sort_unstable();
    ids.dedup();
    let sets = try_join_all(ids.iter().map(|id| list_records(client, id))).await.map_err(moved)?;
    for (id, sets) in ids.iter().zip(&sets) {
        all.extend(ours(id, sets, &owner.uid).into_iter().map(|(name, live)| (Addr::new(RECORD, &name), live)));
    }
    Ok(all)
}

fn is_private(zone: &HostedZone) -> bool {
    zone.config().is_some_and(|config| config.private_zone)
}

/// The zones whose comment or tags prove that they are the owner's.
async fn zones_of(client: &Client, owner: &Owner, zones: &[HostedZone]) -> Result<Vec<(Addr, Live)>, CloudError> {
    // A comment that names somebody else settles it; without a mark, as after an edit, the tags may still prove it.
    let may_be = |zone: &&HostedZone| zone_mark(zone).is_none_or(|mark| mark.uid == owner.uid);
    let candidates: Vec<&HostedZone> = zones.iter().filter(|zone| is_private(zone)).filter(may_be).collect();
    let ids: Vec<String> = candidates.iter().map(|zone| bare(&zone.id).to_owned()).collect();
    let tags = zone_tags(client, &ids).await?;
    let read = candidates.into_iter().filter_map(|zone| {
        let tags = tags.iter().find(|(id, _)| id == bare(&zone.id)).map(|(_, tags)| tags.clone()).unwrap_or_default();
        Some((zone, addr_of(zone, &tags, owner)?, tags))
    });
    let read = read.map(|(zone, addr, tags)| async move {
        let vpcs = zone_vpcs(client, bare(&zone.id)).await?;
        Ok((addr, live_zone(zone, &vpcs, &tags)))
    });
    try_join_all(read).await
}

fn addr_of(zone: &HostedZone, tags: &Read, owner: &Owner) -> Option<Addr> {
    let mark = zone_mark(zone).filter(|mark| mark.uid == owner.uid);
    mark.map(|mark| Addr::new(ZONE, &mark.name)).or_else(|| address(tags, &owner.uid))
}

async fn list_zones(client: &Client, public_too: bool) -> Result<Vec<HostedZone>, CloudError> {
    let only = (!public_too).then_some(HostedZoneType::PrivateHostedZone);
    let pages = client.route53.list_hosted_zones().set_hosted_zone_type(only).into_paginator().items();
    pages.send().try_collect().await.map_err(|e| fail("route53:ListHostedZones", &e))
}

async fn list_records(client: &Client, zone: &str) -> Result<Vec<ResourceRecordSet>, CloudError> {
    let mut all = Vec::new();
    let (mut name, mut kind, mut identifier) = (None, None, None);
    loop {
        let request = client.route53.list_resource_record_sets().hosted_zone_id(zone).set_start_record_name(name);
        let answer = request.set_start_record_type(kind).set_start_record_identifier(identifier).send().await;
        let answer = answer.map_err(|e| fail("route53:ListResourceRecordSets", &e))?;
        all.extend(answer.resource_record_sets);
        if !answer.is_truncated || answer.next_record_name.is_none() {
            return Ok(all);
        }
        (name, kind, identifier) = (answer.next_record_name, answer.next_record_type, answer.next_record_identifier);
    }
}
