//! What the newtypes take and refuse.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::gpu::GpuRequest;
use super::*;

fn accepts<T: Word>(texts: &[&str]) {
    for text in texts {
        match text.parse::<T>() {
            Ok(value) => assert_eq!(value.to_string(), *text, "{} prints another text", T::FORMAT),
            Err(error) => unreachable!("{} refuses {text:?}: {error}", T::FORMAT),
        }
    }
}

fn refusals<T: Word>(texts: &[&str], expected: &Expect) {
    let lines = texts.iter().map(|text| match text.parse::<T>() {
        Ok(_) => format!("{}: TAKEN", shown(text)),
        Err(error) => format!("{}: {error} -> {}", shown(text), error.right()),
    });
    expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

/// Text that has broken other programs.
pub(crate) const HOSTILE: &[&str] = &[
    "",
    " ",
    ".",
    "..",
    "../../etc/passwd",
    "/",
    "\0",
    "a\0b",
    "a\nb",
    "a\r\nb",
    "\u{202e}nimda",
    "a\u{200b}b",
    "\u{feff}demo",
    "dеmo",
    "ｄｅｍｏ",
    "demo\u{301}",
    "-demo",
    "demo-",
    "Demo",
    "1demo",
    "con",
    "default",
    "null",
    "~",
    "true",
    "$(reboot)",
    "`reboot`",
    "${HOME}",
    "%{ if }",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "'; drop table x; --",
    "\"; reboot; \"",
    "\\",
    "\u{1b}[31mred",
    "::error::x",
    "a b",
    "a,b",
    "a:b",
    "a=b",
    "*",
    "&a",
    "!!python/object",
    "😀",
];

#[test]
fn whatever_is_refused_is_refused_in_words_that_obey_no_terminal() {
    let formats = [
        AmiId::FORMAT,
        CapacityReservationId::FORMAT,
        Cidr::FORMAT,
        ClusterName::FORMAT,
        DiskSize::FORMAT,
        DnsZone::FORMAT,
        Duration::FORMAT,
        GpuModel::FORMAT,
        GpuRequest::FORMAT,
        GroupName::FORMAT,
        KubernetesVersion::FORMAT,
        LabelKey::FORMAT,
        LabelValue::FORMAT,
        MachineType::FORMAT,
        MemorySize::FORMAT,
        RegionName::FORMAT,
        ResourceId::FORMAT,
        SshKey::FORMAT,
        TagKey::FORMAT,
        TagValue::FORMAT,
        Taint::FORMAT,
        ZoneName::FORMAT,
    ];
    for text in crate::hostile::strings() {
        for format in formats {
            if let Some(Err(error)) = check(format, &text) {
                let message = format!("{error} {}", error.right());
                let obeyed = |c: char| c.is_control() || "\u{202e}\u{200b}\u{feff}".contains(c);
                assert!(!message.contains(obeyed), "{format}: {message:?}");
            }
        }
    }
}

#[test]
fn hostile_text_is_no_name_and_its_message_obeys_no_terminal() {
    for text in HOSTILE {
        for refused in [
            text.parse::<ClusterName>().map(drop),
            text.parse::<GroupName>().map(drop),
            text.parse::<Cidr>().map(drop),
            text.parse::<KubernetesVersion>().map(drop),
            text.parse::<MemorySize>().map(drop),
            text.parse::<DiskSize>().map(drop),
            text.parse::<Duration>().map(drop),
            text.parse::<SshKey>().map(drop),
            text.parse::<DnsZone>().map(drop),
            text.parse::<Taint>().map(drop),
            text.parse::<GpuModel>().map(drop),
            text.parse::<GpuRequest>().map(drop),
            text.parse::<AmiId>().map(drop),
            text.parse::<CapacityReservationId>().map(drop),
        ] {
            let error = refused.expect_err(text);
            let message = format!("{error} {}", error.right());
            assert!(!message.chars().any(|c| c.is_control() || "\u{202e}\u{200b}\u{feff}".contains(c)), "{message:?}");
        }
    }
}

#[test]
fn names_are_taken_at_their_limit_and_refused_beyond() {
    accepts::<ClusterName>(&["a", "demo", "review-42", &"a".repeat(28)]);
    accepts::<GroupName>(&["general", "gpu", &"a".repeat(20)]);
    assert!("a".repeat(29).parse::<ClusterName>().is_err());
    assert!("a".repeat(21).parse::<GroupName>().is_err());
    refusals::<ClusterName>(
        &["", "My_Cluster", "1st", "demo-", "default", "dеmo", &"a".repeat(29)],
        &expect![[r#"
        "": is empty -> lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28
        "My_Cluster": "My_Cluster" has "M", which is not allowed -> my-cluster: lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28
        "1st": "1st" does not start with a letter -> lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28
        "demo-": "demo-" ends with a hyphen -> lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28
        "default": "default" is reserved: it says nothing about which cluster is meant -> another name: lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28
        "dеmo": "dеmo" has "е", which is not allowed -> d-mo: lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa": has 29 characters, 28 are allowed -> lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28"#]],
    );
    refusals::<GroupName>(
        &["control-plane", "bastion"],
        &expect![[r#"
        "control-plane": "control-plane" is reserved: the control plane's machines have this name -> another name: lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 20
        "bastion": "bastion" is reserved: the bastion's machine has this name -> another name: lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 20"#]],
    );
}

#[test]
fn places_and_ids_are_as_clouds_write_them() {
    accepts::<RegionName>(&["eu-central-1", "us-gov-west-1", "westeurope", "europe-west1", "RegionOne"]);
    accepts::<ZoneName>(&["eu-central-1a", "us-west-2-lax-1a", "europe-west1-b", "1", "nova"]);
    accepts::<MachineType>(&["m7i.xlarge", "n2-standard-4", "Standard_D4s_v5", "u-6tb1.112xlarge"]);
    accepts::<ResourceId>(&["vpc-0abc1234", "/subscriptions/1/resourceGroups/a/providers/b", "projects/p/global/x"]);
    accepts::<AmiId>(&["ami-0123456789abcdef0", "ami-01234567"]);
    accepts::<CapacityReservationId>(&["cr-0123456789abcdef0"]);
    refusals::<ResourceId>(
        &["vpc 1", "a/../b"],
        &expect![[r#"
        "vpc 1": "vpc 1" has " ", which is not allowed -> the id that the cloud shows, as in vpc-0abc1234
        "a/../b": "a/../b" climbs out of its own path -> the id that the cloud shows, as in vpc-0abc1234"#]],
    );
    refusals::<AmiId>(
        &["ami-xyz", "ubuntu"],
        &expect![[r#"
        "ami-xyz": "ami-xyz" is not such an id -> ami- and 8 to 17 hexadecimal digits, as in ami-0123456789abcdef0
        "ubuntu": "ubuntu" is not such an id -> ami- and 8 to 17 hexadecimal digits, as in ami-0123456789abcdef0"#]],
    );
}

#[test]
fn versions_are_ordered_and_stay_text() {
    accepts::<KubernetesVersion>(&["1.30", "1.36", "1.36.3", "1.36.0"]);
    let mut versions: Vec<KubernetesVersion> =
        ["1.36.10", "1.9", "1.36.2", "1.36"].iter().map(|text| text.parse().expect("version")).collect();
    versions.sort();
    let sorted: Vec<String> = versions.iter().map(ToString::to_string).collect();
    assert_eq!(sorted, ["1.9", "1.36", "1.36.2", "1.36.10"]);
    assert!(version::DEFAULT.is_supported());
    assert!(version::SUPPORTED.is_sorted());
    assert!("1.36.3".parse::<KubernetesVersion>().expect("version").is_supported());
    assert!(!"1.30".parse::<KubernetesVersion>().expect("version").is_supported());
    refusals::<KubernetesVersion>(
        &["v1.36.3", "1", "1.36.x", "2.1", "1.036", "latest", "1.3e1"],
        &expect![[r#"
        "v1.36.3": "v1.36.3" starts with a v -> 1.36.3
        "1": "1" is not a Kubernetes version -> a minor release as in 1.36, or an exact one as in 1.36.3
        "1.36.x": "1.36.x" is not a Kubernetes version -> a minor release as in 1.36, or an exact one as in 1.36.3
        "2.1": "2.1" is not a Kubernetes version -> a minor release as in 1.36, or an exact one as in 1.36.3
        "1.036": "1.036" is not a Kubernetes version -> a minor release as in 1.36, or an exact one as in 1.36.3
        "latest": "latest" is not a Kubernetes version -> a minor release as in 1.36, or an exact one as in 1.36.3
        "1.3e1": "1.3e1" is not a Kubernetes version -> a minor release as in 1.36, or an exact one as in 1.36.3"#]],
    );
}

#[test]
fn a_network_has_no_host_bits() {
    accepts::<Cidr>(&["0.0.0.0/0", "10.20.0.0/16", "192.168.1.1/32"]);
    refusals::<Cidr>(
        &["10.20.3.0/16", "10.20.0.0", "10.20.0.0/33", "10.20.0/16", "2001:db8::/32", "10.0.0.0/016", "010.0.0.0/8"],
        &expect![[r#"
            "10.20.3.0/16": 10.20.3.0/16 has host bits set -> 10.20.0.0/16
            "10.20.0.0": 10.20.0.0 has no prefix length -> 10.20.0.0/32
            "10.20.0.0/33": "10.20.0.0/33" is not an IPv4 network -> an IPv4 network as in 10.20.0.0/16
            "10.20.0/16": "10.20.0/16" is not an IPv4 network -> an IPv4 network as in 10.20.0.0/16
            "2001:db8::/32": "2001:db8::/32" looks like IPv6, which is not supported -> an IPv4 network as in 10.20.0.0/16
            "10.0.0.0/016": "10.0.0.0/016" is not an IPv4 network -> an IPv4 network as in 10.20.0.0/16
            "010.0.0.0/8": "010.0.0.0/8" has leading zeros -> 10.0.0.0/8"#]],
    );
}

#[test]
fn quantities_have_units() {
    accepts::<MemorySize>(&["512Mi", "16Gi", "1537Mi"]);
    accepts::<DiskSize>(&["100Gi"]);
    accepts::<Duration>(&["8h", "1m30s", "1h30m", "2d", "1d1h1m1s"]);
    assert_eq!("1Ti".parse::<MemorySize>().expect("size").mebibytes(), 1024 * 1024);
    assert_eq!("2048Mi".parse::<MemorySize>().expect("size").to_string(), "2Gi");
    assert_eq!("2Ti".parse::<DiskSize>().expect("size").gibibytes(), 2048);
    assert_eq!("90m".parse::<Duration>().expect("span").to_string(), "1h30m");
    refusals::<MemorySize>(
        &["16", "16GB", "0Gi", "-1Gi", "1.5Gi", "16 Gi", "99999999999Ti"],
        &expect![[r#"
        "16": 16 has no unit -> 16Gi or 16Mi
        "16GB": 16GB has another unit than Mi, Gi or Ti -> 16Gi
        "0Gi": 0Gi is nothing -> a number and Mi, Gi or Ti, as in 16Gi
        "-1Gi": "-1Gi" is not a size -> a number and Mi, Gi or Ti, as in 16Gi
        "1.5Gi": "1.5Gi" is not a size -> a number and Mi, Gi or Ti, as in 16Gi
        "16 Gi": "16 Gi" is not a size -> a number and Mi, Gi or Ti, as in 16Gi
        "99999999999Ti": 99999999999Ti is more than any machine has -> a number and Mi, Gi or Ti, as in 16Gi"#]],
    );
    refusals::<DiskSize>(
        &["1500Mi", "100G"],
        &expect![[r#"
        "1500Mi": 1500Mi is not a whole number of GiB -> 2Gi
        "100G": 100G has another unit than Mi, Gi or Ti -> 100Gi"#]],
    );
    refusals::<Duration>(
        &["8", "0h", "1m1h", "1h1h", "8 hours", "99999999999d", "-8h"],
        &expect![[r#"
        "8": "8" is not a duration -> a number and d, h, m or s, largest first, as in 8h or 1h30m
        "0h": 0h is no time at all -> a number and d, h, m or s, largest first, as in 8h or 1h30m
        "1m1h": "1m1h" is not a duration -> a number and d, h, m or s, largest first, as in 8h or 1h30m
        "1h1h": "1h1h" is not a duration -> a number and d, h, m or s, largest first, as in 8h or 1h30m
        "8 hours": "8 hours" is not a duration -> a number and d, h, m or s, largest first, as in 8h or 1h30m
        "99999999999d": "99999999999d" is not a duration -> a number and d, h, m or s, largest first, as in 8h or 1h30m
        "-8h": "-8h" is not a duration -> a number and d, h, m or s, largest first, as in 8h or 1h30m"#]],
    );
}

#[test]
fn labels_taints_and_tags_keep_kubernetes_and_cloud_rules() {
    accepts::<LabelKey>(&["team", "example.com/team", "A", &"a".repeat(63), "app.kubernetes.io/name"]);
    accepts::<LabelValue>(&["", "vision", "1.2_x", &"a".repeat(63)]);
    accepts::<Taint>(&["nvidia.com/gpu=present:NoSchedule", "dedicated:NoExecute", "a=b:PreferNoSchedule"]);
    accepts::<TagKey>(&["cost-center", "Kostenstelle ä", "a:b/c", &"a".repeat(128)]);
    accepts::<TagValue>(&["", "research + co", &"a".repeat(256)]);
    refusals::<LabelKey>(
        &["", "-a", "a/b/c", "Example.com/a", "/a", "a/", &"a".repeat(64), "team lead"],
        &expect![[r#"
            "": is empty -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
            "-a": "-a" is not a label -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
            "a/b/c": "b/c" is not a label -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
            "Example.com/a": "Example.com" is not a domain -> a name, or a domain, a slash and a name, as in example.com/team
            "/a": is empty -> a name, or a domain, a slash and a name, as in example.com/team
            "a/": is empty -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…": has 64 characters, 63 are allowed -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
            "team lead": "team lead" is not a label -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters"#]],
    );
    refusals::<LabelValue>(
        &["a b", ".a", &"a".repeat(64)],
        &expect![[r#"
        "a b": "a b" is not a label -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
        ".a": ".a" is not a label -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…": has 64 characters, 63 are allowed -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters"#]],
    );
    refusals::<Taint>(
        &["gpu", "gpu:noschedule", "gpu:Never", "a b:NoSchedule"],
        &expect![[r#"
        "gpu": "gpu" has no effect -> key=value:Effect with an effect of NoSchedule, PreferNoSchedule or NoExecute
        "gpu:noschedule": "noschedule" is not an effect -> NoSchedule
        "gpu:Never": "Never" is not an effect -> key=value:Effect with an effect of NoSchedule, PreferNoSchedule or NoExecute
        "a b:NoSchedule": "a b" is not a label -> letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters"#]],
    );
    refusals::<TagKey>(
        &["aws:x", "AWS:x", "Name", "clusterctl.dev/uid", "a\nb", "a<b", " a", &"a".repeat(129)],
        &expect![[r#"
            "aws:x": "aws:x" is reserved: AWS keeps it for itself -> a key of your own, as in cost-center
            "AWS:x": "AWS:x" is reserved: AWS keeps it for itself -> a key of your own, as in cost-center
            "Name": "Name" is reserved: every resource gets its own name there -> a key of your own, as in cost-center
            "clusterctl.dev/uid": "clusterctl.dev/uid" is reserved: clusterctl proves with it what belongs to a cluster -> a key of your own, as in cost-center
            "a\nb": "a\nb" has "\n", which is not allowed -> letters, digits, blanks and _ . : / = + - @, at most 128 characters
            "a<b": "a<b" has "<", which is not allowed -> letters, digits, blanks and _ . : / = + - @, at most 128 characters
            " a": " a" starts or ends with a blank -> letters, digits, blanks and _ . : / = + - @, at most 128 characters
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…": has 129 characters, 128 are allowed -> letters, digits, blanks and _ . : / = + - @, at most 128 characters"#]],
    );
    refusals::<TagValue>(
        &["a\u{0}", "a;b"],
        &expect![[r#"
        "a\0": "a\0" has "\0", which is not allowed -> letters, digits, blanks and _ . : / = + - @, at most 256 characters
        "a;b": "a;b" has ";", which is not allowed -> letters, digits, blanks and _ . : / = + - @, at most 256 characters"#]],
    );
}

const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

#[test]
fn keys_are_read_to_their_end() {
    let key: SshKey = format!("{ED25519} anna@example.com").parse().expect("key");
    assert_eq!(key.algorithm(), SshAlgorithm::Ed25519);
    assert_eq!(key.without_comment(), ED25519);
    assert_eq!(ED25519.parse::<SshKey>().expect("key").without_comment(), ED25519);
    let rsa = |bytes: usize| {
        use base64::Engine as _;
        let mut blob = Vec::new();
        for field in [b"ssh-rsa".to_vec(), vec![1, 0, 1], [vec![0], vec![0xab; bytes]].concat()] {
            blob.extend(u32::try_from(field.len()).expect("small").to_be_bytes());
            blob.extend(field);
        }
        format!("ssh-rsa {}", base64::engine::general_purpose::STANDARD.encode(blob))
    };
    assert_eq!(rsa(256).parse::<SshKey>().expect("key").algorithm(), SshAlgorithm::Rsa);
    let cut = &ED25519[..ED25519.len() - 4];
    let other = ED25519.replacen("ssh-ed25519", "ssh-rsa", 1);
    refusals::<SshKey>(
        &[
            cut,
            &other,
            &rsa(128),
            "ssh-dss AAAA",
            "ssh-ed25519",
            "ssh-ed25519 not-base64",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA",
            &format!("{ED25519}\n{ED25519}"),
        ],
        &expect![[r#"
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8Q…": the ssh-ed25519 key is damaged or was cut -> one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment
            "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERIT…": the ssh-rsa key is damaged or was cut -> one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCrq6urq6urq6urq6urq6ur…": the RSA key has 1024 bits, fewer than clouds accept -> an ed25519 key, or RSA with at least 2048 bits
            "ssh-dss AAAA": "ssh-dss" is no key algorithm that is accepted -> one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment
            "ssh-ed25519": the ssh-ed25519 key is damaged or was cut -> one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment
            "ssh-ed25519 not-base64": the ssh-ed25519 key is damaged or was cut -> one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA": is a private key, which must not leave your machine -> one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8Q…": has a line break or another control character -> one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment"#]],
    );
}

#[test]
fn domains_are_lower_case_and_whole() {
    accepts::<DnsZone>(&["example.com", "k8s.internal.example.com", "xn--bcher-kva.example"]);
    refusals::<DnsZone>(
        &[
            "example.com.",
            "Example.com",
            "a\u{1b}[2J.",
            "A\u{1b}[2J",
            "com",
            "a..b",
            "-a.com",
            "x.cluster.local",
            "exämple.com",
        ],
        &expect![[r#"
            "example.com.": "example.com." ends with a dot -> example.com
            "Example.com": "Example.com" has capital letters -> example.com
            "a\u{1b}[2J.": "a\u{1b}[2J." ends with a dot -> a domain in lower case, as in example.com
            "A\u{1b}[2J": "A\u{1b}[2J" has capital letters -> a domain in lower case, as in example.com
            "com": "com" is one label, not a domain -> a domain in lower case, as in example.com
            "a..b": "" is not a label of a domain -> a domain in lower case, as in example.com
            "-a.com": "-a" is not a label of a domain -> a domain in lower case, as in example.com
            "x.cluster.local": "x.cluster.local" is reserved: the cluster answers for it itself -> a domain in lower case, as in example.com
            "exämple.com": "exämple" is not a label of a domain -> a domain in lower case, as in example.com"#]],
    );
}

#[test]
fn gpus_are_known_models() {
    for model in GpuModel::ALL {
        assert_eq!(model.as_str().parse(), Ok(model));
    }
    assert_eq!("a100".parse(), Ok(GpuModel::A100With80Gb));
    let request: GpuRequest = "a10g".parse().expect("request");
    assert_eq!(request.to_string(), "a10g:1");
    assert_eq!("h100:8".parse::<GpuRequest>().expect("request").count.get(), 8);
    refusals::<GpuModel>(
        &["A10G", "a10", "h100x", "rtx4090"],
        &expect![[r#"
        "A10G": "A10G" has capital letters -> a10g
        "a10": "a10" is no GPU model that is known here -> a10g, or another one of t4, v100, a10g, l4, l40s, a100-40gb, a100-80gb, h100, h200, b200
        "h100x": "h100x" is no GPU model that is known here -> h100, or another one of t4, v100, a10g, l4, l40s, a100-40gb, a100-80gb, h100, h200, b200
        "rtx4090": "rtx4090" is no GPU model that is known here -> one of t4, v100, a10g, l4, l40s, a100-40gb, a100-80gb, h100, h200, b200"#]],
    );
    refusals::<GpuRequest>(
        &["a10g:0", "a10g:17", "a10g:", "a10g:+1", "t5:1", ":1"],
        &expect![[r#"
        "a10g:0": "0" is not a number of GPUs -> a10g:N with N from 1 to 16, as in a10g:1
        "a10g:17": "17" is not a number of GPUs -> a10g:N with N from 1 to 16, as in a10g:1
        "a10g:": "" is not a number of GPUs -> a10g:N with N from 1 to 16, as in a10g:1
        "a10g:+1": "+1" is not a number of GPUs -> a10g:N with N from 1 to 16, as in a10g:1
        "t5:1": "t5" is no GPU model that is known here -> one of t4, v100, a10g, l4, l40s, a100-40gb, a100-80gb, h100, h200, b200
        ":1": is empty -> one of t4, v100, a10g, l4, l40s, a100-40gb, a100-80gb, h100, h200, b200"#]],
    );
}

#[test]
fn every_format_leads_to_its_parser() {
    assert_eq!(check("cluster-name", "demo"), Some(Ok(())));
    assert!(matches!(check("ipv4-cidr", "demo"), Some(Err(_))));
    assert_eq!(check("uint8", "demo"), None);
}

proptest! {
    /// Overlap, containment and size against the plain list of addresses, in a small corner of the address space.
    #[test]
    fn overlap_agrees_with_brute_force(a in 0_u32..256, b in 0_u32..256, p in 24_u8..=32, q in 24_u8..=32) {
        let net = |host: u32, prefix: u8| {
            Cidr::from(ipnet::Ipv4Net::new((0x0a00_0000 + host).into(), prefix).expect("prefix"))
        };
        let addresses = |cidr: Cidr| -> std::collections::BTreeSet<u32> {
            (0x0a00_0000_u32..0x0a00_0100).filter(|at| cidr.net().contains(&std::net::Ipv4Addr::from(*at))).collect()
        };
        let (x, y) = (net(a, p), net(b, q));
        let (in_x, in_y) = (addresses(x), addresses(y));
        prop_assert_eq!(x.overlaps(y), in_x.intersection(&in_y).next().is_some());
        prop_assert_eq!(x.contains(y), in_x.is_superset(&in_y));
        prop_assert_eq!(x.addresses(), in_x.len() as u64);
    }

    /// Whatever parses prints as text that parses to the same.
    #[test]
    fn what_parses_prints_as_itself(text in "[0-9]{1,4}(Mi|Gi|Ti|h|m|s|h[0-9]{1,2}m)") {
        if let Ok(size) = text.parse::<MemorySize>() {
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
        if let Ok(span) = text.parse::<Duration>() {
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
