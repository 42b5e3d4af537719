//! Files that are read, and files that are refused.

mod schema;
mod writing;
mod yaml;

use expect_test::{Expect, expect};
use serde_json::Value;

use super::*;
use crate::spec::words::Cloud;

/// Everything that a file can say, once.
pub(crate) const EVERYTHING: &str = include_str!("everything.yaml");

const MINIMAL: &str = "apiVersion: clusterctl.dev/v1
kind: Cluster
metadata: {name: demo}
spec: {cloud: aws}
";

fn with_spec(spec: &str) -> String {
    format!("apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata: {{name: demo}}\nspec:\n{spec}")
}

fn problems(text: &str, expected: &Expect) {
    let found = match read(text) {
        Ok(_) => "no problem".to_owned(),
        Err(problems) => problems.to_string(),
    };
    expected.assert_eq(&found);
}

/// The path of what holds the thing at `path`.
pub(crate) fn parent_of(path: &str) -> &str {
    path::parent(path).expect("a path inside")
}

/// A value on one line, as `explain` shows it.
pub(crate) fn flow(value: &Value) -> String {
    print::flow(value)
}

fn judge() -> jsonschema::Validator {
    jsonschema::draft7::new(&schema()).expect("a draft-07 schema")
}

#[test]
fn the_smallest_file_is_a_name_and_a_cloud() {
    let document = read(MINIMAL).expect("the minimal file");
    assert_eq!(document.spec.metadata.name.as_str(), "demo");
    assert_eq!(document.spec.spec.cloud, Cloud::Aws);
    assert_eq!(document.spec.spec.zones, None);
}

#[test]
fn everything_is_read_and_agrees_with_the_schema() {
    let document = read(EVERYTHING).expect("everything");
    let value = serde_json::to_value(&document.spec).expect("json");
    let errors: Vec<String> = judge().iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    // What is printed reads back as the same, as YAML and as JSON.
    assert_eq!(read(&scaffold(&document.spec)).expect("the scaffold").spec, document.spec);
    assert_eq!(read(&value.to_string()).expect("json").spec, document.spec);
}

#[test]
fn a_version_stays_the_text_it_was_written_as() {
    let version = |text: &str| read(&with_spec(text)).map(|document| document.spec.spec.kubernetes);
    assert_eq!(version("  cloud: aws\n  kubernetes: 1.30"), Ok(Some("1.30".parse().expect("version"))));
    assert_eq!(version("  cloud: aws\n  kubernetes: '1.30'"), Ok(Some("1.30".parse().expect("version"))));
    assert_eq!(version("  {cloud: aws, kubernetes: 1.30}"), Ok(Some("1.30".parse().expect("version"))));
}

