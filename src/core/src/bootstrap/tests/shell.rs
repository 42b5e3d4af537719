//! The script's small functions under a real bash, with the commands they call replaced.

use super::*;

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn says(config: &NodeConfig, commands: &str) -> String {
    let scratch = scratch();
    let said = with_library(config, scratch.path(), commands);
    assert!(said.ok, "{}{}", said.out, said.err);
    said.out
}

#[test]
fn the_node_ip_is_the_one_in_a_node_subnet_whatever_the_order_of_cards() {
    let scratch = scratch();
    stub(
        scratch.path(),
        "ip",
        "echo '1: lo    inet 127.0.0.1/8 scope host lo'\n\
         echo '3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0'\n\
         echo '2: eth1    inet 10.9.0.7/24 brd 10.9.0.255 scope global dynamic eth1'\n\
         echo '4: eth0    inet 10.20.63.255/19 brd 10.20.63.255 scope global dynamic eth0'",
    );
    let said = with_library(&worker(), scratch.path(), "node_ip");
    assert_eq!(said.out, "10.20.63.255\n", "{}", said.err);
    let said = with_library(&worker(), scratch.path(), "CCTL_NODE_SUBNETS='10.21.0.0/16 192.168.0.0/24'\nnode_ip");
    assert!(!said.ok && said.out.contains("no address of this machine lies in a node subnet"), "{}", said.out);
}

#[test]
fn subnets_are_compared_by_their_bits() {
    let cases = [
        ("10.20.0.0", "10.20.0.0/19", true),
        ("10.20.31.255", "10.20.0.0/19", true),
        ("10.20.32.0", "10.20.0.0/19", false),
        ("255.255.255.255", "0.0.0.0/0", true),
        ("192.168.1.1", "192.168.1.1/32", true),
        ("192.168.1.2", "192.168.1.1/32", false),
        ("128.0.0.1", "0.0.0.0/1", false),
    ];
    for (address, subnet, inside) in cases {
        let answer = says(&worker(), &format!("if in_subnet {address} {subnet}; then echo yes; else echo no; fi"));
        assert_eq!(answer.trim() == "yes", inside, "{address} in {subnet}");
    }
}

/// `blkid`, `blockdev` and friends for a disk that is an ordinary file; what would change it is only written down.
fn disk(scratch: &std::path::Path, blkid_says: i32) {
    stub(
        scratch,
        "blkid",
        &format!("case \"$*\" in *LABEL*) cat $T/label 2>/dev/null;; *UUID*) echo 11-22;; *) exit {blkid_says};; esac"),
    );
    stub(scratch, "blockdev", "stat -c %s \"$2\"");
    stub(
        scratch,
        "mkfs.ext4",
        "echo \"mkfs.ext4 $*\" >>$T/did; while [ $# -gt 0 ]; do [ \"$1\" = -L ] && echo \"$2\" >$T/label; shift; done",
    );
    for name in ["mount", "systemctl"] {
        stub(scratch, name, &format!("echo \"{name} $*\" >>$T/did"));
    }
    stub(scratch, "mountpoint", "exit 1");
    // /etc/fstab of this machine stays as it is: the library's grep finds the line.
    stub(scratch, "grep", "exit 0");
}

fn did(scratch: &std::path::Path) -> String {
    std::fs::read_to_string(scratch.join("did")).unwrap_or_default()
}

#[test]
fn only_a_blank_disk_is_formatted() {
    let scratch = scratch();
    disk(scratch.path(), 2);
    let said =
        with_library(&control_plane(), scratch.path(), "truncate -s 8M $T/disk\nmount_disk $T/disk cctl-etcd $T/mnt");
    assert!(said.ok, "{}{}", said.out, said.err);
    assert!(did(scratch.path()).starts_with("mkfs.ext4 -q -m 0 -L cctl-etcd"), "{}", did(scratch.path()));
}

