//! How control-plane machines are made real: a fixed address, a disk that outlives the machine, the machine.
//!
//! [`interface`] · [`volume`] · [`instance`] · [`attachment`]

mod attachment;
mod instance;
mod interface;
mod volume;

use clusterctl_core::cloud::{AnyDriver, Typed};

use crate::client::Client;
use crate::resources::control_plane::{EBS_VOLUME, INSTANCE, NETWORK_INTERFACE, VOLUME_ATTACHMENT};

pub(crate) fn drivers(client: &Client) -> Vec<(&'static str, Box<dyn AnyDriver>)> {
    vec![
        (NETWORK_INTERFACE.name, Box::new(Typed(interface::Interfaces(client.clone())))),
        (EBS_VOLUME.name, Box::new(Typed(volume::Volumes(client.clone())))),
        (INSTANCE.name, Box::new(Typed(instance::Instances::new(client)))),
        (VOLUME_ATTACHMENT.name, Box::new(Typed(attachment::Attachments(client.clone())))),
    ]
}

#[cfg(test)]
mod tests;
