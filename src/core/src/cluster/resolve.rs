//! From what the user wrote to a [`Cluster`].

use super::addresses::machines;
use super::clouds::{region_mistake, zone_mistake};
use super::notes::{Findings, Notes};
use super::types::{Arch, Aws, Cloud, Cluster, ExistingNetwork, Machine, Options, Topology, ZoneChoice};
use super::{access, groups, machines as machine_rules, network};
use crate::names::{Duration, TagKey, ZoneName, version};
use crate::spec::words::Profile;
use crate::spec::{Document, Problem, Problems, Spec, Zones, field, item};

/// No cluster is up and of use sooner than this.
const SHORTEST_TTL: Duration = Duration::from_seconds(15 * 60);

/// AWS takes 50 tags on a resource; clusterctl and the cluster's own controllers need up to ten.
const MOST_AWS_TAGS: usize = 40;

/// Fills in every default and checks every rule.
///
/// # Errors
/// Every rule that is broken, each with its path. Places in a text are not known here: see [`resolve_document`].
pub fn resolve(spec: &Spec) -> Result<Cluster, Problems> {
    let mut found = Findings::default();
    let file = &spec.spec;
    let cloud = file.cloud;
    if let Some(region) = &file.region
        && let Some(right) = region_mistake(cloud, region)
    {
        found.problem("spec.region", format!("{region} is not a region of {cloud}"), right);
    }
    let network = network::fill(&mut found, cloud, &file.network.clone().unwrap_or_default());
    let zones = zones(&mut found, spec, network.existing.as_ref(), network.topology);
    let access = access::fill(&mut found, &network, &file.access.clone().unwrap_or_default());
    let dns = access::dns(&mut found, file.dns.as_ref());
    let control_plane =
        machine_rules::control_plane(&mut found, cloud, zones.count(), &file.control_plane.clone().unwrap_or_default());
    let node_groups = groups::fill(&mut found, cloud, &zones, file.node_groups.as_deref());
    network::check(&mut found, &network, &zones, &control_plane, &node_groups);
    machine_rules::advise(&mut found, zones.count(), &control_plane, machines(&control_plane, &node_groups));
    labels(&mut found, spec);
    platform(&mut found, spec);
    let deletion_protection = lifetime(&mut found, spec);
    let kubernetes = found.or_default(
        "spec.kubernetes",
        file.kubernetes,
        version::DEFAULT,
        "one release behind the newest, so that drivers and operators have had time to follow",
    );
    if !kubernetes.is_supported() {
        let offered: Vec<String> = version::SUPPORTED.iter().map(ToString::to_string).collect();
        found.problem(
            "spec.kubernetes",
            format!("this version of clusterctl does not install Kubernetes {kubernetes}"),
            format!("one of {}", offered.join(", ")),
        );
    }
    let mut cluster = Cluster {
        name: spec.metadata.name.clone(),
        labels: spec.metadata.labels.clone().unwrap_or_default(),
        cloud,
        region: file.region.clone(),
        zones,
        kubernetes,
        network,
        access,
        dns,
        control_plane,
        node_groups,
        ttl: file.ttl,
        deletion_protection,
        options: Options { aws: aws(spec) },
        notes: Notes::default(),
    };
    aws_rules(&mut found, &cluster);
    cluster.notes = found.finish()?;
    Ok(cluster)
}

/// Like [`resolve`], for a file that was read: problems and warnings say where in the text.
///
/// # Errors
/// Every rule that is broken, in the order of the file.
pub fn resolve_document(document: &Document) -> Result<Cluster, Problems> {
    let mut cluster = resolve(&document.spec).map_err(|problems| document.locate(problems))?;
    let warnings = std::mem::take(&mut cluster.notes.warnings);
    cluster.notes.warnings = warnings.into_iter().map(|warning| document.locate_one(warning)).collect();
    Ok(cluster)
}

impl Cluster {
    /// What is allowed and may still be a mistake.
    pub fn warnings(&self) -> &[Problem] {
        &self.notes.warnings
    }

    /// The path of every default that was filled in, and why it is what it is.
    pub fn defaults(&self) -> &std::collections::BTreeMap<String, String> {
        &self.notes.defaults
    }
}