#[test]
fn a_disk_with_anything_on_it_is_left_alone() {
    // What blkid does not know may still be somebody's data: at the start, at the end, or unreadable.
    let writes = [
        ("printf x | dd of=$T/disk conv=notrunc status=none", 2),
        ("printf x | dd of=$T/disk bs=1 seek=8388600 conv=notrunc status=none", 2),
        ("true", 0),
        ("true", 4),
        ("true", 8),
        ("truncate -s 1M $T/disk", 2),
    ];
    for (write, blkid_says) in writes {
        let scratch = scratch();
        disk(scratch.path(), blkid_says);
        let commands = format!("truncate -s 8M $T/disk\n{write}\nmount_disk $T/disk cctl-etcd $T/mnt");
        let said = with_library(&control_plane(), scratch.path(), &commands);
        assert!(!said.ok && said.out.contains("is not ours"), "{write}: {}{}", said.out, said.err);
        assert_eq!(did(scratch.path()), "", "{write}");
    }
}

#[test]
fn a_disk_that_is_already_ours_is_mounted_and_not_formatted() {
    let scratch = scratch();
    disk(scratch.path(), 0);
    let commands = "truncate -s 8M $T/disk\necho cctl-etcd >$T/label\nmount_disk $T/disk cctl-etcd $T/mnt";
    let said = with_library(&control_plane(), scratch.path(), commands);
    assert!(said.ok, "{}{}", said.out, said.err);
    assert!(!did(scratch.path()).contains("mkfs") && did(scratch.path()).contains("mount "), "{}", did(scratch.path()));
}

#[test]
fn a_volume_is_found_by_its_serial_number_only() {
    let disks = "for d in nvme0n1:vol0root nvme1n1:vol0abc1234def567890 nvme2n1:vol0other; do\n\
        mkdir -p $SYS_BLOCK/${d%:*}/device; echo \"${d#*:}   \" >$SYS_BLOCK/${d%:*}/device/serial\n\
        echo 'Amazon Elastic Block Store' >$SYS_BLOCK/${d%:*}/device/model; done\n\
        mkdir -p $SYS_BLOCK/nvme0n1/nvme0n1p1\n";
    let find = format!("{disks}cloud_disk vol-0abc1234def567890\n! cloud_disk vol-0missing");
    assert_eq!(says(&control_plane(), &find), "/dev/nvme1n1\n");
    // For data: not the one with partitions, and not etcd's.
    let data = format!("{disks}CCTL_ETCD_VOLUME=vol-0abc1234def567890\ncloud_data_disks");
    assert_eq!(says(&worker(), &data), "/dev/nvme2n1\n");
    let local = format!("{disks}CCTL_DATA_DISK=instance-store\ncloud_data_disks");
    assert_eq!(says(&worker(), &local), "");
}

/// Test suite of Signature Version 4 as AWS published it: `post-vanilla`, `post-header-key-sort`, and the derived
/// key's own example is covered by them.
#[test]
fn the_signer_agrees_with_the_published_vectors() {
    let sign = |headers: &str| {
        let commands = format!(
            "sigv4 AKIDEXAMPLE wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY us-east-1 service 20150830T123600Z $'{headers}' ''"
        );
        says(&worker(), &commands)
    };
    assert_eq!(
        sign("host:example.amazonaws.com\\nx-amz-date:20150830T123600Z"),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, \
         Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    );
    assert_eq!(
        sign("host:example.amazonaws.com\\nmy-header1:value1\\nx-amz-date:20150830T123600Z"),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders=host;my-header1;x-amz-date, \
         Signature=c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"
    );
}

