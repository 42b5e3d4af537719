//! What kubeadm, kubelet and API server read, as JSON values (JSON is YAML).
//!
//! `@@name@@` stands for what only the node knows; the script fills it with values that cannot end a JSON string.

use serde_json::{Value, json};

use super::config::{CloudProvider, GPU_STARTUP_TAINT, NodeConfig, Role};

/// Forward-secret suites with authenticated encryption; TLS 1.3 has its own.
const CIPHER_SUITES: [&str; 4] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
];
/// Where the script keeps what it writes for the API server and for kubeadm's patches.
const FOLDER: &str = "/etc/kubernetes/clusterctl";
const AUDIT_FOLDER: &str = "/var/log/kubernetes/audit";
const KUBEADM: &str = "kubeadm.k8s.io/v1beta4";

/// Documents of `kubeadm init`, separated as YAML documents are.
pub(super) fn init(config: &NodeConfig, kubernetes: &str) -> String {
    let documents =
        [init_configuration(config), cluster_configuration(config, kubernetes), kubelet_configuration(), kube_proxy()];
    documents.map(|document| document.to_string()).join("\n---\n")
}

fn init_configuration(config: &NodeConfig) -> Value {
    json!({
        "apiVersion": KUBEADM,
        "kind": "InitConfiguration",
        "bootstrapTokens": [{"token": "@@token@@", "ttl": "15m0s"}],
        "localAPIEndpoint": {"advertiseAddress": "@@node-ip@@", "bindPort": 6443},
        "nodeRegistration": node_registration(config),
        "patches": {"directory": format!("{FOLDER}/patches")},
    })
}

fn cluster_configuration(config: &NodeConfig, kubernetes: &str) -> Value {
    let network = &config.networking;
    let suites = CIPHER_SUITES.join(",");
    json!({
        "apiVersion": KUBEADM,
        "kind": "ClusterConfiguration",
        "clusterName": config.cluster,
        "kubernetesVersion": kubernetes,
        "controlPlaneEndpoint": format!("@@endpoint@@:{}", network.api_port),
        "certificatesDir": "@@certificates@@",
        "networking": {"podSubnet": network.pods, "serviceSubnet": network.services},
        "apiServer": {
            "extraArgs": arguments(&[
                ("audit-log-path", &format!("{AUDIT_FOLDER}/audit.log")),
                ("audit-policy-file", &format!("{FOLDER}/audit.json")),
                ("audit-log-maxage", "30"),
                ("audit-log-maxbackup", "10"),
                ("audit-log-maxsize", "100"),
                ("authentication-config", &format!("{FOLDER}/authentication.json")),
                ("encryption-provider-config", &format!("{FOLDER}/encryption.json")),
                ("profiling", "false"),
                ("tls-min-version", "VersionTLS12"),
                ("tls-cipher-suites", &suites),
            ]),
            "extraVolumes": [
                {"name": "clusterctl", "hostPath": FOLDER, "mountPath": FOLDER, "readOnly": true, "pathType": "Directory"},
                {"name": "audit", "hostPath": AUDIT_FOLDER, "mountPath": AUDIT_FOLDER, "pathType": "DirectoryOrCreate"},
            ],
        },
        "controllerManager": {"extraArgs": arguments(&[("profiling", "false")])},
        "scheduler": {"extraArgs": arguments(&[("profiling", "false")])},
        // The folder below the mount point: a file system of its own has a lost+found beside the member.
        "etcd": {"local": {"dataDir": "/var/lib/etcd/data", "extraArgs": arguments(&[
            ("quota-backend-bytes", "8589934592"),
        ])}},
    })
}

/// The same for every node; what depends on the machine is a patch that the script writes.
///
/// kubeadm's own defaults are not repeated: no anonymous requests, webhook authentication and authorization, no
/// read-only port, rotated client certificates, the systemd cgroup driver.
fn kubelet_configuration() -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "seccompDefault": true,
        "podPidsLimit": 4096,
        "serializeImagePulls": false,
        "maxParallelImagePulls": 5,
        "shutdownGracePeriod": "120s",
        "shutdownGracePeriodCriticalPods": "30s",
        "tlsMinVersion": "VersionTLS12",
        "tlsCipherSuites": CIPHER_SUITES,
    })
}

/// Connection tracking is sized by the script's sysctl, so kube-proxy need not write to /proc.
fn kube_proxy() -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "conntrack": {"maxPerCore": 0},
    })
}

/// The document of `kubeadm join`.
pub(super) fn join(config: &NodeConfig) -> String {
    let mut document = json!({
        "apiVersion": KUBEADM,
        "kind": "JoinConfiguration",
        "discovery": {"bootstrapToken": {
            "token": "@@token@@",
            "apiServerEndpoint": format!("@@endpoint@@:{}", config.networking.api_port),
            "caCertHashes": ["@@ca-hash@@"],
        }},
        "nodeRegistration": node_registration(config),
        "patches": {"directory": format!("{FOLDER}/patches")},
    });
    if let Role::ControlPlane { .. } = config.role {
        document["controlPlane"] = json!({"localAPIEndpoint": {"advertiseAddress": "@@node-ip@@", "bindPort": 6443}});
    }
    document.to_string()
}

fn node_registration(config: &NodeConfig) -> Value {
    let mut extra = vec![("node-ip", "@@node-ip@@"), ("node-labels", "@@labels@@"), ("provider-id", "@@provider-id@@")];
    if config.cloud_provider == CloudProvider::External {
        extra.push(("cloud-provider", "external"));
    }
    let mut registration = json!({
        "name": "@@node-name@@",
        "criSocket": "unix:///run/containerd/containerd.sock",
        "kubeletExtraArgs": arguments(&extra),
    });
    let mut taints: Vec<Value> = config.taints.iter().map(|taint| json!(taint)).collect();
    if config.gpu.is_some() {
        taints.push(json!({"key": GPU_STARTUP_TAINT, "effect": "NoSchedule"}));
    }
    // Without the field kubeadm gives a control-plane node its own taint; an empty list would mean none.
    if !taints.is_empty() || config.role == Role::Worker {
        registration["taints"] = taints.into();
    }
    registration
}

fn arguments(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// Who did what, without the content of secrets and tokens, and without the chatter of the system itself.
pub(super) fn audit_policy() -> String {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": true,
        "rules": [
            {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
            {"level": "None", "verbs": ["get", "update", "patch"], "userGroups": ["system:nodes"],
             "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
            {"level": "None", "resources": [{"group": "", "resources": ["events"]}, {"group": "events.k8s.io", "resources": ["events"]}]},
            {"level": "Metadata", "resources": [
                {"group": "", "resources": ["secrets", "configmaps", "serviceaccounts/token"]},
                {"group": "authentication.k8s.io", "resources": ["tokenreviews"]},
            ]},
            {"level": "Request", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
            {"level": "Metadata"},
        ],
    })
    .to_string()
}

/// Anonymous requests reach the health checks and what a joining node reads before it has a certificate: nothing else.
pub(super) fn authentication() -> String {
    let paths = ["/livez", "/readyz", "/healthz", "/api/v1/namespaces/kube-public/configmaps/cluster-info"];
    json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": true, "conditions": paths.map(|path| json!({"path": path}))},
    })
    .to_string()
}

/// Secrets at rest; the key is made on a node and never leaves the nodes unsealed.
pub(super) fn encryption() -> String {
    json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{
            "resources": ["secrets"],
            "providers": [
                {"secretbox": {"keys": [{"name": "first", "secret": "@@encryption-key@@"}]}},
                {"identity": {}},
            ],
        }],
    })
    .to_string()
}
