//! What can be said of the script without running it.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::bootstrap::render::{TEMPLATES, USER_DATA_LIMIT};

fn all_roles() -> [(&'static str, NodeConfig); 3] {
    [
        ("control plane", control_plane()),
        ("single node", config(Role::ControlPlane { etcd: EtcdDisk::Root })),
        ("worker", worker()),
    ]
}

#[test]
fn bash_accepts_every_role() {
    for (role, config) in all_roles() {
        let said = run("bash", &["-n"], &script(&config));
        assert!(said.ok, "{role}: {}", said.err);
    }
}

#[test]
fn shellcheck_finds_nothing() {
    if Command::new("shellcheck").arg("--version").output().is_err() {
        eprintln_skipped("shellcheck is not installed");
        return;
    }
    for (role, config) in all_roles() {
        // 2034: some values are only recorded. 2317, 2329: a function that one role does not call.
        let said = run("shellcheck", &["-s", "bash", "-e", "SC2034,SC2317,SC2329", "-"], &script(&config));
        assert!(said.ok, "{role}: {}", said.out);
    }
}

#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
pub(super) fn eprintln_skipped(why: &str) {
    eprintln!("skipped: {why}");
}

#[test]
fn user_data_fits_even_with_everything_in_it() {
    for (role, config) in all_roles() {
        let size = render(&config).expect("renders").user_data_size();
        assert!(size <= USER_DATA_LIMIT, "{role}: {size} of {USER_DATA_LIMIT} bytes");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(script(&config).as_bytes()).expect("memory");
        let encoded = STANDARD.encode(gzip.finish().expect("memory")).len();
        assert!(encoded <= size, "{role}: the size that is checked counts the slots, too: {encoded}, {size}");
    }
}

#[test]
fn every_secret_that_a_machine_writes_is_known_by_name() {
    let script = script(&control_plane());
    let writes = script.split(['\n', ';', '(']).filter_map(|part| {
        let words = part.split_once("secret_put ").or_else(|| part.split_once("secret_create "))?.1;
        Some(words.split_whitespace().next()?.trim_matches('"'))
    });
    let units = script.lines().find_map(|line| line.strip_prefix("PKI_UNITS='")?.strip_suffix('\''));
    let mut written: Vec<String> = Vec::new();
    for name in writes.filter(|name| name.contains('/') && !name.starts_with(SECRET_LOCKS)) {
        match name.strip_suffix("$unit") {
            Some(folder) => written.extend(units.unwrap_or_default().split(' ').map(|unit| format!("{folder}{unit}"))),
            None => written.push(name.to_owned()),
        }
    }
    written.sort();
    written.dedup();
    assert_eq!(written, SECRETS);
}

#[test]
fn what_does_not_fit_is_refused_before_any_cloud_is_asked() {
    let mut config = worker();
    // Text that does not compress.
    let noise = |seed: u64| {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + u8::try_from((state >> 33) % 26).expect("below 26"))
        };
        (0..60).map(|_| next()).collect::<String>()
    };
    config.labels = (0..200).map(|seed| (noise(seed), noise(seed + 1000))).collect();
    let error = render(&config).expect_err("refused").to_string();
    assert!(error.contains("of 16384 bytes"), "{error}");
}

#[test]
fn the_first_line_makes_cloud_init_run_it() {
    for (_, config) in all_roles() {
        assert!(script(&config).starts_with("#!/bin/bash\n"));
    }
}

#[test]
fn slots_stand_where_nothing_is_templated_any_more() {
    let slots = |config| {
        let parts = render(&config).expect("renders").parts;
        let slots = parts.into_iter().filter_map(|part| match part {
            Part::Slot(name) => Some(name),
            Part::Text(_) => None,
        });
        slots.collect::<Vec<_>>()
    };
    assert_eq!(slots(control_plane()), [SlotName::ApiEndpoint, SlotName::EtcdVolume]);
    assert_eq!(slots(config(Role::ControlPlane { etcd: EtcdDisk::Root })), [SlotName::ApiEndpoint]);
    assert_eq!(slots(worker()), [SlotName::ApiEndpoint]);
}

#[test]
fn the_same_configuration_gives_the_same_bytes() {
    assert_eq!(render(&control_plane()).expect("renders"), render(&control_plane()).expect("renders"));
}

