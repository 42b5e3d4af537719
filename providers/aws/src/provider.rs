//! AWS behind core's seam: pure without an account, and with one.

use std::sync::Arc;

use async_trait::async_trait;
use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::{Blueprint, CloudTraits};
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::{CloudError, Owner};
use clusterctl_core::cluster::Cluster;
use clusterctl_core::graph::{Graph, Kind};
use clusterctl_core::provider::{Access, Connection, LowerError, Provider, Refusal};
use clusterctl_core::terraform::Settings;
use serde_json::Value;

use crate::{choose, export, lower, resources};

/// AWS.
#[must_use]
pub fn provider() -> &'static dyn Provider {
    &AwsProvider
}

#[derive(Debug)]
struct AwsProvider;

/// Jumbo frames inside a VPC:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/network_mtu.html>.
const MTU: u16 = 9001;

#[async_trait]
impl Provider for AwsProvider {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        resources::KINDS
    }

    fn traits(&self) -> CloudTraits {
        CloudTraits { mtu: MTU }
    }

    fn choose_offline(&self, cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal> {
        choose::offline(cluster, kept)
    }

    fn lower(&self, blueprint: &Blueprint, owner: &Owner) -> Result<Graph, LowerError> {
        lower::lower(blueprint, owner)
    }

    fn terraform(&self, blueprint: &Blueprint, graph: &Graph) -> Settings {
        export::settings(blueprint, graph)
    }

    fn policy(&self, graph: &Graph, blueprint: &Blueprint, owner: &Owner) -> Value {
        lower::policy(graph, &blueprint.region, &owner.uid)
    }

    fn import_id(&self, addr: &Addr, live: &clusterctl_core::cloud::Live) -> Option<String> {
        export::import_id(addr, live)
    }

    #[cfg(feature = "api")]
    async fn connect(&self, access: Access) -> Result<Arc<dyn Connection>, CloudError> {
        crate::connection::connect(access).await
    }

    #[cfg(not(feature = "api"))]
    async fn connect(&self, _access: Access) -> Result<Arc<dyn Connection>, CloudError> {
        use clusterctl_core::cloud::Fault;
        Err(CloudError::new(Fault::Permanent, "connect", "NoApi", "this build only exports; it cannot talk to AWS"))
    }
}
