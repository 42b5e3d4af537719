//! What exists of the control-plane machines, and how EC2's words become ours.
//!
//! One converter per kind, `live_*`, for what a create, a find and an observation answer alike. Three calls and their
//! pages read everything. Machines and disks of node groups carry the same owner and may be thousands: the filters ask
//! for addresses of our own kinds, so that they are never read here.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    Filter, Instance, InstanceBlockDeviceMapping, InstanceNetworkInterface, InstanceStateName, NetworkInterface,
    Volume, VolumeAttachmentState, VolumeState,
};
use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{CloudError, Live, Owner, Scope};
use clusterctl_core::value::{DIGEST, Input};
use serde_json::json;

use crate::client::{Client, fail};
use crate::drivers::ec2::{Found, Of, input, live, tags_of};
use crate::names;
use crate::resources::control_plane::{
    EBS_VOLUME, EbsBlockDevice, EbsVolume, INSTANCE, Instance as Machine, MetadataOptions, NETWORK_INTERFACE,
    NetworkInterface as Interface, PrimaryNetworkInterface, RootBlockDevice, VOLUME_ATTACHMENT, VolumeAttachment,
};
use crate::resources::{TagValue, Tags};

/// As many as EC2 gives on a page.
const PAGE: i32 = 1000;

pub(crate) async fn observe(client: &Client, owner: &Owner, scope: &Scope) -> Result<Found, CloudError> {
    let machines = scope.has(INSTANCE.name);
    let disks = scope.has(EBS_VOLUME.name) || scope.has(VOLUME_ATTACHMENT.name);
    // What a machine's own disks are like is told by the disks; they carry the address of the machine.
    let kinds: Vec<&str> =
        [(disks, EBS_VOLUME.name), (machines, INSTANCE.name)].iter().filter(|k| k.0).map(|k| k.1).collect();
    let (interfaces, machines, disks) = futures::try_join!(
        when(scope.has(NETWORK_INTERFACE.name), interfaces(client, of_kinds(owner, &[NETWORK_INTERFACE.name]))),
        when(machines, instances(client, of_kinds(owner, &[INSTANCE.name]))),
        when(!kinds.is_empty(), volumes(client, of_kinds(owner, &kinds))),
    )?;
    let of = Of::owner(owner);
    let mut found = Found::new();
    for interface in &interfaces {
        let addr = of.address::<Interface>(Some(interface.tag_set()));
        found.extend(addr.map(|addr| (addr, live_interface(interface))));
    }
    let by_id = by_id(&disks);
    for machine in &machines {
        let addr = of.address::<Machine>(Some(machine.tags()));
        found.extend(addr.map(|addr| (addr, live_instance(machine, &by_id))));
    }
    for disk in &disks {
        let Some(addr) = of.address::<EbsVolume>(Some(disk.tags())) else { continue };
        found.extend(live_attachment(disk).map(|live| (Addr::new(VOLUME_ATTACHMENT.name, &addr.name), live)));
        found.push((addr, live_volume(disk)));
    }
    Ok(found)
}

/// Reads only what is in scope.
pub(crate) async fn when<T>(
    wanted: bool,
    read: impl Future<Output = Result<Vec<T>, CloudError>>,
) -> Result<Vec<T>, CloudError> {
    if wanted { read.await } else { Ok(Vec::new()) }
}

pub(crate) async fn interfaces(client: &Client, filters: Vec<Filter>) -> Result<Vec<NetworkInterface>, CloudError> {
    let pages = client.ec2.describe_network_interfaces().set_filters(Some(filters)).max_results(PAGE).into_paginator();
    let all: Result<Vec<_>, _> = pages.items().send().collect().await;
    all.map_err(|e| fail("ec2:DescribeNetworkInterfaces", &e))
}

/// Disks that are not on their way out.
pub(crate) async fn volumes(client: &Client, filters: Vec<Filter>) -> Result<Vec<Volume>, CloudError> {
    let pages = client.ec2.describe_volumes().set_filters(Some(filters)).max_results(PAGE).into_paginator();
    let all: Result<Vec<Volume>, _> = pages.items().send().collect().await;
    let mut all = all.map_err(|e| fail("ec2:DescribeVolumes", &e))?;
    all.retain(|disk| !matches!(disk.state(), Some(VolumeState::Deleting | VolumeState::Deleted)));
    Ok(all)
}

