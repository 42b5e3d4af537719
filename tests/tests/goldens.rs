//! Every case against its goldens. `cargo xtask bless` (or `UPDATE_EXPECT=1`) writes them anew.

#![expect(clippy::panic, reason = "a golden that differs is shown where it differs")]

use std::collections::BTreeSet;
use std::path::Path;

use clusterctl_tests::{Case, cases};

fn each(check: impl Fn(&Case)) {
    let cases = cases().expect("the cases can be read");
    assert!(cases.len() >= 10, "{} cases", cases.len());
    cases.iter().for_each(check);
}

fn golden(case: &Case, file: &str, text: &str) {
    let path = case.file.with_extension("").join(file);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for goldens");
        std::fs::write(&path, text).expect("a golden is written");
        return;
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if known != text {
        let line = known.lines().zip(text.lines()).position(|(a, b)| a != b).unwrap_or(0);
        let show = |t: &str| t.lines().skip(line).take(3).collect::<Vec<_>>().join("\n");
        panic!(
            "{} differs from line {}:\n--- golden\n{}\n--- now\n{}\n(cargo xtask bless accepts it)",
            path.display(),
            line + 1,
            show(&known),
            show(text)
        );
    }
}

#[test]
fn graphs_are_as_blessed() {
    each(|case| {
        let (_, graph) = case.graph().expect("a sound case");
        graph.order().expect("a sound graph");
        golden(case, "graph.txt", &graph.text());
    });
}

#[test]
fn terraform_is_as_blessed_and_the_same_twice() {
    each(|case| {
        let files = case.terraform().expect("a sound case");
        assert_eq!(files, case.terraform().expect("a sound case"), "{}", case.name);
        for (name, text) in &files {
            golden(case, &format!("terraform/{name}"), text);
        }
        let folder = case.file.with_extension("").join("terraform");
        let there = walk(&folder, &folder);
        let wanted: BTreeSet<String> = files.keys().cloned().collect();
        assert_eq!(there, wanted, "{}: files that the export does not write any more", case.name);
    });
}

fn walk(folder: &Path, base: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path, base));
        } else if let Ok(name) = path.strip_prefix(base) {
            files.insert(name.to_string_lossy().into_owned());
        }
    }
    files
}

#[test]
fn every_case_is_valid_by_the_schema_that_users_get() {
    let validator = jsonschema::draft7::new(&clusterctl_core::spec::schema()).expect("a sound schema");
    each(|case| {
        let value: serde_json::Value = serde_yaml::from_str(&case.text).expect("YAML");
        let problems: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}", case.name);
        assert!(case.text.starts_with("# yaml-language-server: $schema="), "{}", case.name);
    });
}

#[test]
fn nothing_made_is_without_an_owner() {
    each(|case| {
        let (_, graph) = case.graph().expect("a sound case");
        for node in graph.iter() {
            use clusterctl_core::graph::Ownership;
            let tags = node.args.get("tags").map(ToString::to_string).unwrap_or_default();
            let tags = tags + &node.args.get("tag").map(ToString::to_string).unwrap_or_default();
            if node.kind.ownership == Ownership::Tagged {
                assert!(tags.contains(clusterctl_tests::UID), "{}: {} has no owner", case.name, node.addr);
                assert!(tags.contains(&node.addr.to_string()), "{}: {} has no address", case.name, node.addr);
            }
        }
    });
}
