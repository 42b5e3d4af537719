//! What a plan must know of the account before anything is made: asked on the first create, or when the request changed.
//!
//! - [`account`] who is asking, and for which account
//! - [`zones`], [`offerings`] where machines can stand, and which there are
//! - [`elastic_ips`] how many addresses are left
//! - [`images`] the newest Ubuntu image
//! - [`existing`] a network that the user brings

pub mod existing;
pub mod images;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{AccountAttributeName, LocationType};
use clusterctl_core::cloud::{CloudError, Fault};

pub use existing::{ExistingNetwork, ExistingSubnet, WayOut, existing_network};
pub use images::{Image, image};

use crate::client::{Client, fail};
use crate::observe::control_plane::any_of;

/// Who makes the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub arn: String,
}

/// Tells the caller's account.
///
/// # Errors
/// When the credentials are wrong or there is no answer.
pub async fn account(client: &Client) -> Result<Account, CloudError> {
    const OPERATION: &str = "sts:GetCallerIdentity";
    let answer = client.sts.get_caller_identity().send().await.map_err(|e| fail(OPERATION, &e))?;
    match (answer.account, answer.arn) {
        (Some(id), Some(arn)) => Ok(Account { id, arn }),
        _ => Err(CloudError::new(Fault::Ambiguous, OPERATION, "EmptyAnswer", "the answer names no account")),
    }
}

/// Tells the availability zones of the region that the account may use, in order; no local zones, no Wavelength zones.
///
/// # Errors
/// When AWS refuses or does not answer.
pub async fn zones(client: &Client) -> Result<Vec<String>, CloudError> {
    let request = client
        .ec2
        .describe_availability_zones()
        .filters(any_of("state", ["available"]))
        .filters(any_of("zone-type", ["availability-zone"]))
        .filters(any_of("opt-in-status", ["opt-in-not-required", "opted-in"]));
    let answer = request.send().await.map_err(|e| fail("ec2:DescribeAvailabilityZones", &e))?;
    let mut zones: Vec<String> =
        answer.availability_zones().iter().filter_map(|zone| zone.zone_name().map(str::to_owned)).collect();
    zones.sort();
    Ok(zones)
}

/// Tells in which zones of the region each of `types` is offered; a type that no zone offers is in none.
///
/// One call and its pages for up to 200 types, as many as EC2 takes in a filter.
///
/// # Errors
/// When AWS refuses or does not answer.
pub async fn offerings(
    client: &Client,
    types: &BTreeSet<String>,
) -> Result<BTreeMap<String, BTreeSet<String>>, CloudError> {
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    let calls = types.chunks(200).map(|some| async move {
        let request = client
            .ec2
            .describe_instance_type_offerings()
            .location_type(LocationType::AvailabilityZone)
            .filters(any_of("instance-type", some.iter().copied()))
            .max_results(1000);
        let all: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        all.map_err(|e| fail("ec2:DescribeInstanceTypeOfferings", &e))
    });
    let mut zones: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for offered in futures::future::try_join_all(calls).await?.into_iter().flatten() {
        if let (Some(zone), Some(machine)) = (offered.location, offered.instance_type) {
            zones.entry(zone).or_default().insert(machine.as_str().to_owned());
        }
    }
    Ok(zones)
}

/// How many elastic IPs the account has in the region, and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElasticIps {
    pub used: usize,
    /// Absent when AWS does not say.
    pub limit: Option<usize>,
}

/// Counts elastic IPs, so that a plan can say beforehand that they will not suffice. The quota itself is told by AWS when
/// the address is asked for, and that answer alone decides.
///
/// # Errors
/// When AWS refuses or does not answer.
pub async fn elastic_ips(client: &Client) -> Result<ElasticIps, CloudError> {
    const LIMIT: &str = "vpc-max-elastic-ips";
    let limit = async {
        let request = client.ec2.describe_account_attributes().attribute_names(AccountAttributeName::from(LIMIT));
        let answer = request.send().await.map_err(|e| fail("ec2:DescribeAccountAttributes", &e))?;
        let limit = answer.account_attributes().iter().find(|a| a.attribute_name() == Some(LIMIT));
        Ok(limit.and_then(|a| a.attribute_values().first()?.attribute_value()?.parse().ok()))
    };
    let used = async {
        let answer = client.ec2.describe_addresses().filters(any_of("domain", ["vpc"])).send().await;
        Ok(answer.map_err(|e| fail("ec2:DescribeAddresses", &e))?.addresses().len())
    };
    let (limit, used) = futures::try_join!(limit, used)?;
    Ok(ElasticIps { used, limit })
}