/// Machines that are not on their way out.
pub(crate) async fn instances(client: &Client, mut filters: Vec<Filter>) -> Result<Vec<Instance>, CloudError> {
    let states = [
        InstanceStateName::Pending,
        InstanceStateName::Running,
        InstanceStateName::Stopping,
        InstanceStateName::Stopped,
    ];
    filters.push(any_of("instance-state-name", states.iter().map(InstanceStateName::as_str)));
    let pages = client.ec2.describe_instances().set_filters(Some(filters)).max_results(PAGE).into_paginator();
    let all: Result<Vec<_>, _> = pages.items().send().collect().await;
    let all = all.map_err(|e| fail("ec2:DescribeInstances", &e))?;
    Ok(all.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default()).collect())
}

pub(crate) fn any_of<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().map(str::to_owned).collect())).build()
}

/// Everything of these kinds that is the owner's.
fn of_kinds(owner: &Owner, kinds: &[&str]) -> Vec<Filter> {
    let addresses: Vec<String> = kinds.iter().map(|kind| format!("{kind}.*")).collect();
    let mut filters = Of::owner(owner).filters();
    filters.push(any_of(&format!("tag:{}", names::ADDRESS), addresses.iter().map(String::as_str)));
    filters
}

pub(crate) fn word<'a, T: 'a>(value: Option<&'a T>, text: fn(&'a T) -> &'a str) -> String {
    value.map(text).unwrap_or_default().to_owned()
}

/// The fixed address is the primary one; further addresses are not managed.
pub(crate) fn live_interface(interface: &NetworkInterface) -> Live {
    let address = interface.private_ip_address().unwrap_or_default();
    let resource = Interface {
        subnet_id: input(interface.subnet_id()),
        description: interface.description().unwrap_or_default().to_owned(),
        private_ips: Some(BTreeSet::from([address.to_owned()])),
        security_groups: interface.groups().iter().map(|group| input(group.group_id())).collect(),
        source_dest_check: interface.source_dest_check().unwrap_or(true),
        tags: tags_of(Some(interface.tag_set())),
    };
    live(interface.network_interface_id().unwrap_or_default(), &resource).with("private_ip", address)
}

pub(crate) fn live_volume(disk: &Volume) -> Live {
    let resource = EbsVolume {
        availability_zone: disk.availability_zone().unwrap_or_default().to_owned(),
        size: disk.size().unwrap_or_default(),
        r#type: word(disk.volume_type(), |t| t.as_str()),
        encrypted: disk.encrypted().unwrap_or_default(),
        tags: tags_of(Some(disk.tags())),
    };
    live(disk.volume_id().unwrap_or_default(), &resource)
}

/// The machine that a disk is attached to or is being attached to.
pub(crate) fn live_attachment(disk: &Volume) -> Option<Live> {
    let holds = |state| matches!(state, &VolumeAttachmentState::Attached | &VolumeAttachmentState::Attaching);
    let attachment = disk.attachments().iter().find(|a| a.state().is_some_and(holds))?;
    Some(attachment_of(disk.volume_id()?, attachment.instance_id()?, attachment.device().unwrap_or_default()))
}

pub(crate) fn attachment_of(volume: &str, instance: &str, device: &str) -> Live {
    let resource = VolumeAttachment {
        stop_instance_before_detaching: None,
        device_name: device.to_owned(),
        instance_id: Input::known(instance),
        volume_id: Input::known(volume),
    };
    live(&format!("{volume}:{instance}"), &resource).with("volume_id", volume)
}

pub(crate) fn by_id(disks: &[Volume]) -> BTreeMap<&str, &Volume> {
    disks.iter().filter_map(|disk| Some((disk.volume_id()?, disk))).collect()
}

/// Disks of a machine that go with it and are not listed: they are too new. A machine that is starting has none yet.
fn unseen(machine: &Instance, disks: &BTreeMap<&str, &Volume>) -> BTreeSet<String> {
    let mut unseen = BTreeSet::new();
    let starting = machine.state().and_then(|state| state.name()) == Some(&InstanceStateName::Pending);
    let device = |mapping: &InstanceBlockDeviceMapping| mapping.device_name() == machine.root_device_name();
    let mappings = machine.block_device_mappings();
    if starting && !mappings.iter().any(device) {
        unseen.extend(["root_block_device".to_owned(), "ebs_block_device".to_owned()]);
    }
    for mapping in mappings {
        let Some(disk) = mapping.ebs().filter(|disk| disk.delete_on_termination() == Some(true)) else { continue };
        if disk.volume_id().is_none_or(|id| !disks.contains_key(id)) {
            unseen.insert(if device(mapping) { "root_block_device" } else { "ebs_block_device" }.to_owned());
        }
    }
    unseen
}

