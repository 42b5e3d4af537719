//! Turns a [`NodeConfig`] into the script, with slots for what only the run of a plan knows.

use std::io::Write as _;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use tera::{Context, Delimiters, Tera};
use thiserror::Error;

use super::config::{CloudFacts, DataDisk, EtcdDisk, GpuDriver, NodeConfig, Role};
use super::release::{Artifact, Release, release};
use super::{documents, quote};

/// The script as text and slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    /// Stands between single quotes of a shell assignment: its value must hold no single quote.
    Slot(SlotName),
}

/// A value that is an output of another resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlotName {
    /// DNS name or IPv4 address of the API's load balancer, without a port.
    ApiEndpoint,
    /// The cloud's id of this node's etcd volume.
    EtcdVolume,
}

impl Rendered {
    /// Puts the text together; `value` answers for every slot.
    pub fn fill(&self, value: impl Fn(SlotName) -> String) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Slot(name) => value(*name),
        };
        self.parts.iter().map(text).collect()
    }

    /// Size as user-data (gzip, then base64), with room for the longest values a slot may get.
    pub fn user_data_size(&self) -> usize {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail; if it did, nothing would be too large for a later check to find.
        let written = gzip.write_all(self.fill(|_| String::new()).as_bytes());
        let slots = self.parts.iter().filter(|part| matches!(part, Part::Slot(_))).count();
        let compressed = written.and_then(|()| gzip.finish()).map_or(0, |bytes| bytes.len());
        (compressed + slots * LONGEST_SLOT).div_ceil(3) * 4
    }
}

/// Bytes that the name of a load balancer may add after compression.
const LONGEST_SLOT: usize = 60;

/// The largest user-data that every cloud takes, in bytes of base64 of gzip.
pub const USER_DATA_LIMIT: usize = 16 * 1024;

#[derive(Debug, Error)]
pub enum RenderError {
    #[error(
        "the script of this node is {size} of {USER_DATA_LIMIT} bytes: fewer labels, taints or mirrors; on a control-plane node no data disk"
    )]
    TooLarge { size: usize },
    #[error("Kubernetes {version} is not in the release table; it has {known}")]
    UnknownVersion { version: String, known: String },
    #[error("{field} must not hold \"@@\", which marks what only the node knows: {value:?}")]
    Mark { field: &'static str, value: String },
    #[error("{field} is not usable on a node: {value:?}")]
    Unusable { field: &'static str, value: String },
    #[error("the checksum of {path} is not 64 hexadecimal digits: {value:?}")]
    Checksum { path: String, value: String },
    #[error("the node template does not render")]
    Template(#[from] tera::Error),
}

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        /// Every file of templates/node, by the name that includes use.
        pub(super) const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../templates/node/", $name)))),*];
    };
}

templates![
    "node.sh",
    "head.sh",
    "main.sh",
    "lib/report.sh",
    "lib/fetch.sh",
    "lib/disk.sh",
    "lib/data-disk.sh",
    "lib/address.sh",
    "lib/fill.sh",
    "lib/cloud-aws.sh",
    "lib/kubeadm.sh",
    "lib/lock.sh",
    "lib/pki.sh",
    "steps/system.sh",
    "steps/runtime.sh",
    "steps/kubelet.sh",
    "roles/control-plane.sh",
    "roles/worker.sh",
];

/// The shell's instance: every value becomes one quoted word, and its delimiters do not occur in shell.
static SHELL: LazyLock<Result<Tera, tera::Error>> = LazyLock::new(|| {
    let mut tera = Tera::default();
    tera.set_delimiters(Delimiters {
        block_start: "@%".into(),
        block_end: "%@".into(),
        variable_start: "@{".into(),
        variable_end: "}@".into(),
        comment_start: "@#".into(),
        comment_end: "#@".into(),
    })?;
    tera.set_escape_fn(quote::shell_word);
    tera.autoescape_on([".sh"]);
    tera.add_raw_templates(TEMPLATES.iter().map(|(name, text)| (*name, squeeze(text))))?;
    Ok(tera)
});

/// Renders the script of a role.
///
/// The result holds no secret. Its first line is `#!/bin/bash`, so that cloud-init runs it.
pub fn render(config: &NodeConfig) -> Result<Rendered, RenderError> {
    let release = release(&config.kubernetes).ok_or_else(|| RenderError::UnknownVersion {
        version: config.kubernetes.clone(),
        known: super::releases().iter().map(|release| release.kubernetes.as_str()).collect::<Vec<_>>().join(", "),
    })?;
    check(config)?;
    let tera = SHELL.as_ref().map_err(|error| tera::Error::message(error.to_string()))?;
    let body = tera.render("node.sh", &context(config, release)?)?;
    let mut parts = vec![
        Part::Text("#!/bin/bash\nCCTL_API_ENDPOINT='".to_owned()),
        Part::Slot(SlotName::ApiEndpoint),
        Part::Text("'\nCCTL_ETCD_VOLUME='".to_owned()),
    ];
    if config.role == (Role::ControlPlane { etcd: EtcdDisk::Volume }) {
        parts.push(Part::Slot(SlotName::EtcdVolume));
    }
    parts.push(Part::Text(format!("'\n{body}")));
    let rendered = Rendered { parts };
    match rendered.user_data_size() {
        size if size <= USER_DATA_LIMIT => Ok(rendered),
        size => Err(RenderError::TooLarge { size }),
    }
}