#[test]
fn hmac_agrees_with_rfc_4231() {
    let hmac = |key: &str, text: &str| says(&worker(), &format!("hmac {key} '{text}'"));
    assert_eq!(hmac(&"0b".repeat(20), "Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_eq!(
        hmac("4a656665", "what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn a_file_is_used_only_when_its_sum_is_the_pinned_one() {
    let fetch = |content: &str| {
        let scratch = scratch();
        let mut config = worker();
        config.checksums = [(
            "dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubelet".to_owned(),
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned(),
        )]
        .into();
        stub(scratch.path(), "uname", "echo x86_64");
        stub(
            scratch.path(),
            "curl",
            &format!("echo \"$*\" >$T/asked; while [ \"$1\" != -o ]; do shift; done; printf {content} >\"$2\""),
        );
        let said = with_library(&config, scratch.path(), "fetch kubelet $T/kubelet");
        let asked = std::fs::read_to_string(scratch.path().join("asked")).expect("curl was asked");
        assert!(asked.contains("https://mirror.example.com/files/dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubelet"));
        said
    };
    assert!(fetch("hello").ok);
    let said = fetch("hellO");
    assert!(!said.ok && said.out.contains("is not what its sha256"), "{}", said.out);
}

#[test]
fn a_failure_is_one_line_that_can_be_read_back() {
    let scratch = scratch();
    let commands = "break_it() { false --with 'quotes'; }\nphase containerd break_it";
    let said = with_library(&worker(), scratch.path(), commands);
    assert!(!said.ok);
    let console = std::fs::read_to_string(scratch.path().join("console")).expect("the console");
    assert_eq!(console.lines().count(), 1, "a file keeps the last line only: {console}");
    for text in [said.out, console] {
        let reports = console::parse(&text);
        let failed = reports.last().expect("a report");
        assert_eq!((failed.phase.as_str(), failed.state), ("containerd", PhaseState::Failed));
        assert!(failed.line.is_some());
        assert_eq!(failed.message.as_deref(), Some("exit 1 of: false --with 'quotes'"));
    }
}

#[test]
fn a_message_survives_its_subshell_and_stays_on_one_line() {
    let said = with_library(
        &worker(),
        scratch().path(),
        "f() { die $'two\\nlines\\e[31m'; }\ng() { local x; x=$(f); }\nphase p g",
    );
    let reports = console::parse(&said.out);
    assert_eq!(reports.last().and_then(|report| report.message.as_deref()), Some("two lines [31m"));
}

#[test]
fn tokens_are_masked_in_what_kubeadm_says() {
    let scratch = scratch();
    stub(
        scratch.path(),
        "kubeadm",
        "echo 'Using token: abcdef.0123456789abcdef'; echo 'error: no luck with abcdef.0123456789abcdef' >&2; exit 3",
    );
    let said = with_library(&worker(), scratch.path(), "f() { kubeadm_run '{}' join || exit 1; }\nphase join f");
    assert!(!said.ok && said.out.contains("kubeadm join: error: no luck with ******"), "{}", said.out);
    let log = std::fs::read_to_string(scratch.path().join("kubeadm.log")).expect("the log");
    assert!(log.contains("Using token: ******") && !log.contains("0123456789abcdef"), "{log}");
    assert!(!scratch.path().join("run/kubeadm.yaml").exists());
}

#[test]
fn the_kubelet_patch_is_json_for_small_and_large_machines() {
    let scratch = scratch();
    stub(scratch.path(), "systemctl", "exit 3");
    let said = with_library(
        &worker(),
        scratch.path(),
        "kubelet_patch 1900 2\nkubelet_patch 65536 16\nPROTECT=false\nkubelet_patch 4000 1",
    );
    let patches: Vec<serde_json::Value> =
        said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(patches[0]["evictionHard"]["memory.available"], "200Mi");
    assert_eq!(patches[0]["systemReserved"]["memory"], "118Mi");
    assert_eq!(patches[1]["systemReserved"]["memory"], "1024Mi");
    assert_eq!(patches[1]["systemReserved"]["cpu"], "500m");
    assert_eq!(patches[1]["protectKernelDefaults"], true);
    assert_eq!(patches[2]["protectKernelDefaults"], false);
}
