//! How node groups are made real: what a machine of a group is, and the group.
//!
//! [`placement_group`] · [`launch_template`] · [`group`]

mod group;
mod launch_template;
mod placement_group;

use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Fault, Typed};

use crate::client::Client;
use crate::resources::node_groups::{AUTOSCALING_GROUP, LAUNCH_TEMPLATE, PLACEMENT_GROUP};

pub(crate) fn drivers(client: &Client) -> Vec<(&'static str, Box<dyn AnyDriver>)> {
    vec![
        (PLACEMENT_GROUP.name, Box::new(Typed(placement_group::PlacementGroups(client.clone())))),
        (LAUNCH_TEMPLATE.name, Box::new(Typed(launch_template::LaunchTemplates(client.clone())))),
        (AUTOSCALING_GROUP.name, Box::new(Typed(group::Groups::new(client.clone())))),
    ]
}

/// Who has a name that we wanted, as far as tags tell.
#[derive(Debug, Clone, Copy, Default)]
struct Holder<'a> {
    uid: Option<&'a str>,
    address: Option<&'a str>,
    cluster: Option<&'a str>,
}

impl Holder<'_> {
    fn is(&self, call: &Call) -> bool {
        self.uid == Some(call.owner.uid.as_str()) && self.address == Some(call.addr.to_string().as_str())
    }

    /// The refusal to touch what is not ours.
    fn conflict(&self, call: &Call, taken: &CloudError, name: &str) -> CloudError {
        let whose = match (self.uid, self.cluster) {
            (Some(uid), Some(cluster)) => format!("cluster {cluster} (uid {uid})"),
            (Some(uid), None) => format!("the cluster with uid {uid}"),
            (None, _) => "something that clusterctl did not make".to_owned(),
        };
        let message = format!("the name {name}, wanted for {}, is taken by {whose}", call.addr);
        CloudError { fault: Fault::Conflict, message, ..taken.clone() }
    }
}

#[cfg(test)]
mod tests;
