//! Machines.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, IamInstanceProfileSpecification, Instance as Seen,
    InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification, InstanceStateName, ResourceType, VolumeType,
};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress, Remains};
use tokio::sync::Mutex;

use crate::client::{Client, fail, is_missing, unless_missing};
use crate::drivers::ec2::{Of, given, has, id, live, retag, tagged, updated};
use crate::observe::control_plane::{by_id, instances, live_instance, told_by_tag, volumes};
use crate::resources::control_plane::{Instance, MetadataOptions};

/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>.
#[derive(Debug, Clone)]
pub(super) struct Instances {
    client: Client,
    /// The name of an image's root device, asked for once for each image.
    roots: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Instances {
    pub(super) fn new(client: &Client) -> Self {
        Self { client: client.clone(), roots: Arc::default() }
    }

    /// The root disk is told by a name that the image decides, and a wrong name would add a second disk.
    async fn root_device(&self, image: &str) -> Result<String, CloudError> {
        const DESCRIBE: &str = "ec2:DescribeImages";
        // Machines that start at once wait here for the one that asks.
        let mut roots = self.roots.lock().await;
        if let Some(name) = roots.get(image) {
            return Ok(name.clone());
        }
        let answer = self.client.ec2.describe_images().image_ids(image).send().await;
        let answer = answer.map_err(|e| fail(DESCRIBE, &e))?;
        let name = answer.images().first().and_then(|image| image.root_device_name()).ok_or_else(|| {
            let message = format!("there is no image {image} with a root device in {}", self.client.region);
            CloudError::new(Fault::Permanent, DESCRIBE, "InvalidAMIID.NotFound", message)
        })?;
        roots.insert(image.to_owned(), name.to_owned());
        Ok(name.to_owned())
    }

    async fn seen(&self, machine: &str) -> Result<Option<Seen>, CloudError> {
        let answer = self.client.ec2.describe_instances().instance_ids(machine).send().await;
        match answer.map_err(|e| fail("ec2:DescribeInstances", &e)) {
            Ok(answer) => Ok(answer.reservations().iter().flat_map(|r| r.instances()).next().cloned()),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn disk(device: &str, size: i32, kind: &str, encrypted: bool) -> BlockDeviceMapping {
    let ebs = EbsBlockDevice::builder()
        .volume_size(size)
        .volume_type(VolumeType::from(kind))
        .encrypted(encrypted)
        .delete_on_termination(true);
    BlockDeviceMapping::builder().device_name(device).ebs(ebs.build()).build()
}

/// An interface of its own stays when the machine goes, as EC2 has it for one that exists; one that is made with the
/// machine goes with it.
fn interface(want: &Instance) -> InstanceNetworkInterfaceSpecification {
    let nic = InstanceNetworkInterfaceSpecification::builder().device_index(0);
    match &want.primary_network_interface {
        Some(own) => nic.network_interface_id(id(&own.network_interface_id)).build(),
        None => nic
            .set_subnet_id(want.subnet_id.as_ref().map(|value| id(value).to_owned()))
            .set_groups(groups(want))
            .set_associate_public_ip_address(want.associate_public_ip_address)
            .delete_on_termination(true)
            .build(),
    }
}

fn groups(want: &Instance) -> Option<Vec<String>> {
    want.vpc_security_group_ids.as_ref().map(|groups| groups.iter().map(|group| id(group).to_owned()).collect())
}

fn options(want: &MetadataOptions) -> InstanceMetadataOptionsRequest {
    InstanceMetadataOptionsRequest::builder()
        .http_endpoint(want.http_endpoint.as_str().into())
        .http_tokens(want.http_tokens.as_str().into())
        .http_put_response_hop_limit(want.http_put_response_hop_limit)
        .build()
}

/// Why a machine ended by itself: `Server.InsufficientInstanceCapacity`, `Client.VolumeLimitExceeded`, ...
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>).
fn ended(call: &Call, seen: &Seen) -> CloudError {
    let reason = seen.state_reason();
    let code = reason.and_then(|r| r.code()).unwrap_or("terminated");
    let fault = match code {
        code if code.contains("Capacity") || code.contains("SpotInstance") => Fault::Capacity,
        code if code.contains("LimitExceeded") => Fault::Quota,
        _ => Fault::Permanent,
    };
    let words = reason.and_then(|r| r.message()).unwrap_or("no reason given");
    let message = format!("{} of {} has ended: {words}", seen.instance_id().unwrap_or_default(), call.addr);
    CloudError::new(fault, "ec2:RunInstances", code, message)
}

#[async_trait]
impl Driver for Instances {
    type Resource = Instance;

    async fn create(&self, call: &Call, want: Instance) -> Result<Live, CloudError> {
        let root = &want.root_block_device;
        let device = self.root_device(id(&want.ami)).await?;
        let mut disks = vec![disk(&device, root.volume_size, &root.volume_type, root.encrypted)];
        let further = want.ebs_block_device.iter();
        disks.extend(further.map(|d| disk(&d.device_name, d.volume_size, &d.volume_type, d.encrypted)));
        // An interface that exists has its own tags; EC2 refuses tags for what the call does not make.
        let mut made = vec![ResourceType::Instance, ResourceType::Volume];
        if want.primary_network_interface.is_none() {
            made.push(ResourceType::NetworkInterface);
        }
        let profile = want.iam_instance_profile.as_ref();
        let answer = self
            .client
            .ec2
            .run_instances()
            .client_token(&call.token)
            .min_count(1)
            .max_count(1)
            .image_id(id(&want.ami))
            .instance_type(want.instance_type.as_str().into())
            .network_interfaces(interface(&want))
            .set_iam_instance_profile(profile.map(|p| IamInstanceProfileSpecification::builder().name(id(p)).build()))
            .set_key_name(want.key_name.as_ref().map(|value| id(value).to_owned()))
            .set_user_data(want.user_data_base64.as_ref().map(|text| text.sent().to_owned()))
            .set_block_device_mappings(Some(disks))
            .metadata_options(options(&want.metadata_options))
            .set_tag_specifications(Some(made.into_iter().map(|what| tagged(what, &want.tags)).collect()))
            .send()
            .await
            .map_err(|e| fail("ec2:RunInstances", &e))?;
        let made = answer.instances().first().and_then(|machine| machine.instance_id());
        Ok(told_by_tag(live(given(made, "ec2:RunInstances")?, &want), &want.tags))
    }

    async fn update(&self, _call: &Call, live: &Live, want: Instance, changed: &[String]) -> Result<Live, CloudError> {
        if has(changed, "metadata_options") {
            let wanted = &want.metadata_options;
            let request = self.client.ec2.modify_instance_metadata_options().instance_id(&live.id);
            let request = request
                .http_endpoint(wanted.http_endpoint.as_str().into())
                .http_tokens(wanted.http_tokens.as_str().into())
                .http_put_response_hop_limit(wanted.http_put_response_hop_limit);
            request.send().await.map_err(|e| fail("ec2:ModifyInstanceMetadataOptions", &e))?;
        }
        if has(changed, "vpc_security_group_ids") {
            let request = self.client.ec2.modify_instance_attribute().instance_id(&live.id).set_groups(groups(&want));
            request.send().await.map_err(|e| fail("ec2:ModifyInstanceAttribute", &e))?;
        }
        if has(changed, "tags") {
            retag(&self.client, &live.id, &want.tags).await?;
        }
        Ok(told_by_tag(updated(live, &want), &want.tags))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.client.ec2.terminate_instances().instance_ids(&live.id).send().await;
        unless_missing(answer.map(|_| ()).map_err(|e| fail("ec2:TerminateInstances", &e)))
    }

    async fn find(&self, call: &Call, _want: Instance) -> Result<Vec<Live>, CloudError> {
        // The machine's own disks carry its address too.
        let (machines, disks) = futures::try_join!(
            instances(&self.client, Of::call(call).filters()),
            volumes(&self.client, Of::call(call).filters())
        )?;
        let disks = by_id(&disks);
        Ok(machines.iter().map(|machine| live_instance(machine, &disks)).collect())
    }

    async fn ready(&self, call: &Call, live: &Live, _want: Instance) -> Result<Progress, CloudError> {
        let Some(seen) = self.seen(&live.id).await? else {
            return Ok(Progress::Pending("not visible yet".to_owned()));
        };
        match seen.state().and_then(|state| state.name()) {
            Some(InstanceStateName::Running) => Ok(Progress::Done(live.clone())),
            Some(InstanceStateName::Terminated | InstanceStateName::ShuttingDown) => Err(ended(call, &seen)),
            state => Ok(Progress::Pending(state.map_or("pending", InstanceStateName::as_str).to_owned())),
        }
    }

    async fn gone(&self, _call: &Call, live: &Live) -> Result<Remains, CloudError> {
        let seen = self.seen(&live.id).await?;
        Ok(match seen.as_ref().and_then(|seen| seen.state()?.name()) {
            None | Some(InstanceStateName::Terminated) => Remains::Nothing,
            Some(state) => Remains::Something(state.as_str().to_owned()),
        })
    }
}
