//! Disks that outlive the machine.

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Volume, VolumeState};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress, Remains};

use crate::client::{Client, fail, is_missing, unless_missing};
use crate::drivers::ec2::{Of, given, has, live, retag, tagged, updated};
use crate::observe::control_plane::{live_volume, volumes};
use crate::resources::control_plane::EbsVolume;

/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>.
#[derive(Debug, Clone)]
pub(super) struct Volumes(pub(super) Client);

/// One disk, or none.
pub(super) async fn volume(client: &Client, id: &str) -> Result<Option<Volume>, CloudError> {
    let answer = client.ec2.describe_volumes().volume_ids(id).send().await;
    match answer.map_err(|e| fail("ec2:DescribeVolumes", &e)) {
        Ok(answer) => Ok(answer.volumes.unwrap_or_default().into_iter().next()),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Driver for Volumes {
    type Resource = EbsVolume;

    async fn create(&self, call: &Call, want: EbsVolume) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_volume();
        let answer = request
            .client_token(&call.token)
            .availability_zone(&want.availability_zone)
            .size(want.size)
            .volume_type(want.r#type.as_str().into())
            .encrypted(want.encrypted)
            .tag_specifications(tagged(ResourceType::Volume, &want.tags))
            .send()
            .await
            .map_err(|e| fail("ec2:CreateVolume", &e))?;
        Ok(live(given(answer.volume_id(), "ec2:CreateVolume")?, &want))
    }

    async fn update(&self, _call: &Call, live: &Live, want: EbsVolume, changed: &[String]) -> Result<Live, CloudError> {
        if has(changed, "size") || has(changed, "type") {
            let request = self.0.ec2.modify_volume().volume_id(&live.id);
            let request = request.size(want.size).volume_type(want.r#type.as_str().into());
            request.send().await.map_err(|e| fail("ec2:ModifyVolume", &e))?;
        }
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_volume().volume_id(&live.id).send().await;
        unless_missing(answer.map(|_| ()).map_err(|e| fail("ec2:DeleteVolume", &e)))
    }

    async fn find(&self, call: &Call, _want: EbsVolume) -> Result<Vec<Live>, CloudError> {
        Ok(volumes(&self.0, Of::call(call).filters()).await?.iter().map(live_volume).collect())
    }

    async fn ready(&self, call: &Call, live: &Live, _want: EbsVolume) -> Result<Progress, CloudError> {
        let disk = volume(&self.0, &live.id).await?;
        match disk.as_ref().and_then(Volume::state) {
            Some(VolumeState::Available | VolumeState::InUse) => Ok(Progress::Done(live.clone())),
            // https://docs.aws.amazon.com/ebs/latest/userguide/ebs-describing-volumes.html
            Some(VolumeState::Error) => {
                let message = format!("the disk {} of {} could not be made", live.id, call.addr);
                Err(CloudError::new(Fault::Permanent, "ec2:CreateVolume", "error", message))
            }
            state => Ok(Progress::Pending(state.map_or("not visible yet", VolumeState::as_str).to_owned())),
        }
    }

    async fn gone(&self, _call: &Call, live: &Live) -> Result<Remains, CloudError> {
        let disk = volume(&self.0, &live.id).await?;
        Ok(match disk.as_ref().and_then(Volume::state) {
            None | Some(VolumeState::Deleted) => Remains::Nothing,
            Some(state) => Remains::Something(state.as_str().to_owned()),
        })
    }
}
