//! What only one cloud has, typed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::PlacementStrategy;
use crate::names::{AmiId, CapacityReservationId, TagKey, TagValue};

/// Options of the cluster for each cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CloudOptions {
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsOptions>,
}

/// What only AWS has, for the whole cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AwsOptions {
    /// Image of every machine, instead of the newest Ubuntu of its architecture. A group's own `ami` goes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami: Option<AmiId>,
    /// Tags on everything, besides clusterctl's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 30, "x-keys" = "tag-key"))]
    pub tags: Option<BTreeMap<TagKey, TagValue>>,
    /// How many routes the account may have in a route table, if AWS granted another quota than its default. Bounds a
    /// cluster whose pods are `routed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 50, max = 1000), extend("default" = 500))]
    pub routes_per_table: Option<u32>,
}

/// Options of one node group for each cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GroupOptions {
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsGroupOptions>,
}

/// What only AWS has, for one node group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AwsGroupOptions {
    /// Image of the group's machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami: Option<AmiId>,
    /// Whether machines get an Elastic Fabric Adapter, for which their type must be fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub efa: Option<bool>,
    /// How machines are placed in relation to each other. `cluster` needs the group to be in one zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement_group: Option<PlacementStrategy>,
    /// Capacity that was reserved before. Needs `capacity: [on-demand]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_reservation: Option<CapacityReservationId>,
}
