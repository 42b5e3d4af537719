//! Launch templates: what a machine of a group is.

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    CapacityReservationTarget, LaunchTemplate as Made, LaunchTemplateBlockDeviceMappingRequest,
    LaunchTemplateCapacityReservationSpecificationRequest, LaunchTemplateEbsBlockDeviceRequest,
    LaunchTemplateIamInstanceProfileSpecificationRequest, LaunchTemplateInstanceMetadataOptionsRequest,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest, LaunchTemplatePlacementRequest,
    LaunchTemplateTagSpecificationRequest, RequestLaunchTemplateData, ResourceType,
};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live};
use clusterctl_core::value::{same, sha256_hex};
use serde_json::Value;

use super::Holder;
use crate::client::{Client, fail, unless_missing};
use crate::drivers::ec2::{Of, given, has, id, live, retag, tagged, updated};
use crate::names;
use crate::observe::control_plane::any_of;
use crate::observe::node_groups::template::{live_launch_template, plain};
use crate::observe::node_groups::{latest, templates};
use crate::resources::node_groups::{BlockDeviceMapping, LaunchInterface, LaunchTemplate, TagSpecification};

/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html>.
#[derive(Debug, Clone)]
pub(super) struct LaunchTemplates(pub(super) Client);

impl LaunchTemplates {
    async fn version(&self, call: &Call, template: &str, want: &LaunchTemplate) -> Result<i64, CloudError> {
        // The same token for the same content: tried again it gives the version that is there.
        let token = sha256_hex(format!("{}/{}", call.token, live(template, want).args).as_bytes());
        let request =
            self.0.ec2.create_launch_template_version().launch_template_id(template).client_token(&token[..40]);
        let answer = request.launch_template_data(data(want)).send().await;
        let answer = answer.map_err(|e| fail("ec2:CreateLaunchTemplateVersion", &e))?;
        given(answer.launch_template_version().and_then(|v| v.version_number()), "ec2:CreateLaunchTemplateVersion")
    }

    async fn live(&self, made: &[Made]) -> Result<Vec<Live>, CloudError> {
        let ids = made.iter().filter_map(Made::launch_template_id);
        let versions = futures::future::try_join_all(ids.map(|id| latest(&self.0, Some(id)))).await?;
        Ok(made.iter().zip(&versions).map(|(made, version)| live_launch_template(made, version.first())).collect())
    }
}

fn on(text: &str) -> Option<bool> {
    text.parse().ok()
}

fn interface(nic: &LaunchInterface) -> LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .device_index(nic.device_index)
        .set_network_card_index(nic.network_card_index)
        .set_interface_type(nic.interface_type.clone())
        .set_associate_public_ip_address(nic.associate_public_ip_address.as_deref().and_then(on))
        .set_delete_on_termination(on(&nic.delete_on_termination))
        .set_groups(Some(nic.security_groups.iter().map(|group| id(group).to_owned()).collect()))
        .build()
}

fn disk(mapping: &BlockDeviceMapping) -> LaunchTemplateBlockDeviceMappingRequest {
    let ebs = LaunchTemplateEbsBlockDeviceRequest::builder()
        .volume_size(mapping.ebs.volume_size)
        .volume_type(mapping.ebs.volume_type.as_str().into())
        .set_encrypted(on(&mapping.ebs.encrypted))
        .set_delete_on_termination(on(&mapping.ebs.delete_on_termination));
    LaunchTemplateBlockDeviceMappingRequest::builder().device_name(&mapping.device_name).ebs(ebs.build()).build()
}

fn launched(tags: &TagSpecification) -> LaunchTemplateTagSpecificationRequest {
    LaunchTemplateTagSpecificationRequest::builder()
        .resource_type(tags.resource_type.as_str().into())
        .set_tags(tagged(ResourceType::Instance, &tags.tags).tags)
        .build()
}