#[test]
fn a_worker_never_asks_for_what_is_the_control_planes() {
    let text = script(&worker());
    for word in ["control-plane/", "ca.key", "kubeadm_run \"$CCTL_INIT\"", "encryption"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn there_is_no_secret_in_it() {
    // Nothing in the input is secret, so a secret could only be a literal of a template: look for their forms.
    for (role, config) in all_roles() {
        let text = script(&config);
        for form in ["PRIVATE KEY", "AKIA", "aws_secret", "password", "BEGIN CERT"] {
            assert!(!text.contains(form), "{role}: {form}");
        }
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
        let token = |word: &str| {
            let (id, secret) = word.split_once('.')?;
            let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            (id.len() == 6 && secret.len() == 16 && lower(id) && lower(secret)).then_some(())
        };
        assert_eq!(words.find(|word| token(word).is_some()), None, "{role}: a bootstrap token");
    }
}

/// A tag of a template that prints a value.
fn printed(template: &str) -> Vec<&str> {
    template.split("@{").skip(1).map(|rest| rest.split_once("}@").expect("the tag ends").0.trim()).collect()
}

#[test]
fn a_template_can_only_print_a_quoted_value() {
    for (name, text) in TEMPLATES {
        for printed in printed(text) {
            // A bare name: no filter (`safe` least of all), no function, no concatenation.
            assert!(printed.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}: {printed}");
            assert_eq!(*name, "head.sh", "only the head holds values");
        }
        for tag in text.split("@%").skip(1).map(|rest| rest.split_once("%@").expect("the tag ends").0.trim()) {
            let allowed = ["include \"", "if ", "else", "endif"];
            assert!(allowed.iter().any(|word| tag.starts_with(word)), "{name}: {tag}");
        }
    }
}

#[test]
fn every_value_of_the_head_is_a_whole_assignment() {
    let (_, head) = TEMPLATES.iter().find(|(name, _)| *name == "head.sh").expect("the head");
    for line in head.lines().filter(|line| line.contains("@{")) {
        let (name, value) = line.split_once('=').expect("an assignment");
        assert!(name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{line}");
        assert!(value.starts_with("@{ ") && value.ends_with(" }@"), "{line}");
    }
}

/// Text that would do something if it were not quoted.
const HOSTILE: [&str; 12] = [
    "it's",
    "'; touch /tmp/owned; '",
    "$(touch /tmp/owned)",
    "`touch /tmp/owned`",
    "a\n\nb\n",
    "\\",
    "\"double\"",
    "${IFS}",
    "!history",
    "@{ uid }@ @% include \"head.sh\" %@ @# x #@",
    "tab\there\rand\u{7f}\u{1b}[31m",
    "ünïcödé \u{202e}",
];

#[test]
fn hostile_values_come_out_of_bash_as_they_went_in() {
    for text in HOSTILE {
        let mut config = worker();
        config.cluster = text.to_owned();
        config.networking.plugin = text.to_owned();
        config.labels = [(text.to_owned(), text.to_owned())].into();
        let scratch = tempfile::tempdir().expect("a folder");
        let commands = r#"printf '%s\0' "$CCTL_CLUSTER" "$CCTL_CNI" "$CCTL_LABELS""#;
        let said = with_library(&config, scratch.path(), commands);
        assert!(said.ok, "{text:?}: {}", said.err);
        assert_eq!(said.out, format!("{text}\0{text}\0{text}={text}\0"), "{text:?}");
    }
}

#[test]
fn hostile_taints_stay_inside_their_json_string() {
    for text in HOSTILE {
        let mut config = worker();
        config.taints = vec![taint(text, text)];
        let scratch = tempfile::tempdir().expect("a folder");
        let said = with_library(&config, scratch.path(), r#"printf '%s' "$CCTL_JOIN""#);
        let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(document["nodeRegistration"]["taints"][0]["key"], text);
    }
}

#[test]
fn a_nul_byte_cannot_be_quoted_and_is_an_error() {
    let mut config = worker();
    config.cluster = "a\0b".to_owned();
    assert!(matches!(render(&config), Err(RenderError::Template(_))));
}

#[test]
fn what_becomes_a_path_a_mark_or_a_file_of_its_own_is_checked() {
    let broken = |change: fn(&mut NodeConfig)| {
        let mut config = worker();
        change(&mut config);
        render(&config).expect_err("refused").to_string()
    };
    let errors = [
        broken(|config| config.kubernetes = "1.12".to_owned()),
        broken(|config| config.uid = "../other".to_owned()),
        broken(|config| config.cluster = "@@token@@".to_owned()),
        broken(|config| config.taints = vec![taint("a", "@@token@@")]),
        broken(|config| config.mirrors.files = Some("https://user:secret@mirror".to_owned())),
        broken(|config| config.mirrors.registries = [("../../etc".to_owned(), "https://m".to_owned())].into()),
        broken(|config| {
            let path = "dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubelet".to_owned();
            config.checksums = [(path, "feed".to_owned())].into();
        }),
    ];
    expect_test::expect![[r#"
        Kubernetes 1.12 is not in the release table; it has v1.35.0, v1.35.1, v1.36.2, v1.36.3, v1.36.4
        uid is not usable on a node: "../other"
        cluster must not hold "@@", which marks what only the node knows: "@@token@@"
        taints must not hold "@@", which marks what only the node knows: "@@token@@"
        mirrors is not usable on a node: "https://user:secret@mirror"
        registry is not usable on a node: "../../etc"
        the checksum of dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubelet is not 64 hexadecimal digits: "feed"
    "#]]
    .assert_eq(&(errors.join("\n") + "\n"));
}
