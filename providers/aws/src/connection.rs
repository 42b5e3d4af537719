//! AWS with an account.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use clusterctl_core::choices::{Choices, ExistingSubnet, Image};
use clusterctl_core::cloud::{AnyDriver, Cloud, CloudError, Fault, Observed, Owner, Scope};
use clusterctl_core::cluster::{Cluster, Dns};
use clusterctl_core::graph::Kind;
use clusterctl_core::machine::{Arch, Offerings};
use clusterctl_core::provider::{Access, Account, Caller, Connection, Refusal};
use clusterctl_core::store::Store;
use clusterctl_core::transport::Transport;

use crate::choose::{self, Facts};
use crate::client::{Client, Settings, fail, hint};
use crate::cloud::Aws;
use crate::drivers::ec2::filter;
use crate::store::{Location, S3Store};
use crate::{facts, names};

#[derive(Debug)]
struct AwsConnection {
    aws: Aws,
    transport: Arc<dyn Transport>,
    s3_endpoint: Option<String>,
}

/// Finds credentials and a region as every AWS tool does. No request is made before one is needed.
pub(crate) async fn connect(access: Access) -> Result<Arc<dyn Connection>, CloudError> {
    let Access { transport, region, caller, environment } = access;
    let client = match caller {
        Caller::Configured { profile } => {
            Client::new(transport.clone(), Settings { region, endpoint: None, profile }).await?
        }
        Caller::Keys { id, secret, seed } => Client::with_keys(transport.clone(), region, (&id, &secret), seed)?,
    };
    let s3_endpoint = environment.get("AWS_ENDPOINT_URL_S3").cloned().or_else(|| client.endpoint.clone());
    Ok(Arc::new(AwsConnection { aws: Aws::new(client), transport, s3_endpoint }))
}

#[async_trait]
impl Cloud for AwsConnection {
    async fn observe(&self, owner: &Owner, scope: &Scope) -> Result<Observed, CloudError> {
        self.aws.observe(owner, scope).await
    }

    fn driver(&self, kind: &str) -> Option<&dyn AnyDriver> {
        self.aws.driver(kind)
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        self.aws.kinds()
    }

    async fn sweep(&self, owner: &Owner) -> Result<Vec<String>, CloudError> {
        self.aws.sweep(owner).await
    }
}

#[async_trait]
impl Connection for AwsConnection {
    fn region(&self) -> &str {
        &self.aws.client().region
    }

    async fn account(&self) -> Result<Account, CloudError> {
        let facts::Account { id, arn } = facts::account(self.aws.client()).await?;
        Ok(Account { id, caller: arn })
    }

