//! Files that are read, and files that are refused.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::names::GpuRequest;
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
fn yaml_is_read_strictly() {
    problems("", &expect!["1:1: the file is empty; right would be: a cluster: `clusterctl schema` describes it"]);
    problems(
        "# nothing\n",
        &expect!["2:1: the file is empty; right would be: a cluster: `clusterctl schema` describes it"],
    );
    problems(
        "hello",
        &expect![[
            r#"1:1: the word "hello" cannot stand here; right would be: {apiVersion: ..., kind: ..., metadata: ..., spec: ...}"#
        ]],
    );
    problems(
        "[1, 2]",
        &expect![
            "1:1: a list cannot stand here; right would be: {apiVersion: ..., kind: ..., metadata: ..., spec: ...}"
        ],
    );
    problems(
        &format!("{MINIMAL}---\n{MINIMAL}"),
        &expect!["5:1: the file holds more than one document; right would be: one cluster in each file"],
    );
    problems(
        &format!("{MINIMAL}kind: Cluster\nspec: {{cloud: gcp}}\n"),
        &expect![[r#"
        5:1: kind: "kind" is written twice, first on line 2; right would be: one of the two
        6:1: spec: "spec" is written twice, first on line 4; right would be: one of the two"#]],
    );
    problems("a: [1, 2", &expect!["2:1: a: is not YAML: while parsing a flow sequence, expected ',' or ']'"]);
    problems("a: b: c", &expect!["1:5: is not YAML: mapping values are not allowed in this context"]);
    problems("a:\n\t- b", &expect!["2:2: a: is not YAML: tabs disallowed within this context (block indentation)"]);
    problems("? [a]\n: b\n", &expect!["1:3: has a key that is not a word; right would be: plain words as keys"]);
    problems(
        &with_spec("  cloud: !!str aws\n"),
        &expect![
            "5:10: spec.cloud: has a YAML tag or an anchor on a key, which have no meaning here; right would be: the value alone"
        ],
    );
    problems(
        &with_spec("  cloud: aws\n  network: &n {topology: public}\n  access: {<<: *n}\n"),
        &expect![
            "7:12: spec.access: merge keys (<<) are not supported; right would be: repeat the fields, or use an alias for a whole value"
        ],
    );
    problems("a: &a [*a]", &expect!["1:8: a[0]: is an alias for something that contains it"]);
    problems("a: *nowhere", &expect!["1:4: a: is not YAML: while parsing node, found unknown anchor"]);
}

#[test]
fn aliases_stand_for_whole_values() {
    let text = with_spec(
        "  cloud: aws
  controlPlane: {machine: &machine {cpu: 8, memory: 32Gi}}
  nodeGroups: [{name: general, machine: *machine}]
",
    );
    let spec = read(&text).expect("aliases").spec.spec;
    assert_eq!(
        spec.node_groups.and_then(|groups| groups.into_iter().next()).and_then(|group| group.machine),
        spec.control_plane.and_then(|control_plane| control_plane.machine)
    );
}

#[test]
fn bombs_go_off_harmlessly() {
    let start = std::time::Instant::now();
    let mut laughs = String::from("l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..10 {
        let before = level - 1;
        laughs.push_str(&format!("l{level}: &l{level} [{}]\n", vec![format!("*l{before}"); 9].join(", ")));
    }
    problems(&laughs, &expect!["5:15: l4[1]: the file has more than 20000 values"]);
    let big = "x".repeat(100_000);
    problems(
        &format!("a: &a {big}\nb: [{}]\n", vec!["*a"; 60].join(", ")),
        &expect!["2:41: b[9]: aliases make the file larger than 1048576 bytes"],
    );
    problems(&format!("a: {}", "[".repeat(5_000)), &expect!["1:259: a: is not YAML: recursion limit exceeded"]);
    problems(
        &format!("{}x", "- ".repeat(5_000)),
        &expect![
            "1:67: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: is nested more than 32 levels deep"
        ],
    );
    problems(
        &format!("a: [{}]", "1, ".repeat(30_000)),
        &expect!["1:59996: a[19997]: the file has more than 20000 values"],
    );
    problems(
        &format!("a: &a 1\nb: [{}]", vec!["*a"; 65].join(", ")),
        &expect!["2:261: b[64]: is one alias too many: 64 are allowed"],
    );
    problems(&"a".repeat((1 << 20) + 1), &expect!["the file has 1048577 bytes; right would be: at most 1048576 bytes"]);
    let unknown: Vec<String> = (0..9_000).map(|at| format!("nodeGroup{at}: 1")).collect();
    let found = read(&with_spec(&format!("  {{{}}}", unknown.join(", ")))).expect_err("unknown fields");
    assert_eq!(found.iter().count(), 9_000 + 1, "each of them, and the cloud that is missing");
    // Generous for a slow machine; unbounded expansion would take hours.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn places_are_true_behind_wide_characters_and_marks() {
    let text = format!("\u{feff}# äöü 😀\r\n{}", with_spec("  cloud: aws\n  region: 'é é'\n").replace('\n', "\r\n"));
    let problems = read(&text).expect_err("no region").into_vec();
    let span = problems[0].span.expect("a place");
    assert_eq!(&text[span.start..span.end], "'é é'");
    assert_eq!((span.line, span.column), (7, 11));
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

#[test]
fn the_schema_uses_no_word_that_the_reader_does_not_know() {
    fn walk(value: &Value, names: bool) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    let known = names || shape::KEYWORDS.contains(&key.as_str());
                    assert!(known, "{key} in the schema");
                    if key == "patternProperties" && !names {
                        assert!(map.contains_key("x-keys"), "a map without the format of its keys");
                    }
                    let holds_names =
                        !names && matches!(key.as_str(), "properties" | "definitions" | "patternProperties");
                    if !matches!(key.as_str(), "default" | "examples" | "const") || names {
                        walk(inner, holds_names);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, false)),
            _ => {}
        }
    }
    walk(&schema(), false);
}

