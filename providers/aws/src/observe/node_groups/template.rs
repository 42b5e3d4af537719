//! What a launch template holds, in our words.

use aws_sdk_ec2::types::{
    LaunchTemplate as Made, LaunchTemplateBlockDeviceMapping, LaunchTemplateInstanceNetworkInterfaceSpecification,
    LaunchTemplateVersion, ResourceType, ResponseLaunchTemplateData,
};
use clusterctl_core::cloud::Live;
use clusterctl_core::value::{Encoding, Input, Part, Text, decode};

use crate::drivers::ec2::{input, live, tags_of};
use crate::observe::control_plane::word;
use crate::resources::control_plane::MetadataOptions;
use crate::resources::node_groups::{
    BlockDeviceMapping, CapacityReservationSpecification, CapacityReservationTarget, LaunchDisk, LaunchInterface,
    LaunchTemplate, Placement, ProfileRef, TagSpecification,
};

/// The template with its latest version, which is what a new machine gets.
///
/// `update_default_version` tells whether the latest version is the default one, as it is after every update that ended.
pub(crate) fn live_launch_template(made: &Made, version: Option<&LaunchTemplateVersion>) -> Live {
    let none = ResponseLaunchTemplateData::builder().build();
    let data = version.and_then(|v| v.launch_template_data()).unwrap_or(&none);
    let latest = made.latest_version_number().or(version.and_then(|v| v.version_number()));
    let options = data.metadata_options();
    let reservation = data
        .capacity_reservation_specification()
        .and_then(|s| s.capacity_reservation_target()?.capacity_reservation_id());
    let resource = LaunchTemplate {
        name: made.launch_template_name().unwrap_or_default().to_owned(),
        image_id: input(data.image_id()),
        instance_type: word(data.instance_type(), |t| t.as_str()),
        key_name: data.key_name().map(Input::known),
        user_data: plain(data.user_data().unwrap_or_default()),
        iam_instance_profile: ProfileRef { name: input(data.iam_instance_profile().and_then(|p| p.name())) },
        network_interfaces: data.network_interfaces().iter().map(interface).collect(),
        block_device_mappings: data.block_device_mappings().iter().map(disk).collect(),
        metadata_options: MetadataOptions {
            http_endpoint: word(options.and_then(|o| o.http_endpoint()), |e| e.as_str()),
            http_tokens: word(options.and_then(|o| o.http_tokens()), |t| t.as_str()),
            http_put_response_hop_limit: options.and_then(|o| o.http_put_response_hop_limit()).unwrap_or_default(),
        },
        placement: data
            .placement()
            .and_then(|p| p.group_name())
            .map(|name| Placement { group_name: Input::known(name) }),
        capacity_reservation_specification: reservation.map(|id| CapacityReservationSpecification {
            capacity_reservation_target: CapacityReservationTarget { capacity_reservation_id: Input::known(id) },
        }),
        tag_specifications: data
            .tag_specifications()
            .iter()
            // The template's own tags are not among what it launches, though an emulator lists them there.
            .filter(|s| s.resource_type() != Some(&ResourceType::LaunchTemplate))
            .map(|s| TagSpecification {
                resource_type: word(s.resource_type(), |t| t.as_str()),
                tags: tags_of(Some(s.tags())),
            })
            .collect(),
        update_default_version: made.default_version_number() == latest,
        tags: tags_of(Some(made.tags())),
    };
    live(made.launch_template_id().unwrap_or_default(), &resource).with("latest_version", latest.unwrap_or(1))
}

/// What the packed text says.
pub(crate) fn plain(packed: &str) -> Text {
    let text = decode(packed).unwrap_or_else(|| packed.to_owned());
    Text { parts: vec![Part::Text(text)], encoding: Encoding::Plain }
}

fn interface(nic: &LaunchTemplateInstanceNetworkInterfaceSpecification) -> LaunchInterface {
    LaunchInterface {
        device_index: nic.device_index().unwrap_or_default(),
        network_card_index: nic.network_card_index(),
        interface_type: nic.interface_type().map(str::to_owned),
        associate_public_ip_address: nic.associate_public_ip_address().map(|on| on.to_string()),
        delete_on_termination: nic.delete_on_termination().map(|on| on.to_string()).unwrap_or_default(),
        security_groups: nic.groups().iter().map(|group| Input::known(group.as_str())).collect(),
    }
}

