//! The closed vocabularies of the cluster file.

use serde::{Deserialize, Serialize};

/// Declares an enum whose variants are words of the cluster file, with `ALL`, `as_str` and `Display`.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word as it stands in the file.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

vocabulary!(
    /// Version of the file format.
    ApiVersion {
        /// The first version.
        V1 = "clusterctl.dev/v1",
    }
);

vocabulary!(
    /// What the file describes.
    Kind {
        /// A Kubernetes cluster.
        Cluster = "Cluster",
    }
);

vocabulary!(
    /// The cloud that the cluster runs on.
    Cloud {
        /// Amazon Web Services.
        Aws = "aws",
        /// Microsoft Azure.
        Azure = "azure",
        /// Google Cloud.
        Gcp = "gcp",
        /// OpenStack.
        Openstack = "openstack",
    }
);

vocabulary!(
    /// Whether nodes have public addresses.
    Topology {
        /// Nodes have private addresses only and reach the internet through NAT.
        Private = "private",
        /// Nodes have public addresses.
        Public = "public",
    }
);

vocabulary!(
    /// How many NAT gateways carry the nodes' way out.
    NatGateways {
        /// One in each zone: a zone that fails takes only its own nodes' way out with it.
        PerZone = "perZone",
        /// One for all zones: cheaper, and every node's way out depends on the zone it is in.
        Shared = "shared",
    }
);

vocabulary!(
    /// The network plugin that carries pod traffic.
    PodPlugin {
        /// Cilium.
        Cilium = "cilium",
        /// Calico.
        Calico = "calico",
        /// Flannel.
        Flannel = "flannel",
    }
);

vocabulary!(
    /// How pod traffic crosses the network between nodes.
    PodMode {
        /// Wrapped in the nodes' own traffic; the network knows nothing of pods.
        Overlay = "overlay",
        /// Routed by the network itself: one route for each node, so the cloud's route quota bounds the cluster.
        Routed = "routed",
    }
);

vocabulary!(
    /// From where something can be reached or looked up.
    Visibility {
        /// From inside the network and what is connected to it.
        Private = "private",
        /// From the internet.
        Public = "public",
    }
);

vocabulary!(
    /// Where the cluster's names are published.
    DnsVisibility {
        /// Nowhere: the load balancer's own address or name is used.
        None = "none",
        /// In a public zone that exists already.
        Public = "public",
        /// In a private zone that only the cluster's network can look up.
        Private = "private",
    }
);

vocabulary!(
    /// How machines are bought.
    Capacity {
        /// At a discount; the cloud may take them back at any time.
        Spot = "spot",
        /// At the list price, until they are given back.
        OnDemand = "on-demand",
    }
);

vocabulary!(
    /// Where the GPU driver comes from.
    GpuDriver {
        /// The GPU operator installs it on the running node.
        Operator = "operator",
        /// The node's image has it already.
        Baked = "baked",
    }
);

vocabulary!(
    /// Processor architecture.
    Arch {
        /// 64-bit x86.
        Amd64 = "amd64",
        /// 64-bit ARM.
        Arm64 = "arm64",
    }
);

vocabulary!(
    /// How much of the ML platform is installed on top of Kubernetes.
    Profile {
        /// Nothing: a bare Kubernetes cluster.
        None = "none",
        /// Networking, storage, ingress and certificates. Not installed by this version.
        Minimal = "minimal",
        /// Minimal, and what notebooks and training need. Not installed by this version.
        Standard = "standard",
        /// Everything. Not installed by this version.
        Full = "full",
        /// What fits on a single node. Not installed by this version.
        Edge = "edge",
    }
);

vocabulary!(
    /// How AWS places the machines of a group in relation to each other.
    PlacementStrategy {
        /// Close together in one zone, for the fastest network between them.
        Cluster = "cluster",
        /// Each on hardware of its own.
        Spread = "spread",
        /// In partitions that share no hardware.
        Partition = "partition",
    }
);
