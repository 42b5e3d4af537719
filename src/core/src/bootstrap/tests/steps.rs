//! How control-plane nodes find out who begins, with a secret store made of files and a kubeadm that only says what
//! it was asked.

use std::path::Path;

use super::*;

/// A store of the same promises as the real one: create-if-absent has one winner, even at the same instant.
const STORE: &str = r#"
S=$T/../store; mkdir -p "$S"
secret_get() { cat "$S/${1//\//__}" 2>/dev/null || return 3; }
secret_put() { printf '%s' "$2" >"$S/.$BASHPID" && mv "$S/.$BASHPID" "$S/${1//\//__}"; }
secret_create() {
  printf '%s' "$2" >"$S/.$BASHPID"
  if ln "$S/.$BASHPID" "$S/${1//\//__}" 2>/dev/null; then rm "$S/.$BASHPID"; return 0; fi
  rm "$S/.$BASHPID"; [[ $(secret_get "$1") == "$2" ]] || return 4
}
secret_delete() { rm -f "$S/${1//\//__}"; }
sleep() { command sleep "0.0$((RANDOM % 5 + 1))"; }
ca_hash() { printf 'sha256:%064d' 7; }
sync() { :; }
api_answers() { true; }
own_api_answers() { true; }
hole node-ip '.*' 10.20.0.5; hole endpoint '.*' api; hole provider-id '.*' aws:///a/i; hole labels '.*' ''
hole certificates '.*' "$PKI"
CCTL_ETCD_VOLUME=
"#;

/// A kubeadm that makes a member on `init` and on a control plane's `join`, and writes down what it was asked.
const KUBEADM: &str = r#"
echo "$NODE $*" | sed 's# --config.*##' >>"$T/../asked"
case "$*" in
init\ phase\ certs*) d=$(grep -o '"certificatesDir":"[^"]*"' "$T/run/kubeadm.yaml" | cut -d'"' -f4); mkdir -p "$d/etcd"
  for f in ca.crt ca.key front-proxy-ca.crt front-proxy-ca.key etcd/ca.crt etcd/ca.key sa.key sa.pub; do echo "$f $RANDOM" >"$d/$f"; done ;;
init\ phase*) ;;
init*) [ ! -e "$T/fail-early" ] || exit 1; mkdir -p "$T/etcd/data/member"; [ ! -e "$T/fail-late" ] || exit 1 ;;
join*) mkdir -p "$T/etcd/data/member" ;;
esac
"#;

fn node(world: &Path, name: &str) -> Said {
    node_after(world, name, ":")
}

/// A node that runs `first` before it does what every node does.
fn node_after(world: &Path, name: &str, first: &str) -> Said {
    let scratch = world.join(name);
    std::fs::create_dir_all(&scratch).expect("a folder");
    stub(&scratch, "kubeadm", KUBEADM);
    let commands = format!(
        "{STORE}\nexport NODE={name}; NODE_NAME={name}; hole node-name '.*' {name}\nnew_token\n{first}\n\
         claim_disk\nensure_pki\nphase control-plane bring_up"
    );
    with_library(&control_plane(), &scratch, &commands)
}

/// What kubeadm was asked, without the phases that make certificates.
fn asked(world: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(world.join("asked")).unwrap_or_default();
    text.lines().filter(|line| !line.contains("init phase certs")).map(str::to_owned).collect()
}

fn secret(world: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(world.join("store").join(name.replace('/', "__"))).ok()
}