fn data(want: &LaunchTemplate) -> RequestLaunchTemplateData {
    let profile = LaunchTemplateIamInstanceProfileSpecificationRequest::builder();
    let options = LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_endpoint(want.metadata_options.http_endpoint.as_str().into())
        .http_tokens(want.metadata_options.http_tokens.as_str().into())
        .http_put_response_hop_limit(want.metadata_options.http_put_response_hop_limit);
    let placement = want
        .placement
        .as_ref()
        .map(|placement| LaunchTemplatePlacementRequest::builder().group_name(id(&placement.group_name)).build());
    let reservation = want.capacity_reservation_specification.as_ref().map(|specification| {
        let reservation = id(&specification.capacity_reservation_target.capacity_reservation_id);
        let target = CapacityReservationTarget::builder().capacity_reservation_id(reservation).build();
        LaunchTemplateCapacityReservationSpecificationRequest::builder().capacity_reservation_target(target).build()
    });
    RequestLaunchTemplateData::builder()
        .image_id(id(&want.image_id))
        .instance_type(want.instance_type.as_str().into())
        .set_key_name(want.key_name.as_ref().map(|key| id(key).to_owned()))
        .user_data(want.user_data.sent())
        .iam_instance_profile(profile.name(id(&want.iam_instance_profile.name)).build())
        .set_network_interfaces(Some(want.network_interfaces.iter().map(interface).collect()))
        .set_block_device_mappings(Some(want.block_device_mappings.iter().map(disk).collect()))
        .metadata_options(options.build())
        .set_placement(placement)
        .set_capacity_reservation_specification(reservation)
        .set_tag_specifications(Some(want.tag_specifications.iter().map(launched).collect()))
        .build()
}

/// What is wanted as an observation would tell it.
fn told(want: &LaunchTemplate) -> LaunchTemplate {
    LaunchTemplate { user_data: plain(want.user_data.sent()), ..want.clone() }
}

fn holder(made: &Made) -> Holder<'_> {
    let tag = |key| made.tags().iter().find(|tag| tag.key() == Some(key))?.value();
    Holder { uid: tag(names::UID), address: tag(names::ADDRESS), cluster: tag(names::CLUSTER) }
}

#[async_trait]
impl Driver for LaunchTemplates {
    type Resource = LaunchTemplate;

    async fn create(&self, call: &Call, want: LaunchTemplate) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_launch_template().client_token(&call.token).launch_template_name(&want.name);
        let request = request.launch_template_data(data(&want));
        let request = request.tag_specifications(tagged(ResourceType::LaunchTemplate, &want.tags));
        let error = match request.send().await {
            Ok(answer) => {
                let id = answer.launch_template().and_then(|made| made.launch_template_id());
                let id = given(id, "ec2:CreateLaunchTemplate")?;
                return Ok(updated(&Live::new(id).with("latest_version", 1), &told(&want)));
            }
            Err(error) => fail("ec2:CreateLaunchTemplate", &error),
        };
        if error.fault != Fault::Conflict {
            return Err(error);
        }
        let named = templates(&self.0, vec![any_of("launch-template-name", [want.name.as_str()])]).await?;
        let ours: Vec<Made> = named.iter().filter(|made| holder(made).is(call)).cloned().collect();
        let Some(live) = self.live(&ours).await?.into_iter().next() else {
            return Err(named.first().map(holder).unwrap_or_default().conflict(call, &error, &want.name));
        };
        if same(&updated(&live, &told(&want)).args, &live.args) {
            return Ok(live);
        }
        self.update(call, &live, want, &["user_data".to_owned(), "tags".to_owned()]).await
    }

    /// A new version, and then the default; only what a version does not hold changes in place.
    async fn update(
        &self,
        call: &Call,
        live: &Live,
        want: LaunchTemplate,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        let content = changed.iter().any(|name| !matches!(name.as_str(), "tags" | "update_default_version"));
        let newest = live.outputs.get("latest_version").and_then(Value::as_i64).unwrap_or(1);
        let newest = if content { self.version(call, &live.id, &want).await? } else { newest };
        if content || has(changed, "update_default_version") {
            let request = self.0.ec2.modify_launch_template().launch_template_id(&live.id);
            let request = request.client_token(self.0.fresh_token());
            let answer = request.default_version(newest.to_string()).send().await;
            answer.map_err(|e| fail("ec2:ModifyLaunchTemplate", &e))?;
        }
        Ok(updated(&live.clone().with("latest_version", newest), &told(&want)))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_launch_template().launch_template_id(&live.id).send().await;
        unless_missing(answer.map(|_| ()).map_err(|e| fail("ec2:DeleteLaunchTemplate", &e)))
    }

    async fn find(&self, call: &Call, _want: LaunchTemplate) -> Result<Vec<Live>, CloudError> {
        self.live(&templates(&self.0, Of::call(call).filters()).await?).await
    }
}