fn disk(mapping: &LaunchTemplateBlockDeviceMapping) -> BlockDeviceMapping {
    let ebs = mapping.ebs();
    BlockDeviceMapping {
        device_name: mapping.device_name().unwrap_or_default().to_owned(),
        ebs: LaunchDisk {
            volume_size: ebs.and_then(|e| e.volume_size()).unwrap_or_default(),
            volume_type: word(ebs.and_then(|e| e.volume_type()), |t| t.as_str()),
            encrypted: ebs.and_then(|e| e.encrypted()).map(|on| on.to_string()).unwrap_or_default(),
            delete_on_termination: ebs
                .and_then(|e| e.delete_on_termination())
                .map(|on| on.to_string())
                .unwrap_or_default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{
        LaunchTemplateEbsBlockDevice, LaunchTemplateIamInstanceProfileSpecification,
        LaunchTemplateInstanceMetadataOptions, LaunchTemplateTagSpecification, Tag,
    };
    use clusterctl_core::value::{encode, same};
    use serde_json::{Value, json};

    use super::*;

    fn launched(kind: ResourceType) -> LaunchTemplateTagSpecification {
        let tag = Tag::builder().key("a").value("b").build();
        LaunchTemplateTagSpecification::builder().resource_type(kind).tags(tag).build()
    }

    fn live(default: i64) -> Live {
        let ebs = LaunchTemplateEbsBlockDevice::builder()
            .volume_size(30)
            .volume_type("gp3".into())
            .encrypted(true)
            .delete_on_termination(true);
        let nic = LaunchTemplateInstanceNetworkInterfaceSpecification::builder()
            .device_index(0)
            .associate_public_ip_address(false)
            .delete_on_termination(true)
            .groups("sg-1");
        let options = LaunchTemplateInstanceMetadataOptions::builder()
            .http_endpoint("enabled".into())
            .http_tokens("required".into())
            .http_put_response_hop_limit(1);
        let data = ResponseLaunchTemplateData::builder()
            .image_id("ami-1")
            .instance_type("m7i.large".into())
            .user_data(encode("#!/bin/sh", Encoding::GzipBase64))
            .iam_instance_profile(LaunchTemplateIamInstanceProfileSpecification::builder().name("workers").build())
            .network_interfaces(nic.build())
            .block_device_mappings(
                LaunchTemplateBlockDeviceMapping::builder().device_name("/dev/sda1").ebs(ebs.build()).build(),
            )
            .metadata_options(options.build())
            .tag_specifications(launched(ResourceType::Instance))
            .tag_specifications(launched(ResourceType::LaunchTemplate));
        let version = LaunchTemplateVersion::builder().version_number(4).launch_template_data(data.build()).build();
        let made = Made::builder().launch_template_id("lt-1").launch_template_name("demo-workers");
        let made = made.latest_version_number(4).default_version_number(default).build();
        live_launch_template(&made, Some(&version))
    }

    #[test]
    fn a_template_is_read_back_as_it_was_wanted() {
        let want = json!({
            "name": "demo-workers", "image_id": "ami-1", "instance_type": "m7i.large",
            "user_data": {"$text": ["#!/bin/sh"], "$encoding": "gzip+base64"},
            "iam_instance_profile": {"name": "workers"},
            "network_interfaces": [{"device_index": 0, "associate_public_ip_address": "false",
                "delete_on_termination": "true", "security_groups": ["sg-1"]}],
            "block_device_mappings": [{"device_name": "/dev/sda1", "ebs": {
                "volume_size": 30, "volume_type": "gp3", "encrypted": "true", "delete_on_termination": "true"}}],
            "metadata_options": MetadataOptions::strict(),
            "tag_specifications": [{"resource_type": "instance", "tags": {"a": "b"}}],
            "update_default_version": true, "tags": {},
        });
        let live = live(4);
        assert!(same(&want, &live.args), "{}", live.args);
        assert_eq!((live.id.as_str(), live.outputs["latest_version"].as_i64()), ("lt-1", Some(4)));
        assert_eq!(live.args.get("placement"), None, "what is not set is absent");
    }

    #[test]
    fn a_default_that_was_left_behind_shows() {
        assert_eq!(live(3).args["update_default_version"], Value::Bool(false));
    }
}