#[test]
fn of_three_that_start_at_once_one_initialises_and_two_join() {
    let world = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        let runs = ["a", "b", "c"].map(|name| scope.spawn(|| node(world.path(), name)));
        for run in runs {
            let said = run.join().expect("the node ends");
            assert!(said.ok, "{}{}", said.out, said.err);
        }
    });
    let asked = asked(world.path());
    let inits: Vec<_> = asked.iter().filter(|line| line.contains(" init ")).collect();
    assert_eq!((inits.len(), asked.len()), (1, 3), "{asked:?}");
    assert!(asked[0].contains(" init "), "nobody joins before: {asked:?}");
    let winner = &asked[0][..1];
    assert_eq!(secret(world.path(), "control-plane/cluster").as_deref(), Some(winner));
    // All three have the same keys, on their disks too.
    let key = |name: &str, place: &str| std::fs::read(world.path().join(name).join(place)).expect("a key");
    for name in ["a", "b", "c"] {
        assert_eq!(key(name, "pki/ca.key"), key("a", "pki/ca.key"));
        assert_eq!(key(name, "etcd/clusterctl/pki/sa.key"), key("a", "pki/sa.key"));
    }
    let material = secret(world.path(), "join/material").expect("join material");
    assert_eq!(material.split(' ').count(), 3, "{material}");
}

#[test]
fn what_lies_in_the_store_is_sealed() {
    let world = tempfile::tempdir().expect("a folder");
    assert!(node(world.path(), "a").ok);
    let key = std::fs::read_to_string(world.path().join("a/pki/ca.key")).expect("a key");
    let sealed = secret(world.path(), "control-plane/pki/ca").expect("the unit");
    assert!(!sealed.contains(key.trim()) && sealed.len() < 4096);
    assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)));
}

#[test]
fn a_claim_of_a_dead_node_is_taken_over_after_the_lease() {
    let world = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(world.path().join("store")).expect("a folder");
    std::fs::write(world.path().join("store/control-plane__lock__1"), "dead nonce 3").expect("written");
    let said = node_after(world.path(), "a", "LEASE=1");
    assert!(said.ok, "{}{}", said.out, said.err);
    assert_eq!(secret(world.path(), "control-plane/lock/2").as_deref(), Some("free"));
    assert_eq!(secret(world.path(), "control-plane/cluster").as_deref(), Some("a"));
}

#[test]
fn a_node_that_dies_before_its_member_exists_hands_over() {
    let world = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(world.path().join("a")).expect("a folder");
    std::fs::write(world.path().join("a/fail-early"), "").expect("written");
    assert!(!node(world.path(), "a").ok);
    assert_eq!(secret(world.path(), "control-plane/etcd"), None);
    let said = node(world.path(), "b");
    assert!(said.ok, "{}{}", said.out, said.err);
    assert_eq!(secret(world.path(), "control-plane/cluster").as_deref(), Some("b"));
}

#[test]
fn where_a_member_exists_nobody_else_initialises_and_its_own_node_goes_on() {
    let world = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(world.path().join("a")).expect("a folder");
    std::fs::write(world.path().join("a/fail-late"), "").expect("written");
    assert!(!node(world.path(), "a").ok);
    assert_eq!(secret(world.path(), "control-plane/etcd").as_deref(), Some("a"));
    // The other one waits; its patience is cut short here.
    let impatient = "wait_until() { \"${@:3}\" || die \"gave up waiting for $2\"; }";
    let said = node_after(world.path(), "b", impatient);
    assert!(!said.ok && said.out.contains("the node with the first etcd member"), "{}{}", said.out, said.err);
    // The first one comes back with its disk and goes on without another preflight of an empty disk.
    std::fs::remove_file(world.path().join("a/fail-late")).expect("removed");
    let said = node(world.path(), "a");
    assert!(said.ok, "{}{}", said.out, said.err);
    assert_eq!(
        asked(world.path()),
        ["a init --skip-phases=show-join-command", "a init --skip-phases=show-join-command,preflight"]
    );
}