#[test]
fn every_example_in_the_schema_is_right() {
    fn walk(value: &Value, examples: &mut usize) {
        if let (Some(Value::String(format)), Some(Value::String(example))) =
            (value.get("format"), value.pointer("/examples/0"))
        {
            assert_eq!(crate::names::check(format, example), Some(Ok(())), "{format} {example}");
            let pattern = json!({"type": "string", "pattern": value["pattern"]});
            assert!(jsonschema::draft7::new(&pattern).expect("a pattern").is_valid(&json!(example)), "{format}");
            *examples += 1;
        }
        match value {
            Value::Object(map) => map.values().for_each(|inner| walk(inner, examples)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, examples)),
            _ => {}
        }
    }
    let mut examples = 0;
    walk(&schema(), &mut examples);
    assert!(examples > 25, "{examples}");
}

#[test]
fn every_field_is_explained() {
    fn walk(path: &str, fields: &mut usize) {
        let help = explain(path).expect("a field");
        assert!(!help.description.is_empty(), "{path} has no description");
        for (name, _) in &help.fields {
            *fields += 1;
            walk(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, fields);
        }
    }
    let mut fields = 0;
    walk("", &mut fields);
    assert!(fields > 60, "{fields}");
    expect![[r#"
        Some(
            FieldHelp {
                path: "spec.nodeGroups[].capacity",
                description: "How machines are bought: a ladder whose next rung is taken when the cloud has none on this one. Spot needs on-demand after it.",
                takes: "a list, each one of spot, on-demand",
                required: false,
                default: Some(
                    "[on-demand]",
                ),
                example: None,
                words: [
                    (
                        "spot",
                        "At a discount; the cloud may take them back at any time.",
                    ),
                    (
                        "on-demand",
                        "At the list price, until they are given back.",
                    ),
                ],
                fields: [],
            },
        )
    "#]].assert_debug_eq(&explain("spec.nodeGroups[1].capacity"));
    expect![[r#"
        Some(
            FieldHelp {
                path: "spec.nodeGroups[].gpu.sharing",
                description: "Whether pods share a GPU, and how.",
                takes: "one of none, mps, mig, or {timeSlicing: ...}",
                required: false,
                default: Some(
                    "none",
                ),
                example: None,
                words: [
                    (
                        "none",
                        "Each pod has its GPUs to itself.",
                    ),
                    (
                        "mps",
                        "Pods share a GPU through NVIDIA's Multi-Process Service.",
                    ),
                    (
                        "mig",
                        "A GPU is partitioned in hardware; only models that can do it.",
                    ),
                ],
                fields: [
                    (
                        "timeSlicing",
                        "How many pods take turns on each GPU.",
                    ),
                ],
            },
        )
    "#]]
    .assert_debug_eq(&explain("spec.nodeGroups.gpu.sharing"));
    assert_eq!(explain("spec.nodeGroup"), None);
    assert_eq!(nearest_field("spec.nodeGroup.coun.mx").as_deref(), Some("spec.nodeGroups[].count.max"));
}

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

/// A piece of a file that is often nearly right.
fn scrap() -> impl Strategy<Value = Value> {
    let words: Vec<Value> = crate::names::tests::HOSTILE
        .iter()
        .copied()
        .chain(["demo", "aws", "private", "10.20.0.0/16", "1.36", "16Gi", "a10g", "none", "mps", "8h", "eu-central-1"])
        .map(Value::from)
        .collect();
    let leaf = prop_oneof![
        4 => proptest::sample::select(words),
        2 => (-2_i64..70).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!(1.5)),
    ];
    let keys = proptest::sample::select(vec![
        "cloud",
        "region",
        "zones",
        "kubernetes",
        "network",
        "cidr",
        "topology",
        "pods",
        "services",
        "existing",
        "access",
        "api",
        "from",
        "ssh",
        "keys",
        "dns",
        "zone",
        "controlPlane",
        "count",
        "machine",
        "gpu",
        "model",
        "type",
        "nodeGroups",
        "name",
        "min",
        "max",
        "capacity",
        "sharing",
        "timeSlicing",
        "labels",
        "taints",
        "options",
        "aws",
        "tags",
        "x/y",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The reader and the schema, judged by another implementation, agree on which files are sound: everything that
    /// the reader takes is right by the schema, and everything it refuses has a reason with a place.
    #[test]
    fn reader_and_schema_agree(scrap in scrap()) {
        let file = json!({"apiVersion": "clusterctl.dev/v1", "kind": "Cluster", "metadata": {"name": "demo"}, "spec": scrap});
        match read(&file.to_string()) {
            Ok(document) => {
                let value = serde_json::to_value(&document.spec).expect("json");
                prop_assert!(judge().is_valid(&value), "{value}");
            }
            Err(problems) => {
                for problem in &problems {
                    prop_assert!(!problem.message.starts_with("cannot be understood"), "{problem}");
                    prop_assert!(problem.span.is_some(), "{problem}");
                    prop_assert!(!problem.to_string().chars().any(|c| c.is_control()), "{problem:?}");
                }
            }
        }
    }

    /// No text makes the reader fail in any other way than by saying so.
    #[test]
    fn any_text_is_survived(text in "[-a-z:{}\\[\\],&*!|>'\"%@` \n\t#?~<0-9\u{0}\u{feff}ä😀]{0,200}") {
        if let Err(problems) = read(&text) {
            prop_assert!(problems.iter().count() > 0);
        }
    }
}
