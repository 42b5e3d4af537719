//! YAML as it comes: strict, hostile, random.

use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

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

/// A value that is right in some places of a file and wrong in most. No bare number: the reader takes one as text.
fn other() -> impl Strategy<Value = Value> {
    let words = crate::names::tests::HOSTILE.iter().copied().chain([
        "aws",
        "public",
        "10.30.0.0/16",
        "1.35",
        "1.36.1",
        "32Gi",
        "l4",
        "none",
        "mps",
        "2h",
        "eu-central-1b",
        "spot",
        "vpc-1",
        "example.org",
        "a=b:NoSchedule",
        "ami-01234567",
        "cr-01234567",
        "m7i.large",
        "arm64",
        "flannel",
    ]);
    let words: Vec<Value> = words.map(Value::from).collect();
    let word = proptest::sample::select(words);
    prop_oneof![
        6 => word.clone(),
        1 => proptest::collection::vec(word.clone(), 0..3).prop_map(Value::from),
        1 => word.prop_map(|word| json!({"private": [word]})),
        1 => Just(json!({})),
    ]
}

/// The places of a value, each as a JSON pointer.
fn pointers(at: &str, value: &Value) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, inner)| pointers(&format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), inner))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, inner)| pointers(&format!("{at}/{index}"), inner)).collect()
        }
        _ => Vec::new(),
    };
    inner.into_iter().chain((!at.is_empty()).then(|| at.to_owned())).collect()
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

    /// A sound file with one value replaced by another: what the schema refuses, the reader refuses too, and what the
    /// reader takes is right by the schema.
    #[test]
    fn one_wrong_value_is_found(at in any::<proptest::sample::Index>(), other in other()) {
        let mut file = serde_json::to_value(&read(EVERYTHING).expect("everything").spec).expect("json");
        let pointers = pointers("", &file);
        let pointer = at.get(&pointers);
        *file.pointer_mut(pointer).expect("a place") = other;
        match read(&file.to_string()) {
            Ok(document) => {
                prop_assert!(judge().is_valid(&file), "taken at {pointer}: {file}");
                let value = serde_json::to_value(&document.spec).expect("json");
                prop_assert!(judge().is_valid(&value), "{value}");
            }
            Err(problems) => {
                prop_assert!(problems.iter().all(|problem| problem.span.is_some()), "{problems}");
                prop_assert!(!problems.iter().any(|problem| problem.message.starts_with("cannot be")), "{problems}");
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