#[test]
fn a_machine_that_replaces_another_rejoins_from_the_disk_and_never_initialises() {
    let world = tempfile::tempdir().expect("a folder");
    assert!(node(world.path(), "a").ok);
    let before = asked(world.path()).len();
    // A new machine: only the disk is left of the old one, and the store does not answer at all.
    let scratch = world.path().join("a");
    std::fs::remove_dir_all(scratch.join("pki")).expect("removed");
    std::fs::remove_dir_all(world.path().join("store")).expect("removed");
    stub(&scratch, "kubeadm", KUBEADM);
    let commands = format!(
        "{STORE}\nNODE_NAME=a; export NODE=a; hole node-name '.*' a\nsecret_get() {{ die 'asked the store'; }}\nnew_token\nclaim_disk\n\
         ensure_pki\nmember_on_disk && settled\nphase rejoin rejoin"
    );
    let said = with_library(&control_plane(), &scratch, &commands);
    assert!(said.ok, "{}{}", said.out, said.err);
    let phases: Vec<_> = asked(world.path()).split_off(before);
    assert!(phases.iter().all(|line| line.starts_with("a init phase ")), "{phases:?}");
    assert!(scratch.join("pki/ca.key").exists());
}

#[test]
fn a_disk_of_another_cluster_is_left_alone() {
    let scratch = tempfile::tempdir().expect("a folder");
    let commands = "mkdir -p $ETCD/clusterctl; printf other >$ETCD/clusterctl/uid\nclaim_disk";
    let said = with_library(&control_plane(), scratch.path(), commands);
    assert!(!said.ok && said.out.contains("belongs to the cluster other"), "{}", said.out);
    let scratch = tempfile::tempdir().expect("a folder");
    let said = with_library(&control_plane(), scratch.path(), "mkdir -p $ETCD/data/member\nclaim_disk");
    assert!(!said.ok && said.out.contains("not ours"), "{}", said.out);
}

#[test]
fn a_lock_without_a_beat_is_taken_over_and_its_holder_notices() {
    let scratch = tempfile::tempdir().expect("a folder");
    let commands = format!(
        "{STORE}\nNODE_NAME=a; LEASE=1\nsecret_put control-plane/lock/1 'dead x 3'\nlock\necho \"$LOCK\"\nstill_ours\n\
         secret_create control-plane/lock/3 'b y 0'\nstill_ours"
    );
    let inner = scratch.path().join("a");
    std::fs::create_dir_all(&inner).expect("a folder");
    let said = with_library(&control_plane(), &inner, &commands);
    assert!(said.out.starts_with("2\n"), "{}{}", said.out, said.err);
    assert!(!said.ok && said.out.contains("took too long: b has taken over"), "{}", said.out);
}

#[test]
fn a_lock_that_beats_is_not_taken() {
    let scratch = tempfile::tempdir().expect("a folder");
    let inner = scratch.path().join("a");
    std::fs::create_dir_all(&inner).expect("a folder");
    let commands = format!(
        "{STORE}\nNODE_NAME=a; LEASE=2\n( for i in $(seq 60); do secret_put control-plane/lock/1 \"b x $i\"; command sleep 0.05; done\n\
         secret_put control-plane/lock/1 free ) &\ncommand sleep 0.2\nlock\nsecret_get control-plane/lock/1"
    );
    let said = with_library(&control_plane(), &inner, &commands);
    assert!(said.ok && said.out.ends_with("free"), "{}{}", said.out, said.err);
}

#[test]
fn a_worker_joins_with_material_that_has_not_run_out() {
    let scratch = tempfile::tempdir().expect("a folder");
    let inner = scratch.path().join("w");
    std::fs::create_dir_all(&inner).expect("a folder");
    let hash = "0".repeat(64);
    let commands = format!(
        "{STORE}\nsecret_put join/material \"abcdef.0123456789abcdef sha256:{hash} $((EPOCHSECONDS - 1))\"\n\
         ! join_material\nsecret_put join/material \"abcdef.0123456789abcdef sha256:{hash} $((EPOCHSECONDS + 600))\"\n\
         join_material\necho \"${{HOLES[token]}}\""
    );
    let said = with_library(&worker(), &inner, &commands);
    assert!(said.ok && said.out == "abcdef.0123456789abcdef\n", "{}{}", said.out, said.err);
}
