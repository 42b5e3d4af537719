//! Hosted zones and records.

use std::collections::BTreeSet;

use clusterctl_core::graph::{Kind, Ownership, Resource};
use clusterctl_core::value::Input;
use serde::{Deserialize, Serialize};

use super::{DnsName, HostedZoneId, Tags, VpcId, outputs};

pub static ZONE: Kind = Kind {
    forces_new: &["name"],
    blocks: &["vpc"],
    write_only: &["force_destroy"],
    identity: &["id", "zone_id"],
    awaited: true,
    persists: true,
    seconds: (35.0, 35.0),
    ..Kind::new("aws_route53_zone")
};

/// A private zone of the cluster's network. Public zones are the user's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    pub name: String,
    pub vpc: ZoneVpc,
    pub force_destroy: bool,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZoneVpc {
    pub vpc_id: Input<VpcId>,
}

outputs!(ZoneOut { zone_id: HostedZoneId });
impl Resource for Zone {
    const KIND: &'static Kind = &ZONE;
    type Out = ZoneOut;
}

/// A record of ours in a zone of the user's is proven by a TXT record beside it that holds the owner's uid.
pub static RECORD: Kind = Kind {
    sets: &["records"],
    ownership: Ownership::Named,
    forces_new: &["zone_id", "name", "type"],
    blocks: &["alias"],
    awaited: true,
    persists: true,
    seconds: (35.0, 35.0),
    ..Kind::new("aws_route53_record")
};

/// Its id is `<zone>_<name>_<type>`. Either `records` with a `ttl`, or an `alias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub zone_id: Input<HostedZoneId>,
    pub name: String,
    pub r#type: String,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<Alias>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    pub name: Input<DnsName>,
    pub zone_id: Input<HostedZoneId>,
    pub evaluate_target_health: bool,
}

outputs!(RecordOut { fqdn: DnsName, zone_id: HostedZoneId });
impl Resource for Record {
    const KIND: &'static Kind = &RECORD;
    type Out = RecordOut;
}

/// The user's public zone, looked up by Terraform where no account was asked.
pub static ZONE_LOOKUP: Kind = Kind { ownership: Ownership::Child, ..Kind::new("data.aws_route53_zone") };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZoneLookup {
    pub name: String,
    pub private_zone: bool,
}

outputs!(ZoneLookupOut { zone_id: HostedZoneId });
impl Resource for ZoneLookup {
    const KIND: &'static Kind = &ZONE_LOOKUP;
    type Out = ZoneLookupOut;
}
