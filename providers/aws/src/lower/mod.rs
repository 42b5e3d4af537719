//! From a blueprint to AWS's words.
//!
//! One file per concern, the same in every provider: `network`, `security`, `load_balancer`, `dns`, `identity`,
//! `control_plane`, `node_groups`. Each takes the part of the blueprint that is its own, completely, and gives the
//! outputs that others mention; `policy` reads the finished graph for what its making may need.

mod control_plane;
mod dns;
mod identity;
mod load_balancer;
mod network;
mod node_groups;
mod policy;
mod security;

use std::collections::BTreeMap;

use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::Blueprint;
use clusterctl_core::bootstrap::{self, NodeConfig, SlotName};
use clusterctl_core::cloud::Owner;
use clusterctl_core::graph::{Concern, Graph, GraphError, Resource};
use clusterctl_core::provider::LowerError;
use clusterctl_core::value::{Encoding, Input, Part, Text};

use crate::names::{self, USER_DATA};
use crate::resources::node_groups::{Image, ImageFilter};
use crate::resources::{DnsName, ImageId, IpAddress, TagValue, Tags, VolumeId};

pub use policy::policy;

/// What the files of this folder share.
pub(crate) struct Lowering<'a> {
    pub(crate) graph: Graph,
    pub(crate) owner: &'a Owner,
    tags: &'a BTreeMap<String, String>,
    images: &'a BTreeMap<String, String>,
    looked_up: BTreeMap<String, Input<ImageId>>,
}

impl Lowering<'_> {
    pub(crate) fn add<R: Resource>(
        &mut self,
        concern: Concern,
        name: &str,
        resource: &R,
    ) -> Result<R::Out, GraphError> {
        self.graph.add(concern, name, resource)
    }

    pub(crate) fn tags<R: Resource>(&self, name: &str) -> Tags {
        names::tags(&self.owner.cluster, &self.owner.uid, &Addr::new(R::KIND.name, name), self.tags)
    }

    /// A name that AWS wants to be unique.
    pub(crate) fn fit<R: Resource>(&self, what: &str, limit: usize) -> String {
        names::fit(&self.owner.cluster, &self.owner.uid, R::KIND.name, what, limit)
    }

    /// The image of an architecture: the one that was chosen, or the newest as Terraform will find it.
    pub(crate) fn image(&mut self, arch: &str, own: Option<&str>) -> Result<Input<ImageId>, GraphError> {
        if let Some(id) = own.or_else(|| self.images.get(arch).map(String::as_str)) {
            return Ok(Input::known(id));
        }
        if let Some(found) = self.looked_up.get(arch) {
            return Ok(found.clone());
        }
        let lookup = Image {
            most_recent: true,
            owners: vec![crate::catalogue::images::CANONICAL.to_owned()],
            filter: vec![ImageFilter {
                name: "name".into(),
                values: [crate::catalogue::images::NOBLE.name_pattern(arch_of(arch))].into(),
            }],
        };
        let image = self.add(Concern::NodeGroups, &format!("ubuntu-{arch}"), &lookup)?.id;
        self.looked_up.insert(arch.to_owned(), image.clone());
        Ok(image)
    }
}

fn arch_of(arch: &str) -> clusterctl_core::machine::Arch {
    if arch == "arm64" { clusterctl_core::machine::Arch::Arm64 } else { clusterctl_core::machine::Arch::Amd64 }
}

/// How the API is reached, as an output or as a name that is known.
#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    Output(Input<DnsName>),
    Name(String),
}

/// The script of a machine, packed; and its digest, for the tag by which a change is seen.
pub(crate) fn user_data(
    config: &NodeConfig,
    endpoint: &Endpoint,
    etcd: Option<&Input<VolumeId>>,
) -> Result<Text, LowerError> {
    let rendered = bootstrap::render(config).map_err(|e| LowerError::Node(error_chain(&e)))?;
    let mut parts = Vec::with_capacity(rendered.parts.len());
    for part in rendered.parts {
        parts.push(match part {
            bootstrap::Part::Text(text) => Part::Text(text),
            bootstrap::Part::Slot(SlotName::ApiEndpoint) => match endpoint {
                Endpoint::Output(output) => output_part(output),
                Endpoint::Name(name) => Part::Text(name.clone()),
            },
            bootstrap::Part::Slot(SlotName::EtcdVolume) => match etcd {
                Some(volume) => output_part(volume),
                None => Part::Text(String::new()),
            },
        });
    }
    Ok(Text { parts, encoding: Encoding::GzipBase64 })
}

fn output_part<T>(input: &Input<T>) -> Part {
    match input {
        Input::Known(value, _) => Part::Text(value.clone()),
        Input::Output { of, attr, .. } => Part::Output { of: of.clone(), attr: attr.clone() },
    }
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// Puts the digest of the user-data beside the other tags.
pub(crate) fn with_digest(mut tags: Tags, user_data: &Text) -> Tags {
    tags.insert(USER_DATA.into(), TagValue::Text(user_data.encoded(Encoding::Sha256)));
    tags
}

/// An address and a prefix length of 32, for one host.
pub(crate) fn host(address: &Input<IpAddress>) -> Text {
    Text { parts: vec![output_part(address), Part::Text("/32".into())], encoding: Encoding::Plain }
}

/// Lowers `blueprint` for `owner`.
///
/// # Errors
/// When the blueprint asks for what AWS cannot do, or a node's script cannot be rendered.
pub fn lower(blueprint: &Blueprint, owner: &Owner) -> Result<Graph, LowerError> {
    // Destructured completely: a new intent does not compile until it is answered here.
    let Blueprint {
        cluster: _,
        region,
        tags,
        network,
        firewall,
        api,
        identities,
        dns,
        control_plane,
        groups,
        bastion,
        ssh_keys,
        images,
    } = blueprint;
    let mut lowering = Lowering { graph: Graph::new(), owner, tags, images, looked_up: BTreeMap::new() };
    let net = network::lower(&mut lowering, network, region)?;
    let roles = security::lower(&mut lowering, firewall, &net)?;
    let balancer = load_balancer::lower(&mut lowering, api, &net, &roles)?;
    let endpoint = dns::lower(&mut lowering, dns.as_ref(), &balancer, &net)?;
    let profiles = identity::lower(&mut lowering, identities, region)?;
    let key = identity::key_pair(&mut lowering, ssh_keys)?;
    let made = control_plane::Surroundings {
        net: &net,
        roles: &roles,
        balancer: &balancer,
        endpoint: &endpoint,
        profiles: &profiles,
        key: key.as_ref(),
    };
    control_plane::lower(&mut lowering, control_plane, &made)?;
    if let Some(bastion) = bastion {
        control_plane::bastion(&mut lowering, bastion, &made)?;
    }
    node_groups::lower(&mut lowering, groups, &made)?;
    Ok(lowering.graph)
}
