//! Which programs a node runs: the pinned release table and where each file comes from.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::config::Architecture;

/// One Kubernetes patch release with everything a node needs beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Full version with its `v`, as `kubelet --version` says it.
    pub kubernetes: String,
    /// The sandbox image that this kubeadm expects.
    pub pause_image: String,
    /// Every file a node may have to fetch, for all architectures. A file nobody has a checksum of is not among them.
    pub artifacts: Vec<Artifact>,
}

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub name: String,
    pub architecture: Architecture,
    /// Host and path of the vendor's address; a mirror serves the same path under its own prefix.
    pub path: String,
    pub sha256: String,
}

#[derive(Deserialize)]
struct Table {
    components: BTreeMap<String, BTreeMap<String, Component>>,
    releases: Vec<Row>,
}

#[derive(Deserialize)]
struct Component {
    version: String,
    sha256: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Row {
    kubernetes: String,
    pause: String,
    components: String,
    /// Architecture, then program.
    sha256: BTreeMap<String, BTreeMap<String, String>>,
}

static RELEASES: LazyLock<Vec<Release>> = LazyLock::new(|| {
    let table: Table = serde_json::from_str(include_str!("releases.json")).expect("a test reads the release table");
    table.releases.iter().filter_map(|row| row.release(&table.components)).collect()
});

/// Every release of the table, oldest first.
pub fn releases() -> &'static [Release] {
    &RELEASES
}

/// Finds a release by `1.36` (its newest patch) or `1.36.3`, with or without the `v`.
pub fn release(version: &str) -> Option<&'static Release> {
    let wanted = version.strip_prefix('v').unwrap_or(version);
    let matches = |release: &&Release| {
        let known = &release.kubernetes[1..];
        known == wanted || known.rsplit_once('.').is_some_and(|(minor, _)| minor == wanted)
    };
    RELEASES.iter().rev().find(matches)
}

impl Row {
    fn release(&self, components: &BTreeMap<String, BTreeMap<String, Component>>) -> Option<Release> {
        let mut artifacts = Vec::new();
        let components = components.get(&self.components)?;
        for architecture in Architecture::ALL {
            let vendor = architecture.vendor();
            for (name, sha256) in self.sha256.get(vendor)? {
                let path = format!("dl.k8s.io/release/{}/bin/linux/{vendor}/{name}", self.kubernetes);
                artifacts.push(Artifact { name: name.clone(), architecture, path, sha256: sha256.clone() });
            }
            artifacts.extend(components.iter().filter_map(|(name, component)| component.artifact(name, architecture)));
        }
        let pause_image = format!("registry.k8s.io/pause:{}", self.pause);
        Some(Release { kubernetes: self.kubernetes.clone(), pause_image, artifacts })
    }
}

impl Component {
    /// The vendor's own address of this component; none where the table has no checksum.
    fn artifact(&self, name: &str, architecture: Architecture) -> Option<Artifact> {
        let version = &self.version;
        let vendor = architecture.vendor();
        let (project, file) = match name {
            "containerd" => ("containerd/containerd", format!("containerd-{version}-linux-{vendor}.tar.gz")),
            "runc" => ("opencontainers/runc", format!("runc.{vendor}")),
            "cni-plugins" => ("containernetworking/plugins", format!("cni-plugins-linux-{vendor}-v{version}.tgz")),
            _ => return None,
        };
        Some(Artifact {
            name: name.to_owned(),
            architecture,
            path: format!("github.com/{project}/releases/download/v{version}/{file}"),
            sha256: self.sha256.get(vendor)?.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_becomes_a_release_with_all_programs() {
        let table: Table = serde_json::from_str(include_str!("releases.json")).expect("valid table");
        assert_eq!(releases().len(), table.releases.len());
        for release in releases() {
            let names = |architecture| {
                let artifacts = release.artifacts.iter().filter(move |artifact| artifact.architecture == architecture);
                artifacts.map(|artifact| artifact.name.as_str()).collect::<Vec<_>>()
            };
            for architecture in Architecture::ALL {
                assert_eq!(names(architecture), ["kubeadm", "kubectl", "kubelet", "cni-plugins", "containerd", "runc"]);
            }
            for Artifact { sha256, .. } in &release.artifacts {
                assert!(sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sha256}");
            }
        }
    }

    #[test]
    fn a_minor_version_means_its_newest_patch() {
        let patch = |version| release(version).map(|release| release.kubernetes.as_str());
        assert_eq!(patch("1.36"), Some("v1.36.4"));
        assert_eq!(patch("1.36.3"), Some("v1.36.3"));
        assert_eq!(patch("v1.35.1"), Some("v1.35.1"));
        assert_eq!(patch("1.3"), None);
        assert_eq!(patch("1.36.99"), None);
    }

    #[test]
    fn no_two_files_of_the_table_share_a_sum() {
        let mut sums: Vec<_> = releases().iter().flat_map(|release| &release.artifacts).collect();
        sums.sort_by(|a, b| (&a.sha256, &a.path).cmp(&(&b.sha256, &b.path)));
        sums.dedup_by(|a, b| a.path == b.path);
        assert!(sums.windows(2).all(|pair| pair[0].sha256 != pair[1].sha256));
    }
}
