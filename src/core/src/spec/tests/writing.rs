//! Files that are written.

use expect_test::expect;
use serde_json::{Value, json};

use super::*;
use crate::names::GpuRequest;

#[test]
fn flags_say_what_a_file_would_say() {
    let mut draft = SpecDraft::new("demo".parse().expect("name"), Cloud::Aws);
    draft.region = Some("eu-central-1".parse().expect("region"));
    draft.node_count = Some(3);
    draft.gpu = Some("a10g:1".parse::<GpuRequest>().expect("gpu"));
    let spec = Spec::from(draft);
    expect![[r#"
        # yaml-language-server: $schema=https://clusterctl.dev/schema/v1/cluster.json
        apiVersion: clusterctl.dev/v1
        kind: Cluster
        metadata:
          name: demo
        spec:
          cloud: aws
          region: eu-central-1
          nodeGroups:
            - name: general
              count: 3
            - name: gpu
              machine:
                gpu: {model: a10g, count: 1}
              count: {min: 1, max: 8}
              capacity: [spot, on-demand]
    "#]]
    .assert_eq(&scaffold(&spec));
    assert_eq!(read(&scaffold(&spec)).expect("a file").spec, spec);

    let mut draft = SpecDraft::new("demo".parse().expect("name"), Cloud::Gcp);
    draft.zones = Some("a-b1-c,a-b1-d".parse().expect("zones"));
    draft.api_from = vec!["0.0.0.0/0".parse().expect("range")];
    draft.control_plane_count = Some(1);
    draft.node_max = Some(20);
    draft.node_type = Some("n2-standard-4".parse().expect("type"));
    draft.ttl = Some("8h".parse().expect("span"));
    expect![[r#"
        # yaml-language-server: $schema=https://clusterctl.dev/schema/v1/cluster.json
        apiVersion: clusterctl.dev/v1
        kind: Cluster
        metadata:
          name: demo
        spec:
          cloud: gcp
          zones: [a-b1-c, a-b1-d]
          access:
            api:
              visibility: public
              from: [0.0.0.0/0]
          controlPlane:
            count: 1
          nodeGroups:
            - name: general
              machine: {type: n2-standard-4}
              count: {min: 3, max: 20}
          ttl: 8h
    "#]]
    .assert_eq(&scaffold(&Spec::from(draft)));
    assert!("0".parse::<Zones>().is_err() && "7".parse::<Zones>().is_err() && "a,,b".parse::<Zones>().is_err());
}

#[test]
fn what_is_printed_is_quoted_where_it_must_be() {
    let texts =
        ["yes", "1.30", "0x10", "1e3", "a: b", "# x", "ünïcode", "a+b", "123", "", "NULL", "- a", "10.0.0.0/8", "1:30"];
    let tags: serde_json::Map<String, Value> = texts
        .iter()
        .filter(|text| text.parse::<crate::names::TagValue>().is_ok())
        .enumerate()
        .map(|(at, text)| (format!("k{at}"), json!(text)))
        .collect();
    let value = json!({"apiVersion": "clusterctl.dev/v1", "kind": "Cluster", "metadata": {"name": "demo"},
        "spec": {"cloud": "aws", "options": {"aws": {"tags": tags}}}});
    let spec: Spec = serde_json::from_value(value).expect("a spec");
    let printed = scaffold(&spec);
    assert_eq!(read(&printed).expect("readable").spec, spec, "{printed}");
    // Another reader of YAML sees the same texts.
    let other: Value = serde_yaml::from_str(&printed).expect("yaml");
    assert_eq!(other, serde_json::to_value(&spec).expect("json"), "{printed}");
}
