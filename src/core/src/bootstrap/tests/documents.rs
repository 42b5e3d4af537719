//! What kubeadm and the API server are given.

use serde_json::Value;

use super::*;

/// A document of the script as the node fills it, through the script's own functions.
fn filled(config: &NodeConfig, name: &str) -> String {
    let scratch = tempfile::tempdir().expect("a folder");
    let commands = format!(
        "hole node-ip '.*' 10.20.1.5\nhole node-name '.*' ip-10-20-1-5.eu-central-1.compute.internal\n\
         hole endpoint '.*' \"$CCTL_API_ENDPOINT\"\nhole provider-id '.*' aws:///eu-central-1a/i-0abc\n\
         hole labels '.*' \"$CCTL_LABELS\"\nhole token '.*' abcdef.0123456789abcdef\n\
         hole ca-hash '.*' sha256:{hash}\nhole certificates '.*' /etc/kubernetes/pki\n\
         hole encryption-key '.*' {key}=\nfill \"${name}\"",
        hash = "ab".repeat(32),
        key = "A".repeat(43),
    );
    let said = with_library(config, scratch.path(), &commands);
    assert!(said.ok, "{}{}", said.out, said.err);
    said.out
}

fn documents(config: &NodeConfig, name: &str) -> Vec<Value> {
    filled(config, name).split("---\n").map(|text| serde_json::from_str(text).expect("JSON")).collect()
}

#[test]
fn kubeadm_itself_accepts_every_document() {
    let Some(kubeadm) = std::env::var_os("KUBEADM").or_else(|| {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join("kubeadm"))
            .find(|file| file.exists())
            .map(Into::into)
    }) else {
        script::eprintln_skipped("kubeadm is neither on the PATH nor in $KUBEADM");
        return;
    };
    let kubeadm = kubeadm.into_string().expect("a path");
    let mut local = control_plane();
    local.kubernetes = "1.36.3".to_owned();
    for text in [filled(&local, "CCTL_INIT"), filled(&local, "CCTL_JOIN"), filled(&worker(), "CCTL_JOIN")] {
        let said = run(&kubeadm, &["config", "validate", "--config", "/dev/stdin"], &text);
        assert!(said.ok, "{}{}\n{text}", said.out, said.err);
        // Unknown fields are only warned of.
        assert!(!format!("{}{}", said.out, said.err).contains("unknown field"), "{}", said.err);
    }
}

#[test]
fn the_cluster_configuration_hardens_the_api_server() {
    let documents = documents(&control_plane(), "CCTL_INIT");
    let kinds: Vec<_> = documents.iter().map(|document| &document["kind"]).collect();
    assert_eq!(kinds, ["InitConfiguration", "ClusterConfiguration", "KubeletConfiguration", "KubeProxyConfiguration"]);
    let cluster = &documents[1];
    assert_eq!(cluster["kubernetesVersion"], "v1.36.4");
    assert_eq!(cluster["controlPlaneEndpoint"], "demo-0123456789abcdef.elb.eu-central-1.amazonaws.com:6443");
    let argument = |name: &str| {
        let arguments = cluster["apiServer"]["extraArgs"].as_array().expect("arguments");
        arguments.iter().find(|argument| argument["name"] == name).map(|argument| argument["value"].clone())
    };
    assert_eq!(argument("profiling"), Some("false".into()));
    assert_eq!(argument("tls-min-version"), Some("VersionTLS12".into()));
    assert_eq!(argument("audit-log-maxage"), Some("30".into()));
    assert!(argument("encryption-provider-config").is_some());
    // kubeadm refuses to run beside this flag's own defaults, and the file says it better.
    assert_eq!(argument("anonymous-auth"), None);
}

#[test]
fn a_worker_gets_its_taints_and_a_control_plane_node_kubeadms_own() {
    let join = &documents(&worker(), "CCTL_JOIN")[0];
    assert_eq!(
        join["nodeRegistration"]["taints"].to_string(),
        r#"[{"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"},{"key":"clusterctl.dev/gpu-not-validated","effect":"NoSchedule"}]"#
    );
    assert!(join.get("controlPlane").is_none());
    let join = &documents(&control_plane(), "CCTL_JOIN")[0];
    assert!(join["nodeRegistration"].get("taints").is_none());
    assert_eq!(join["controlPlane"]["localAPIEndpoint"]["advertiseAddress"], "10.20.1.5");
}

#[test]
fn secrets_never_enter_the_audit_log_with_their_content() {
    let policy = &documents(&control_plane(), "CCTL_AUDIT")[0];
    let rules = policy["rules"].as_array().expect("rules");
    let position = |wanted: &dyn Fn(&Value) -> bool| rules.iter().position(wanted).expect("a rule");
    let secrets = position(&|rule| rule["resources"][0]["resources"].to_string().contains("\"secrets\""));
    let bodies = position(&|rule| rule["level"] == "Request");
    assert_eq!(rules[secrets]["level"], "Metadata");
    assert!(secrets < bodies, "the first rule that matches decides");
    assert!(!policy.to_string().contains("RequestResponse"));
}

#[test]
fn a_mark_that_nothing_fills_is_an_error() {
    let scratch = tempfile::tempdir().expect("a folder");
    let said = with_library(&worker(), scratch.path(), "fill \"$CCTL_JOIN\"");
    assert!(!said.ok);
    assert!(said.out.contains("state=failed") && said.out.contains("a document lacks the "), "{}", said.out);
}

#[test]
fn what_the_node_fills_in_cannot_leave_its_string() {
    for value in ["1.2.3.4\"}", "1.2.3.4 ", "", "1.2.3.4\n5"] {
        let scratch = tempfile::tempdir().expect("a folder");
        let said = with_library(&worker(), scratch.path(), &format!("hole node-ip '[0-9.]+' '{value}'"));
        assert!(!said.ok, "{value:?}");
    }
    // An ampersand means the match itself in some versions of bash.
    let scratch = tempfile::tempdir().expect("a folder");
    let said = with_library(&worker(), scratch.path(), "hole a '.*' 'x&y'\nfill '\"@@a@@\"'");
    assert_eq!(said.out, "\"x&y\"\n");
}