/// A machine with what its own disks are like; a disk that is not in `disks` is not its own, or is not known.
pub(crate) fn live_instance(machine: &Instance, disks: &BTreeMap<&str, &Volume>) -> Live {
    let nic = machine.network_interfaces().iter().find(|nic| index(nic) == Some(0));
    let groups = match nic.map(|nic| nic.groups()) {
        Some(groups) if !groups.is_empty() => groups,
        _ => machine.security_groups(),
    };
    let mut own: Vec<(&str, &Volume)> = machine
        .block_device_mappings()
        .iter()
        .filter_map(|mapping| Some((mapping.device_name()?, *disks.get(mapping.ebs()?.volume_id()?)?)))
        .filter(|(_, disk)| !outlives(disk))
        .collect();
    own.sort_by_key(|(device, _)| *device);
    let root = own.iter().find(|(device, _)| Some(*device) == machine.root_device_name());
    let options = machine.metadata_options();
    let tags = tags_of(Some(machine.tags()));
    let resource = Machine {
        ami: input(machine.image_id()),
        instance_type: word(machine.instance_type(), |t| t.as_str()),
        primary_network_interface: nic
            .map(|nic| PrimaryNetworkInterface { network_interface_id: input(nic.network_interface_id()) }),
        subnet_id: machine.subnet_id().map(Input::known),
        vpc_security_group_ids: Some(groups.iter().map(|group| input(group.group_id())).collect()),
        associate_public_ip_address: nic.map(|nic| nic.association().is_some_and(|a| a.public_ip().is_some())),
        iam_instance_profile: machine
            .iam_instance_profile()
            .and_then(|p| p.arn()?.rsplit('/').next())
            .map(Input::known),
        key_name: machine.key_name().map(Input::known),
        user_data_base64: None,
        user_data_replace_on_change: None,
        root_block_device: RootBlockDevice {
            volume_size: root.and_then(|(_, disk)| disk.size()).unwrap_or_default(),
            volume_type: root.map(|(_, disk)| word(disk.volume_type(), |t| t.as_str())).unwrap_or_default(),
            encrypted: root.and_then(|(_, disk)| disk.encrypted()).unwrap_or_default(),
        },
        ebs_block_device: own
            .iter()
            .filter(|(device, _)| Some(*device) != machine.root_device_name())
            .map(|(device, disk)| EbsBlockDevice {
                device_name: (*device).to_owned(),
                volume_size: disk.size().unwrap_or_default(),
                volume_type: word(disk.volume_type(), |t| t.as_str()),
                encrypted: disk.encrypted().unwrap_or_default(),
            })
            .collect(),
        metadata_options: MetadataOptions {
            http_endpoint: word(options.and_then(|o| o.http_endpoint()), |e| e.as_str()),
            http_tokens: word(options.and_then(|o| o.http_tokens()), |t| t.as_str()),
            http_put_response_hop_limit: options.and_then(|o| o.http_put_response_hop_limit()).unwrap_or_default(),
        },
        tags,
    };
    let made = live(machine.instance_id().unwrap_or_default(), &resource);
    told_by_tag(Live { unseen: unseen(machine, disks), ..made }, &resource.tags)
}

/// A disk with an address of its own; one that came with the machine has the machine's.
fn outlives(disk: &Volume) -> bool {
    let addr = disk.tags().iter().find(|tag| tag.key() == Some(names::ADDRESS)).and_then(|tag| tag.value());
    addr.is_some_and(|addr| addr.starts_with(EBS_VOLUME.name))
}

/// EC2 gives user-data back only machine by machine; a tag holds its digest.
pub(crate) fn told_by_tag(mut made: Live, tags: &Tags) -> Live {
    if let (Some(args), Some(TagValue::Plain(digest))) = (made.args.as_object_mut(), tags.get(names::USER_DATA)) {
        args.insert("user_data_base64".to_owned(), json!({ DIGEST: digest }));
    }
    made
}

fn index(nic: &InstanceNetworkInterface) -> Option<i32> {
    nic.attachment()?.device_index()
}

#[cfg(test)]
mod tests;
