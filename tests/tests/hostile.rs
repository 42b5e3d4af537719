//! Hostile strings come back from every renderer as they went in.

use clusterctl_tests::hostile::{programme, strings};

#[test]
#[expect(clippy::print_stderr, reason = "the counts are quoted from here")]
fn hostile_strings_in_every_field_are_refused_in_place_or_come_back_from_every_renderer() {
    let counts = programme().unwrap_or_else(|violation| unreachable!("{violation}"));
    eprintln!("{counts}; {} in all", counts.combinations());
    assert!(counts.strings >= 500, "{counts}");
    // A rule keeps GPUs off the control plane.
    assert_eq!(counts.unlowered, ["spec.controlPlane.machine.gpu.model"], "fields that no file of tests/hostile has");
}

#[test]
fn every_hostile_string_is_there_once() {
    let mut all = strings();
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
    assert!(count >= 500, "{count}");
}
