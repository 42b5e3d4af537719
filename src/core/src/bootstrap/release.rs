//! Which programs a node runs: the pinned release table and where each file comes from.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The processor architectures that the vendors publish for.
pub const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// One Kubernetes patch release with everything a node needs beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Full version with its `v`, as `kubelet --version` says it.
    pub kubernetes: String,
    /// The sandbox image that this kubeadm expects.
    pub pause_image: String,
    /// Every file a node may have to fetch, for all architectures.
    pub artifacts: Vec<Artifact>,
}

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub name: String,
    pub architecture: String,
    /// Host and path of the vendor's address; a mirror serves the same path under its own prefix.
    pub path: String,
    /// Where the vendor publishes the checksum, for a file that the table has none for.
    pub checksum_path: String,
    pub sha256: Option<String>,
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
        for architecture in ARCHITECTURES {
            for (name, sha256) in self.sha256.get(architecture)? {
                let path = format!("dl.k8s.io/release/{}/bin/linux/{architecture}/{name}", self.kubernetes);
                artifacts.push(Artifact {
                    name: name.clone(),
                    architecture: architecture.to_owned(),
                    checksum_path: format!("{path}.sha256"),
                    path,
                    sha256: Some(sha256.clone()),
                });
            }
            for (name, component) in components {
                artifacts.push(component.artifact(name, architecture)?);
            }
        }
        let pause_image = format!("registry.k8s.io/pause:{}", self.pause);
        Some(Release { kubernetes: self.kubernetes.clone(), pause_image, artifacts })
    }
}

impl Component {
    /// The vendor's own address of this component.
    fn artifact(&self, name: &str, architecture: &str) -> Option<Artifact> {
        let version = &self.version;
        let (project, file, sums) = match name {
            "containerd" => {
                let file = format!("containerd-{version}-linux-{architecture}.tar.gz");
                ("containerd/containerd", file.clone(), format!("{file}.sha256sum"))
            }
            "runc" => ("opencontainers/runc", format!("runc.{architecture}"), "runc.sha256sum".to_owned()),
            "cni-plugins" => {
                let file = format!("cni-plugins-linux-{architecture}-v{version}.tgz");
                ("containernetworking/plugins", file.clone(), format!("{file}.sha256"))
            }
            "crictl" => {
                let file = format!("crictl-v{version}-linux-{architecture}.tar.gz");
                ("kubernetes-sigs/cri-tools", file.clone(), format!("{file}.sha256"))
            }
            _ => return None,
        };
        let folder = format!("github.com/{project}/releases/download/v{version}");
        Some(Artifact {
            name: name.to_owned(),
            architecture: architecture.to_owned(),
            path: format!("{folder}/{file}"),
            checksum_path: format!("{folder}/{sums}"),
            sha256: self.sha256.get(architecture).cloned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_becomes_a_release_with_all_programs_for_all_architectures() {
        let table: Table = serde_json::from_str(include_str!("releases.json")).expect("valid table");
        assert_eq!(releases().len(), table.releases.len());
        for release in releases() {
            assert_eq!(release.artifacts.len(), 7 * ARCHITECTURES.len(), "{}", release.kubernetes);
            for sha256 in release.artifacts.iter().filter_map(|artifact| artifact.sha256.as_ref()) {
                assert!(sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sha256}");
            }
        }
    }

    #[test]
    fn the_only_file_without_a_pinned_sum_is_crictl_for_arm64() {
        let unpinned = |release: &'static Release| {
            release.artifacts.iter().filter(|artifact| artifact.sha256.is_none()).map(|a| (&*a.name, &*a.architecture))
        };
        for release in releases() {
            assert_eq!(unpinned(release).collect::<Vec<_>>(), [("crictl", "arm64")]);
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
        let pinned: Vec<_> = sums.iter().filter_map(|artifact| artifact.sha256.as_ref()).collect();
        assert!(pinned.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