/// Takes out what costs room in user-data: empty lines, indentation, the line end after a tag or a comment, and the
/// words behind the first line of a function that name its arguments.
///
/// This happens to the templates, never to the rendered text: a value keeps every byte.
fn squeeze(template: &str) -> String {
    let bare = |line: &'_ str| match line.split_once("() { # ") {
        Some((function, _)) => format!("{function}() {{"),
        None => line.to_owned(),
    };
    let lines: Vec<_> = template.lines().map(str::trim_start).filter(|line| !line.is_empty()).map(bare).collect();
    let text = lines.join("\n") + "\n";
    text.replace("%@\n", "%@").replace("#@\n", "#@")
}

fn context(config: &NodeConfig, release: &Release) -> Result<Context, RenderError> {
    let network = &config.networking;
    let mut context = Context::new();
    let mut put = |name: &'static str, value: &str| context.insert(name, value);
    match &config.role {
        Role::ControlPlane { .. } => {
            put("role", "control-plane");
            put("init", &documents::init(config, &release.kubernetes));
            put("audit", &documents::audit_policy());
            put("authentication", &documents::authentication());
            put("encryption", &documents::encryption());
        }
        Role::Worker => put("role", "worker"),
    }
    put("join", &documents::join(config));
    put("cluster", &config.cluster);
    put("uid", &config.uid);
    put("api_port", &network.api_port.to_string());
    put("node_subnets", &network.nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    put("kubernetes", &release.kubernetes);
    put("pause", &release.pause_image);
    put("architecture", config.architecture.machine());
    put("artifacts", &artifacts(config, release)?);
    put("mirror", config.mirrors.files.as_deref().unwrap_or_default().trim_end_matches('/'));
    put("registries", &registries(config));
    put(
        "data_disk",
        match config.data_disk {
            DataDisk::Root => "none",
            DataDisk::Block => "block",
            DataDisk::InstanceStore => "instance-store",
        },
    );
    put("labels", &config.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","));
    put(
        "gpu",
        match config.gpu {
            None => "",
            Some(GpuDriver::Baked) => "baked",
            Some(GpuDriver::Operator) => "operator",
        },
    );
    put("cni", &network.plugin);
    put("mtu", &network.mtu.to_string());
    let CloudFacts::Aws(aws) = &config.cloud;
    put("cloud", "aws");
    put("region", &aws.region);
    let endpoint = aws.ssm_endpoint.clone().unwrap_or_else(|| format!("https://ssm.{}.amazonaws.com", aws.region));
    put("ssm_endpoint", endpoint.trim_end_matches('/'));
    put("ssm_key", aws.kms_key.as_deref().unwrap_or_default());
    Ok(context)
}

/// One line per file that this role may have to fetch.
fn artifacts(config: &NodeConfig, release: &Release) -> Result<String, RenderError> {
    let wanted = |artifact: &&Artifact| {
        artifact.architecture == config.architecture && (artifact.name != "kubectl" || config.role != Role::Worker)
    };
    let line = |artifact: &Artifact| {
        let Artifact { name, path, .. } = artifact;
        let sha256 = config.checksums.get(path).unwrap_or(&artifact.sha256);
        if is_sha256(sha256) {
            Ok(format!("{name} {path} {sha256}"))
        } else {
            Err(RenderError::Checksum { path: path.clone(), value: sha256.clone() })
        }
    };
    let lines: Result<Vec<_>, _> = release.artifacts.iter().filter(wanted).map(line).collect();
    Ok(lines?.join("\n"))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// One line per registry: its name, the server it stands for, the mirror.
fn registries(config: &NodeConfig) -> String {
    let line = |(registry, mirror): (&String, &String)| {
        let server = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        format!("{registry} {server} {}", mirror.trim_end_matches('/'))
    };
    config.mirrors.registries.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Refuses what quoting alone cannot make harmless: marks in documents, and names that become paths, JSON or TOML.
fn check(config: &NodeConfig) -> Result<(), RenderError> {
    let taints = config.taints.iter().flat_map(|taint| [&taint.key, &taint.value]);
    for (field, value) in [("cluster", &config.cluster)].into_iter().chain(taints.map(|text| ("taints", text))) {
        if value.contains("@@") {
            return Err(RenderError::Mark { field, value: value.clone() });
        }
    }
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let address = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
    let usable = |field, value: &str, allowed: &dyn Fn(u8) -> bool| {
        if !value.is_empty() && value.bytes().all(allowed) {
            return Ok(());
        }
        Err(RenderError::Unusable { field, value: value.to_owned() })
    };
    usable("uid", &config.uid, &name)?;
    for (registry, mirror) in &config.mirrors.registries {
        usable("registry", registry, &|byte| name(byte) || byte == b':')?;
        usable("mirrors", mirror, &address)?;
    }
    if let Some(files) = &config.mirrors.files {
        usable("mirrors", files, &address)?;
    }
    let CloudFacts::Aws(aws) = &config.cloud;
    usable("region", &aws.region, &name)?;
    for text in aws.ssm_endpoint.iter().chain(&aws.kms_key) {
        usable("ssm", text, &address)?;
    }
    Ok(())
}
