//! What the Terraform export needs beside the graph.

use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::Blueprint;
use clusterctl_core::cloud::Live;
use clusterctl_core::graph::{Graph, Resource as _};
use clusterctl_core::terraform::{
    Backend, Output, Place, ProviderPin, Replacement, Settings, Variable, VariableType, variable,
};
use clusterctl_core::value::output;
use serde_json::{Value, json};

use crate::resources::load_balancer::Lb;
use crate::resources::network::Vpc;
use crate::resources::node_groups::AutoscalingGroup;

/// `primary_network_interface` came with 6.10.
const PROVIDER: &str = "~> 6.10";

pub(crate) fn settings(blueprint: &Blueprint, graph: &Graph) -> Settings {
    let mut variables = vec![Variable {
        name: "region".into(),
        of: VariableType::String,
        description: "Region of the cluster. Zones and images belong to it.".into(),
        default: Some(json!(blueprint.region)),
    }];
    let mut replacements = Vec::new();
    for group in &blueprint.groups {
        let of = Addr::new(AutoscalingGroup::KIND.name, &group.name);
        let word = group.name.replace('-', "_");
        for (bound, value, pointer) in [("min", group.min, "/min_size"), ("max", group.max, "/max_size")] {
            let name = format!("{word}_{bound}");
            variables.push(Variable {
                name: name.clone(),
                of: VariableType::Number,
                description: format!("Machines of node group {}, {bound}imum.", group.name),
                default: Some(json!(value)),
            });
            replacements.push(Replacement {
                variable: name,
                place: Place::Argument { of: of.clone(), pointer: pointer.into() },
            });
        }
    }
    let balancer = Addr::new(Lb::KIND.name, "api");
    let endpoint = match &blueprint.dns {
        Some(dns) => json!(dns.api),
        None => output(&balancer, "dns_name"),
    };
    let mut outputs = vec![Output {
        name: "api_endpoint".into(),
        description: format!("Host of the Kubernetes API, port {}.", blueprint.api.port),
        value: endpoint,
    }];
    let vpc = Addr::new(Vpc::KIND.name, "main");
    if graph.get(&vpc).is_some() {
        outputs.push(Output { name: "vpc_id".into(), description: "The network.".into(), value: output(&vpc, "id") });
    }
    Settings {
        title: blueprint.cluster.clone(),
        provider: ProviderPin {
            name: "aws".into(),
            source: "hashicorp/aws".into(),
            version: PROVIDER.into(),
            config: vec![("region".into(), variable("region"))],
            blocks: Vec::new(),
        },
        required_version: ">= 1.5".into(),
        variables,
        outputs,
        replacements,
        imports: None,
        backend: Some(Backend {
            name: "s3".into(),
            config: vec![
                ("bucket".into(), json!("my-terraform-state")),
                ("key".into(), json!(format!("{}.tfstate", blueprint.cluster))),
                ("region".into(), Value::String(blueprint.region.clone())),
                ("use_lockfile".into(), json!(true)),
            ],
        }),
    }
}

/// The id that `import` takes, by the provider's page of each kind; a registration of a target cannot be imported.
pub(crate) fn import_id(addr: &Addr, live: &Live) -> Option<String> {
    let arg = |name: &str| live.args.get(name).and_then(Value::as_str);
    match addr.kind.as_str() {
        "aws_lb_target_group_attachment" => None,
        "aws_route_table_association" => Some(format!("{}/{}", arg("subnet_id")?, arg("route_table_id")?)),
        "aws_volume_attachment" => {
            Some(format!("{}:{}:{}", arg("device_name")?, arg("volume_id")?, arg("instance_id")?))
        }
        _ => Some(live.id.clone()),
    }
}
