//! Records, each with a TXT record beside it that proves whose it is.
//!
//! A record cannot be tagged, and a zone may be the user's or hold what external-dns writes. So the record and its
//! marker are made in one batch, which Route 53 carries out as a whole or not at all
//! (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>): a marker is there only
//! if the record beside it was made by us, at any instant. `CREATE` refuses to replace what is there.

use async_trait::async_trait;
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeInfo, ResourceRecord, ResourceRecordSet, RrType,
};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress};
use clusterctl_core::value::Input;
use serde_json::json;

use super::{Mark, bare, built, in_sync, plain_name, with_change};
use crate::client::{Client, fail, is_missing};
use crate::drivers::adopt::{conflict, observed, updated};
use crate::resources::dns::{Alias, Record};

const MARKER: &str = "_clusterctl-";
/// Seconds.
const MARKER_TTL: i64 = 300;

/// The name of the marker of a record: one for each type, as a name may have several.
fn marker_name(name: &str, kind: &str) -> String {
    format!("{MARKER}{}.{}", kind.to_ascii_lowercase(), plain_name(name))
}

/// Reads name and type of the record that a marker stands beside.
fn marked(marker: &str) -> Option<(String, String)> {
    let (kind, name) = marker.strip_prefix(MARKER)?.split_once('.')?;
    Some((kind.to_ascii_uppercase(), name.to_owned()))
}

/// The mark in a marker.
fn mark_in(set: &ResourceRecordSet) -> Option<Mark> {
    let value = set.resource_records().first()?.value();
    Mark::read(value.strip_prefix('"')?.strip_suffix('"')?)
}