    async fn choose(&self, cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal> {
        let client = self.aws.client();
        let region = choose::region(cluster, Some(&client.region), kept)?;
        let existing = async { self.existing(cluster, kept).await };
        let zones = async {
            // Zones that are in use need no asking: they were there.
            if kept.zones.len() == cluster.zones.count() && kept.region == region && named_are_kept(cluster, kept) {
                Ok(kept.zones.clone())
            } else {
                facts::zones(client).await.map_err(Refusal::from)
            }
        };
        let (existing, zones) = futures::try_join!(existing, zones)?;
        let facts = Facts { region, zones, existing };
        let zones = choose::zones(cluster, &facts, kept)?;
        let open: Vec<_> = choose::questions(cluster, &zones)
            .into_iter()
            .filter(|q| kept.machines.get(&q.whose).is_none_or(|chosen| chosen.asked != q.asked()))
            .collect();
        let types: BTreeSet<String> = open.iter().flat_map(|q| choose::candidates(&q.demand.want)).collect();
        let offered = async {
            if types.is_empty() {
                Ok(Offerings::Unknown)
            } else {
                facts::offerings(client, &types).await.map(Offerings::Known)
            }
        };
        let public_zone = async {
            match &cluster.dns {
                Dns::Public { zone } if kept.public_zone.is_none() => Ok(Some(self.public_zone(zone.as_str()).await?)),
                Dns::Public { .. } => Ok(kept.public_zone.clone()),
                Dns::None | Dns::Private { .. } => Ok(None),
            }
        };
        let (offered, public_zone) = futures::try_join!(offered, public_zone)?;
        let mut choices = choose::decide(cluster, facts, &offered, kept)?;
        choices.public_zone = public_zone;
        if cluster.options.aws.ami.is_none() {
            let needed: BTreeSet<String> = choices.machines.values().map(|chosen| chosen.arch.clone()).collect();
            choices.images.retain(|arch, _| needed.contains(arch));
            let unknown: Vec<String> = needed.into_iter().filter(|arch| !choices.images.contains_key(arch)).collect();
            for arch in unknown {
                let of = if arch == "arm64" { Arch::Arm64 } else { Arch::Amd64 };
                let facts::Image { id, name, root_device: _ } = facts::image(client, of).await?;
                choices.images.insert(arch, Image { id, name });
            }
        }
        self.recall(&choices);
        Ok(choices)
    }

    async fn owners(&self, cluster: &str) -> Result<BTreeSet<String>, CloudError> {
        // One of these is among the first and the last things of every cluster.
        let ec2 = &self.aws.client().ec2;
        let named = || filter(&format!("tag:{}", names::CLUSTER), cluster);
        let networks = async {
            let pages = ec2.describe_vpcs().filters(named()).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.map_err(|e| fail("ec2:DescribeVpcs", &e))
        };
        let groups = async {
            let pages = ec2.describe_security_groups().filters(named()).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.map_err(|e| fail("ec2:DescribeSecurityGroups", &e))
        };
        let volumes = async {
            let pages = ec2.describe_volumes().filters(named()).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.map_err(|e| fail("ec2:DescribeVolumes", &e))
        };
        let (networks, groups, volumes) = futures::try_join!(networks, groups, volumes)?;
        let tags = networks.iter().map(|network| network.tags());
        let tags =
            tags.chain(groups.iter().map(|group| group.tags())).chain(volumes.iter().map(|volume| volume.tags()));
        let uids = tags.flatten().filter(|tag| tag.key() == Some(names::UID));
        Ok(uids.filter_map(|tag| tag.value().map(str::to_owned)).collect())
    }

    fn recall(&self, choices: &Choices) {
        self.aws.look_in_zones(choices.public_zone.iter().cloned().collect());
    }

    fn hint(&self, error: &CloudError) -> Option<String> {
        hint(&error.code).map(str::to_owned)
    }

    fn store(&self, url: &str) -> Option<Result<Arc<dyn Store>, String>> {
        let rest = url.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let client = self.aws.client();
        let location = Location {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            region: client.region.clone(),
            endpoint: self.s3_endpoint.clone(),
            credentials: client.credentials(),
        };
        Some(
            S3Store::new(self.transport.clone(), location)
                .map(|store| Arc::new(store) as Arc<dyn Store>)
                .map_err(|e| e.to_string()),
        )
    }
}

fn named_are_kept(cluster: &Cluster, kept: &Choices) -> bool {
    match &cluster.zones {
        clusterctl_core::cluster::ZoneChoice::Count(_) => true,
        clusterctl_core::cluster::ZoneChoice::Named(zones) => zones.iter().all(|z| kept.zones.contains(&z.to_string())),
    }
}

impl AwsConnection {
    /// The subnets of the user's network: what they are, and whether they are what they are used for.
    async fn existing(&self, cluster: &Cluster, kept: &Choices) -> Result<Vec<ExistingSubnet>, Refusal> {
        let Some(network) = &cluster.network.existing else { return Ok(Vec::new()) };
        let ids: Vec<String> =
            network.private_subnets.iter().chain(&network.public_subnets).map(ToString::to_string).collect();
        if kept.existing.iter().map(|subnet| &subnet.id).eq(ids.iter()) {
            return Ok(kept.existing.clone());
        }
        let found = facts::existing_network(self.aws.client(), network.network.as_str(), &ids).await?;
        for subnet in &found.subnets {
            if network.public_subnets.iter().any(|id| id.as_str() == subnet.id) && !subnet.is_public() {
                return Err(Refusal::Cluster {
                    path: "spec.network.existing.subnets.public".into(),
                    message: format!("{} has no default route to an internet gateway", subnet.id),
                    right: Some("a subnet whose route table leads 0.0.0.0/0 to an internet gateway".into()),
                });
            }
        }
        Ok(found
            .subnets
            .iter()
            .map(|subnet| ExistingSubnet {
                id: subnet.id.clone(),
                zone: subnet.zone.clone(),
                cidr: subnet.cidr.clone(),
                public: subnet.is_public(),
            })
            .collect())
    }

    /// The user's public zone of that name.
    async fn public_zone(&self, name: &str) -> Result<String, CloudError> {
        const OPERATION: &str = "route53:ListHostedZonesByName";
        let answer = self
            .aws
            .client()
            .route53
            .list_hosted_zones_by_name()
            .dns_name(name)
            .send()
            .await
            .map_err(|e| fail(OPERATION, &e))?;
        let zone = answer.hosted_zones().iter().find(|zone| {
            zone.name().trim_end_matches('.') == name && zone.config().is_none_or(|config| !config.private_zone())
        });
        zone.map(|zone| zone.id().trim_start_matches("/hostedzone/").to_owned()).ok_or_else(|| {
            let message = format!("there is no public hosted zone {name} in this account");
            CloudError::new(Fault::Permanent, OPERATION, "NoSuchZone", message)
        })
    }
}