#[test]
fn unknown_fields_are_named_with_the_one_that_was_meant() {
    problems(
        &with_spec(
            "  clould: aws
  node_groups: []
  kubernets: '1.36'
  loadBalancer: x
  network: {Cidr: 10.0.0.0/16}
",
        ),
        &expect![[r#"
            5:3: spec.clould: unknown field "clould", did you mean cloud?; right would be: cloud
            6:3: spec.node_groups: unknown field "node_groups", did you mean nodeGroups?; right would be: nodeGroups
            7:3: spec.kubernets: unknown field "kubernets", did you mean kubernetes?; right would be: kubernetes
            8:3: spec.loadBalancer: unknown field "loadBalancer"; right would be: one of cloud, region, zones, kubernetes, network, access, dns, controlPlane, nodeGroups, platform, ttl, deletionProtection, options
            9:13: spec.network.Cidr: unknown field "Cidr", did you mean cidr?; right would be: cidr"#]],
    );
}

#[test]
fn all_problems_come_in_one_run() {
    problems(
        "apiVersion: v2
kind: Custer
metadata: {name: My_Cluster, labels: {-x: ok, y: 'a b'}}
spec:
  cloud: amazon
  zones: three
  kubernetes: latest
  ttl: 8
  deletionProtection: yes
  network:
    cidr: 10.20.3.0/16
    pods: cilium
    existing: {network: vpc-1}
    peers: 10.0.0.0/8
  controlPlane: {count: '3', machine: {cpu: 0, memory: 16GB, type: {awz: m7i.large}}}
  access:
    ssh: {from: [203.0.113.7], keys: [ssh-rsa AAAA]}
  nodeGroups:
  - machine: {gpu: {model: A10G, count: 99}}
  - {name: gpu, count: {min: 1}, capacity: [spto], gpu: {sharing: {timeSlicing: 1}}}
  - name: gpu2
    gpu: {sharing: timeSlicing}
    taints: [nvidia.com/gpu]
    labels:
",
        &expect![[r#"
            1:13: apiVersion: "v2" is not known here; right would be: clusterctl.dev/v1
            2:7: kind: "Custer" is not known here, did you mean Cluster?; right would be: Cluster
            3:18: metadata.name: "My_Cluster" has "M", which is not allowed; right would be: my-cluster: lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28
            3:39: metadata.labels["-x"]: the key "-x" is not a label; right would be: letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
            3:50: metadata.labels.y: "a b" is not a label; right would be: letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
            5:10: spec.cloud: "amazon" is not known here; right would be: one of aws, azure, gcp, openstack
            6:10: spec.zones: "three" is not a whole number; right would be: a whole number from 1 to 6
            7:15: spec.kubernetes: "latest" is not a Kubernetes version; right would be: a minor release as in 1.36, or an exact one as in 1.36.3
            8:8: spec.ttl: "8" is not a duration; right would be: a number and d, h, m or s, largest first, as in 8h or 1h30m
            9:23: spec.deletionProtection: "yes" is not true or false; right would be: true
            11:11: spec.network.cidr: 10.20.3.0/16 has host bits set; right would be: 10.20.0.0/16
            12:11: spec.network.pods: the word "cilium" cannot stand here; right would be: {plugin: ..., mode: ..., cidr: ...}
            13:5: spec.network.existing.subnets: subnets is missing; right would be: subnets: a list, as in [vpc-0abc1234], or {private: ..., public: ...}
            14:12: spec.network.peers: the word "10.0.0.0/8" cannot stand here; right would be: a list, as in [10.20.0.0/16]
            15:25: spec.controlPlane.count: "3" is text, because of the quotes; right would be: a whole number from 1 to 5
            15:45: spec.controlPlane.machine.cpu: 0 is too small; right would be: a whole number from 1 to 1024
            15:56: spec.controlPlane.machine.memory: 16GB has another unit than Mi, Gi or Ti; right would be: 16Gi
            15:69: spec.controlPlane.machine.type.awz: unknown field "awz", did you mean aws?; right would be: aws
            17:18: spec.access.ssh.from[0]: 203.0.113.7 has no prefix length; right would be: 203.0.113.7/32
            17:39: spec.access.ssh.keys[0]: the ssh-rsa key is damaged or was cut; right would be: one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment
            19:5: spec.nodeGroups[0].name: name is missing; right would be: name: text, as in general
            19:28: spec.nodeGroups[0].machine.gpu.model: "A10G" has capital letters; right would be: a10g
            19:41: spec.nodeGroups[0].machine.gpu.count: 99 is too large; right would be: a whole number from 1 to 16
            20:17: spec.nodeGroups[1].count.max: max is missing; right would be: max: a whole number from 0 to 10000
            20:45: spec.nodeGroups[1].capacity[0]: "spto" is not known here, did you mean spot?; right would be: one of spot, on-demand
            20:81: spec.nodeGroups[1].gpu.sharing.timeSlicing: 1 is too small; right would be: a whole number from 2 to 64
            22:20: spec.nodeGroups[2].gpu.sharing: "timeSlicing" is not known here; right would be: one of none, mps, mig
            23:14: spec.nodeGroups[2].taints[0]: "nvidia.com/gpu" has no effect; right would be: key=value:Effect with an effect of NoSchedule, PreferNoSchedule or NoExecute
            24:5: spec.nodeGroups[2].labels: has no value; right would be: {key: value, ...}, or leave the line out"#]],
    );
}

#[test]
fn a_document_knows_where_things_stand() {
    let text = with_spec(
        "  cloud: aws\n  nodeGroups:\n  - name: a\n    count: {min: 1, max: 2}\n    labels: {example.com/x: y}\n",
    );
    let document = read(&text).expect("a file");
    let at = |path: &str| document.span(path).map(|span| text[span.start..span.end].to_owned());
    assert_eq!(at("spec.nodeGroups[0].count.max").as_deref(), Some("2"));
    assert_eq!(at("spec.nodeGroups[0].count").as_deref(), Some("count"));
    assert_eq!(at("spec.nodeGroups[0].labels[\"example.com/x\"]").as_deref(), Some("y"));
    // What is not in the file is shown at what would hold it.
    assert_eq!(at("spec.nodeGroups[0].machine.cpu").as_deref(), Some("n"));
    assert_eq!(at("spec.access.api.from").as_deref(), Some("spec"));
}
