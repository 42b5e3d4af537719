//! How control-plane machines are made real: a fixed address, a disk that outlives the machine, the machine.
//!
//! [`interface`] · [`volume`] · [`instance`] · [`attachment`]

mod attachment;
mod instance;
mod interface;
mod volume;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Fault, Live, Typed};
use clusterctl_core::graph::Resource;
use clusterctl_core::value::Input;

use crate::client::{Client, fail};
use crate::observe::control_plane::args;
use crate::resources::control_plane::{EBS_VOLUME, INSTANCE, NETWORK_INTERFACE, VOLUME_ATTACHMENT};
use crate::resources::{TagValue, Tags};

pub(crate) fn drivers(client: &Client) -> Vec<(&'static str, Box<dyn AnyDriver>)> {
    vec![
        (NETWORK_INTERFACE.name, Box::new(Typed(interface::Interfaces(client.clone())))),
        (EBS_VOLUME.name, Box::new(Typed(volume::Volumes(client.clone())))),
        (INSTANCE.name, Box::new(Typed(instance::Instances::new(client)))),
        (VOLUME_ATTACHMENT.name, Box::new(Typed(attachment::Attachments(client.clone())))),
    ]
}

/// The value of an input; drivers only ever see known ones.
pub(crate) fn known<T>(input: &Input<T>) -> String {
    input.value().unwrap_or_default().to_owned()
}

pub(crate) fn ec2_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(text(value)).build()).collect()
}

/// A tag's value as it is sent: the engine has rendered it.
pub(crate) fn text(value: &TagValue) -> &str {
    match value {
        TagValue::Plain(text) => text,
        TagValue::Text(text) => text.sent(),
    }
}

/// Tags that are set by the create call itself.
pub(crate) fn specification(of: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(of).set_tags(Some(ec2_tags(tags))).build()
}

/// Sets the wanted tags; others stay.
pub(crate) async fn retag(client: &Client, id: &str, tags: &Tags) -> Result<(), CloudError> {
    let call = client.ec2.create_tags().resources(id).set_tags(Some(ec2_tags(tags)));
    call.send().await.map_err(|e| fail("ec2:CreateTags", &e))?;
    Ok(())
}

pub(crate) fn has(changed: &[String], argument: &str) -> bool {
    changed.iter().any(|name| name == argument)
}

/// What is live once it is as wanted.
pub(crate) fn as_wanted<R: Resource>(live: &Live, want: &R) -> Live {
    Live { args: args(want), ..live.clone() }
}

/// An answer without the thing that it should tell of.
pub(crate) fn no_answer(operation: &str, call: &Call) -> CloudError {
    let message = format!("the answer does not tell what became of {}", call.addr);
    CloudError::new(Fault::Ambiguous, operation, "EmptyAnswer", message)
}