fn zones(found: &mut Findings, spec: &Spec, existing: Option<&ExistingNetwork>, topology: Topology) -> ZoneChoice {
    let path = "spec.zones";
    let subnets = existing.map(|existing| match topology {
        Topology::Private => existing.private_subnets.len(),
        Topology::Public => existing.public_subnets.len(),
    });
    let zones = match (&spec.spec.zones, subnets) {
        (Some(Zones::Count(count)), _) => ZoneChoice::Count((*count).max(1)),
        (Some(Zones::Named(names)), _) => {
            named_zones(found, spec, path, names);
            ZoneChoice::Named(names.clone())
        }
        (None, Some(subnets)) => {
            found.filled_in(path, "one for each subnet of the existing network");
            ZoneChoice::Count(u8::try_from(subnets).unwrap_or(u8::MAX).max(1))
        }
        (None, None) => {
            found.filled_in(path, "the cluster outlives the loss of one zone of three");
            ZoneChoice::Count(3)
        }
    };
    if let Some(subnets) = subnets
        && subnets > 0
        && subnets != zones.count()
    {
        found.problem(
            path,
            format!("the existing network names {subnets} subnets for nodes, and there are {} zones", zones.count()),
            "one subnet for each zone",
        );
    }
    zones
}

fn named_zones(found: &mut Findings, spec: &Spec, path: &str, names: &[ZoneName]) {
    let mut seen = std::collections::BTreeSet::new();
    for (at, zone) in names.iter().enumerate() {
        if !seen.insert(zone) {
            found.problem(item(path, at), format!("{zone} is named twice"), "each zone once");
        }
        if let Some(right) = zone_mistake(spec.spec.cloud, spec.spec.region.as_ref(), zone) {
            found.problem(item(path, at), format!("{zone} is not a zone of the cluster's region"), right);
        }
    }
}

/// Labels of the cluster become tags or labels of what it consists of, so they keep the rules of both.
fn labels(found: &mut Findings, spec: &Spec) {
    for key in spec.metadata.labels.iter().flatten().map(|(key, _)| key) {
        if let Err(invalid) = key.as_str().parse::<TagKey>() {
            found.problem(
                field("metadata.labels", key.as_str()),
                format!("a label of the cluster becomes a tag in the cloud, and {invalid}"),
                invalid.right(),
            );
        }
    }
}

fn platform(found: &mut Findings, spec: &Spec) {
    let path = "spec.platform.profile";
    let written = spec.spec.platform.as_ref().and_then(|platform| platform.profile);
    let profile = found.or_default(path, written, Profile::None, "this version installs no platform yet");
    if profile != Profile::None {
        found.problem(path, format!("this version installs no platform yet, so {profile} cannot be had"), "none");
    }
}

fn lifetime(found: &mut Findings, spec: &Spec) -> bool {
    let path = "spec.deletionProtection";
    let protected = found.or_default(path, spec.spec.deletion_protection, false, "deleting asks for the name anyway");
    if let Some(ttl) = spec.spec.ttl {
        if ttl < SHORTEST_TTL {
            found.problem("spec.ttl", format!("{ttl} is over before the cluster is up"), "at least 15m, as in 8h");
        }
        if protected {
            found.problem(path, "a cluster with a ttl is deleted by itself and cannot be protected", "one of the two");
        }
    }
    protected
}

fn aws(spec: &Spec) -> Aws {
    match spec.spec.options.as_ref().and_then(|options| options.aws.as_ref()) {
        Some(aws) => Aws {
            ami: aws.ami.clone(),
            routes_per_table: aws.routes_per_table,
            tags: aws.tags.clone().unwrap_or_default(),
        },
        None => Aws::default(),
    }
}

fn aws_rules(found: &mut Findings, cluster: &Cluster) {
    if cluster.cloud != Cloud::Aws {
        return;
    }
    let tags = cluster.labels.len() + cluster.options.aws.tags.len();
    if tags > MOST_AWS_TAGS {
        found.problem(
            "spec.options.aws.tags",
            format!("labels and tags make {tags} tags on everything"),
            format!("at most {MOST_AWS_TAGS} together"),
        );
    }
    for key in cluster.options.aws.tags.keys() {
        if cluster.labels.keys().any(|label| label.as_str() == key.as_str()) {
            found.problem(
                field("spec.options.aws.tags", key.as_str()),
                format!("{key} is a label of the cluster already, which becomes the same tag"),
                "one of the two",
            );
        }
    }
    one_image_for_one_arch(found, cluster);
}

/// One image cannot start machines of two architectures.
fn one_image_for_one_arch(found: &mut Findings, cluster: &Cluster) {
    if cluster.options.aws.ami.is_none() {
        return;
    }
    let arch = |machine: &Machine| -> Option<Arch> {
        match machine {
            Machine::Request(request) => Some(request.arch),
            Machine::Type { arch, .. } => *arch,
        }
    };
    let Some(first) = arch(&cluster.control_plane.machine) else { return };
    for (at, group) in cluster.node_groups.iter().enumerate() {
        if let Some(other) = arch(&group.machine)
            && other != first
            && group.aws.ami.is_none()
        {
            found.problem(
                field(&item("spec.nodeGroups", at), "machine"),
                format!("spec.options.aws.ami is one image: for {first} as the control plane, or for {other} as here"),
                "an ami of its own in the group's options.aws",
            );
        }
    }
}