fn marker(call: &Call, record: &Record) -> Result<ResourceRecordSet, CloudError> {
    let value = ResourceRecord::builder().value(format!("\"{}\"", Mark::of(call).text())).build();
    let set = ResourceRecordSet::builder().name(marker_name(&record.name, &record.r#type)).r#type(RrType::Txt);
    built(set.ttl(MARKER_TTL).resource_records(built(value)?).build())
}

/// The record as it is sent; `None` when it has neither values nor a target.
fn record_set(record: &Record) -> Result<Option<ResourceRecordSet>, CloudError> {
    let set = ResourceRecordSet::builder().name(&record.name).r#type(RrType::from(record.r#type.as_str()));
    let set = match (&record.alias, &record.records) {
        (Some(alias), _) => {
            let target = AliasTarget::builder()
                .dns_name(alias.name.value().unwrap_or_default())
                .hosted_zone_id(alias.zone_id.value().unwrap_or_default())
                .evaluate_target_health(alias.evaluate_target_health);
            set.alias_target(built(target.build())?)
        }
        (None, Some(values)) => {
            let values = values.iter().map(|value| {
                // The provider writes TXT values without their quotes.
                let value = if record.r#type == "TXT" { format!("\"{value}\"") } else { value.clone() };
                built(ResourceRecord::builder().value(value).build())
            });
            set.set_resource_records(Some(values.collect::<Result<_, _>>()?)).set_ttl(record.ttl)
        }
        (None, None) => return Ok(None),
    };
    built(set.build()).map(Some)
}

/// A record as it is.
fn live_record(zone: &str, set: &ResourceRecordSet) -> Live {
    let kind = set.r#type.as_str();
    let value = |record: &ResourceRecord| {
        let text = record.value();
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).filter(|_| kind == "TXT");
        quoted.unwrap_or(text).to_owned()
    };
    let args = Record {
        zone_id: Input::known(zone),
        name: plain_name(&set.name),
        r#type: kind.to_owned(),
        ttl: set.ttl,
        records: set.resource_records.as_ref().map(|records| records.iter().map(value).collect()),
        alias: set.alias_target.as_ref().map(|target| Alias {
            name: Input::known(plain_name(&target.dns_name)),
            zone_id: Input::known(target.hosted_zone_id.clone()),
            evaluate_target_health: target.evaluate_target_health,
        }),
    };
    updated(&bare_record(zone, &args.name, kind), &args)
}

/// Of a record whose marker alone is left: it differs, so that it is made whole or goes.
fn bare_record(zone: &str, name: &str, kind: &str) -> Live {
    let mut live = Live::new(format!("{zone}_{name}_{kind}")).with("fqdn", name).with("zone_id", zone);
    live.args = json!({ "zone_id": zone, "name": name, "type": kind });
    live
}

/// The records of `uid` among all of a zone, with the name in their address.
pub(crate) fn ours(zone: &str, sets: &[ResourceRecordSet], uid: &str) -> Vec<(String, Live)> {
    let markers = sets.iter().filter(|set| set.r#type == RrType::Txt);
    markers
        .filter_map(|set| {
            let (kind, name) = marked(&plain_name(&set.name))?;
            let mark = mark_in(set).filter(|mark| mark.uid == uid)?;
            let live = match sets.iter().find(|other| is(other, &name, &kind)) {
                Some(record) => live_record(zone, record),
                None => bare_record(zone, &name, &kind),
            };
            Some((mark.name, live))
        })
        .collect()
}

/// Name and type of what neither Route 53 nor `uid` put into a zone.
pub(super) fn others(sets: &[ResourceRecordSet], uid: &str) -> Vec<String> {
    let is_marker = |set: &ResourceRecordSet| mark_in(set).is_some_and(|mark| mark.uid == uid);
    let ours = |set: &ResourceRecordSet| {
        let marker = marker_name(&set.name, set.r#type.as_str());
        set.set_identifier.is_none() && sets.iter().any(|other| is(other, &marker, "TXT") && is_marker(other))
    };
    let others =
        sets.iter().filter(|set| !matches!(set.r#type.as_str(), "NS" | "SOA") && !is_marker(set) && !ours(set));
    others.map(|set| format!("{} {}", plain_name(&set.name), set.r#type)).collect()
}

/// Whether this is the one record set of its name and type; weighted and other routed ones are never ours.
fn is(set: &ResourceRecordSet, name: &str, kind: &str) -> bool {
    set.set_identifier.is_none() && set.r#type.as_str() == kind && plain_name(&set.name) == plain_name(name)
}

#[derive(Debug, Clone)]
pub(super) struct RecordDriver(pub(super) Client);

fn change(action: ChangeAction, set: ResourceRecordSet) -> Result<Change, CloudError> {
    built(Change::builder().action(action).resource_record_set(set).build())
}

impl RecordDriver {
    /// Carries out all changes or none.
    async fn send(&self, zone: &str, changes: Vec<Change>) -> Result<Option<ChangeInfo>, CloudError> {
        let batch = built(ChangeBatch::builder().set_changes(Some(changes)).build())?;
        let result = self.0.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await;
        let error = match result {
            Ok(answer) => return Ok(answer.change_info),
            Err(error) => error,
        };
        let mut failure = fail("route53:ChangeResourceRecordSets", &error);
        if let Some(ChangeResourceRecordSetsError::InvalidChangeBatch(refused)) = error.as_service_error() {
            if !refused.messages().is_empty() {
                failure.message = refused.messages().join("; ");
            }
            let there = ["already exists", "other RRSets exist", "conflicts with other records"];
            let is_there = there.iter().any(|words| failure.message.contains(words));
            failure.fault = if is_there { Fault::Conflict } else { Fault::Permanent };
        }
        Err(failure)
    }

    async fn upsert(&self, call: &Call, want: &Record) -> Result<Option<ChangeInfo>, CloudError> {
        let record = record_set(want)?.map(|set| change(ChangeAction::Upsert, set)).transpose()?;
        let marker = change(ChangeAction::Upsert, marker(call, want)?)?;
        self.send(bare(want.zone_id.value().unwrap_or_default()), record.into_iter().chain([marker]).collect()).await
    }

    async fn get(&self, zone: &str, name: &str, kind: &str) -> Result<Option<ResourceRecordSet>, CloudError> {
        let request = self.0.route53.list_resource_record_sets().hosted_zone_id(zone).start_record_name(name);
        let answer = request.start_record_type(RrType::from(kind)).max_items(1).send().await;
        let answer = answer.map_err(|e| fail("route53:ListResourceRecordSets", &e))?;
        Ok(answer.resource_record_sets.into_iter().find(|set| is(set, name, kind)))
    }

    /// The marker of a record and the mark in it.
    async fn marker_of(&self, record: &Record) -> Result<Option<(ResourceRecordSet, Option<Mark>)>, CloudError> {
        let zone = bare(record.zone_id.value().unwrap_or_default());
        let set = self.get(zone, &marker_name(&record.name, &record.r#type), "TXT").await?;
        Ok(set.map(|set| {
            let mark = mark_in(&set);
            (set, mark)
        }))
    }
}

#[async_trait]
impl Driver for RecordDriver {
    type Resource = Record;

    async fn create(&self, call: &Call, want: Record) -> Result<Live, CloudError> {
        let zone = bare(want.zone_id.value().unwrap_or_default());
        let record = record_set(&want)?.map(|set| change(ChangeAction::Create, set)).transpose()?;
        let marker = change(ChangeAction::Create, marker(call, &want)?)?;
        let info = match self.send(zone, record.into_iter().chain([marker]).collect()).await {
            Err(error) if error.fault == Fault::Conflict => match self.marker_of(&want).await? {
                Some((_, Some(mark))) if mark.proves(call) => self.upsert(call, &want).await?,
                Some((_, Some(mark))) => {
                    let words = format!("`{}` belongs to the cluster with uid {} ({})", want.name, mark.uid, mark.name);
                    return Err(conflict(error, &words));
                }
                _ => {
                    let words = format!("`{}` {} was not made by clusterctl", want.name, want.r#type);
                    return Err(conflict(error, &words));
                }
            },
            other => other?,
        };
        Ok(with_change(updated(&bare_record(zone, &plain_name(&want.name), &want.r#type), &want), info.as_ref()))
    }

    async fn update(&self, call: &Call, live: &Live, want: Record, _changed: &[String]) -> Result<Live, CloudError> {
        let info = self.upsert(call, &want).await?;
        Ok(with_change(updated(live, &want), info.as_ref()))
    }

    /// Deletes record and marker as they were observed; if they have changed since, as they are now.
    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        let record: Record = observed(call, live)?;
        let zone = bare(record.zone_id.value().unwrap_or_default());
        let delete = |set| change(ChangeAction::Delete, set);
        let changes = record_set(&record)?.into_iter().chain([marker(call, &record)?]).map(delete);
        match self.send(zone, changes.collect::<Result<_, _>>()?).await {
            Ok(_) => Ok(()),
            Err(error) if error.code == "InvalidChangeBatch" => {
                let Some((marker, _)) = self
                    .marker_of(&record)
                    .await?
                    .filter(|(_, mark)| mark.as_ref().is_some_and(|mark| mark.proves(call)))
                else {
                    // Without its marker nothing here is ours any more.
                    return Ok(());
                };
                let now = self.get(zone, &record.name, &record.r#type).await?;
                let changes = now.into_iter().chain([marker]).map(delete);
                self.send(zone, changes.collect::<Result<_, _>>()?).await.map(drop)
            }
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn find(&self, call: &Call, want: Record) -> Result<Vec<Live>, CloudError> {
        let zone = bare(want.zone_id.value().unwrap_or_default());
        match self.marker_of(&want).await? {
            Some((_, Some(mark))) if mark.proves(call) => {
                Ok(vec![match self.get(zone, &want.name, &want.r#type).await? {
                    Some(set) => live_record(zone, &set),
                    None => bare_record(zone, &plain_name(&want.name), &want.r#type),
                }])
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn ready(&self, _call: &Call, live: &Live, _want: Record) -> Result<Progress, CloudError> {
        in_sync(&self.0, live).await
    }
}

#[cfg(test)]
mod tests;
