//! The script itself: its form, its size, what is not in it, and how its functions behave under a real bash.

mod aws;
mod documents;
mod script;
mod shell;
mod steps;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

/// A realistic configuration with everything in it.
pub(super) fn config(role: Role) -> NodeConfig {
    let nodes = ["10.20.0.0/19", "10.20.32.0/19", "10.20.64.0/19"].map(|cidr| cidr.parse().expect("a CIDR"));
    let registries = ["registry.k8s.io", "docker.io", "quay.io", "ghcr.io", "nvcr.io"];
    let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    let worker = role == Role::Worker;
    NodeConfig {
        role,
        cluster: "demo".to_owned(),
        uid: "k3v9q2m7x4c8".to_owned(),
        kubernetes: "1.36".to_owned(),
        networking: Networking {
            api_port: 6443,
            pods: "100.64.0.0/12".parse().expect("a CIDR"),
            services: "10.96.0.0/16".parse().expect("a CIDR"),
            nodes: nodes.to_vec(),
            plugin: "cilium".to_owned(),
            mtu: 8951,
        },
        mirrors: Mirrors {
            files: Some("https://mirror.example.com/files".to_owned()),
            registries: registries
                .map(|name| (name.to_owned(), format!("https://mirror.example.com/v2/{name}")))
                .into(),
        },
        architecture: Architecture::Amd64,
        checksums: BTreeMap::new(),
        // A control-plane machine is plain: its one extra disk is etcd's.
        data_disk: if worker { DataDisk::Block } else { DataDisk::Root },
        labels: text(&[("clusterctl.dev/group", "gpu"), ("team", "vision"), ("example.com/tier", "a_b.c-d")]),
        taints: if worker { vec![taint("nvidia.com/gpu", "present")] } else { vec![] },
        gpu: worker.then_some(GpuDriver::Baked),
        cloud_provider: CloudProvider::External,
        cloud: CloudFacts::Aws(AwsFacts {
            region: "eu-central-1".to_owned(),
            ssm_endpoint: None,
            kms_key: Some("arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab".to_owned()),
        }),
    }
}

pub(super) fn taint(key: &str, value: &str) -> Taint {
    Taint { key: key.to_owned(), value: value.to_owned(), effect: TaintEffect::NoSchedule }
}

pub(super) fn control_plane() -> NodeConfig {
    config(Role::ControlPlane { etcd: EtcdDisk::Volume })
}

pub(super) fn worker() -> NodeConfig {
    config(Role::Worker)
}

/// The script with its slots filled.
pub(super) fn script(config: &NodeConfig) -> String {
    let value = |slot| match slot {
        SlotName::ApiEndpoint => "demo-0123456789abcdef.elb.eu-central-1.amazonaws.com".to_owned(),
        SlotName::EtcdVolume => "vol-0abc1234def567890".to_owned(),
    };
    render(config).expect("the configuration renders").fill(value)
}

/// What a command said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) ok: bool,
    pub(super) out: String,
    pub(super) err: String,
}

/// Runs a program with `input` on its standard input.
pub(super) fn run(program: &str, arguments: &[&str], input: &str) -> Said {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    // A program that does not read to the end breaks the pipe; its own answer says what matters.
    let _ = writer.join().expect("the writer ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
}

/// Sources the script, so that its functions are there and nothing has run, points it at a scratch folder in which
/// `bin/` comes first on the PATH, and runs `commands` as strictly as the script runs itself.
pub(super) fn with_library(config: &NodeConfig, scratch: &std::path::Path, commands: &str) -> Said {
    let file = scratch.join("bootstrap");
    std::fs::write(&file, script(config)).expect("the script is written");
    std::fs::create_dir_all(scratch.join("bin")).expect("a folder");
    let prelude = format!(
        "source '{file}'\nset -Eeuo pipefail\nexport LC_ALL=C PATH={dir}/bin:$PATH T={dir}\n\
         RUN={dir}/run CONSOLE={dir}/console ETCD={dir}/etcd PKI={dir}/pki SYS_BLOCK={dir}/sys CONFIG={dir}/config\n\
         KUBEADM_LOG={dir}/kubeadm.log\nmkdir -p \"$RUN\"\ntrap on_exit EXIT\n\
         trap 'on_error \"$LINENO\" \"$BASH_COMMAND\"' ERR\nsleep() {{ :; }}\n",
        file = file.display(),
        dir = scratch.display()
    );
    run("bash", &["-c", &(prelude + commands)], "")
}

/// Puts a command of the given body first on the PATH of [`with_library`].
pub(super) fn stub(scratch: &std::path::Path, name: &str, body: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = scratch.join("bin");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    std::fs::write(&file, format!("#!/bin/bash\n{body}\n")).expect("the stub is written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("the stub may run");
}
