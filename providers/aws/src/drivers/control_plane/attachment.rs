//! The tie between a disk and its machine.

use async_trait::async_trait;
use aws_sdk_ec2::types::{InstanceStateName, VolumeAttachmentState};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress, Remains};
use clusterctl_core::value::typed;

use super::volume::volume;
use crate::client::{Client, fail, is_missing, unless_missing};
use crate::drivers::ec2::id;
use crate::observe::control_plane::{attachment_of, live_attachment};
use crate::resources::control_plane::VolumeAttachment;

/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html>.
#[derive(Debug, Clone)]
pub(super) struct Attachments(pub(super) Client);

fn wanted(want: &VolumeAttachment) -> Live {
    attachment_of(id(&want.volume_id), id(&want.instance_id), &want.device_name)
}

#[async_trait]
impl Driver for Attachments {
    type Resource = VolumeAttachment;

    /// AttachVolume takes no token, but a disk is attached once: that it is in use says who has it.
    async fn create(&self, call: &Call, want: VolumeAttachment) -> Result<Live, CloudError> {
        let request = self.0.ec2.attach_volume().device(&want.device_name);
        let request = request.instance_id(id(&want.instance_id)).volume_id(id(&want.volume_id));
        let Err(error) = request.send().await else { return Ok(wanted(&want)) };
        let error = fail("ec2:AttachVolume", &error);
        if error.code != "VolumeInUse" {
            return Err(error);
        }
        match self.find(call, want.clone()).await?.into_iter().next() {
            Some(live) => Ok(live),
            None => Err(error),
        }
    }

    async fn update(
        &self,
        call: &Call,
        live: &Live,
        _want: VolumeAttachment,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        let message = format!("{} cannot change in place: {}", call.addr, changed.join(", "));
        match changed {
            [] => Ok(live.clone()),
            _ => Err(CloudError::new(Fault::Permanent, "ec2:AttachVolume", "NotSupported", message)),
        }
    }

    /// Stops the machine, then detaches.
    ///
    /// Nothing writes to the disk any more, and a disk that is mounted would hang in `busy`
    /// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-detaching-volume.html>). An attachment only goes when its
    /// machine or its disk does, so a machine that stays stopped is on its way out. Asked again until it has stopped.
    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        let Ok(tie) = typed::<VolumeAttachment>(&live.args) else {
            let message = format!("{} does not tell its disk and machine", call.addr);
            return Err(CloudError::new(Fault::Permanent, "ec2:DetachVolume", "BadArguments", message));
        };
        let (machine, disk) = (id(&tie.instance_id), id(&tie.volume_id));
        match self.0.ec2.stop_instances().instance_ids(machine).send().await {
            Ok(answer) => {
                let change = answer.stopping_instances().first();
                let stopped = change.into_iter().flat_map(|c| [c.current_state(), c.previous_state()]).flatten();
                if !stopped.into_iter().any(|state| state.name() == Some(&InstanceStateName::Stopped)) {
                    let message = format!("{machine} is stopping, so that nothing writes to {disk} any more");
                    return Err(CloudError::new(Fault::NotReady, "ec2:StopInstances", "Stopping", message));
                }
            }
            Err(error) => {
                let error = fail("ec2:StopInstances", &error);
                // A machine that has ended, or never started, cannot be stopped.
                if error.code != "IncorrectInstanceState" && !is_missing(&error) {
                    return Err(error);
                }
            }
        }
        let request = self.0.ec2.detach_volume().volume_id(disk).instance_id(machine).device(&tie.device_name);
        let result = request.send().await.map(|_| ()).map_err(|e| fail("ec2:DetachVolume", &e));
        match result {
            // `IncorrectState: Volume 'vol-1' is in the 'available' state.`
            Err(error) if error.code == "IncorrectState" && error.message.contains("'available'") => Ok(()),
            other => unless_missing(other),
        }
    }

    async fn find(&self, _call: &Call, want: VolumeAttachment) -> Result<Vec<Live>, CloudError> {
        let disk = volume(&self.0, id(&want.volume_id)).await?;
        let live = disk.as_ref().and_then(live_attachment);
        Ok(live.into_iter().filter(|live| live.id == wanted(&want).id).collect())
    }

    async fn ready(&self, _call: &Call, live: &Live, want: VolumeAttachment) -> Result<Progress, CloudError> {
        let disk = volume(&self.0, id(&want.volume_id)).await?;
        let machine = want.instance_id.value();
        let tie = disk.as_ref().and_then(|d| d.attachments().iter().find(|a| a.instance_id() == machine));
        match tie.and_then(|tie| tie.state()) {
            Some(VolumeAttachmentState::Attached) => Ok(Progress::Done(live.clone())),
            state => Ok(Progress::Pending(state.map_or("not visible yet", VolumeAttachmentState::as_str).to_owned())),
        }
    }

    async fn gone(&self, _call: &Call, live: &Live) -> Result<Remains, CloudError> {
        let Some((disk, machine)) = live.id.split_once(':') else { return Ok(Remains::Nothing) };
        let disk = volume(&self.0, disk).await?;
        let tie = disk.as_ref().and_then(|d| d.attachments().iter().find(|a| a.instance_id() == Some(machine)));
        Ok(match tie.and_then(|tie| tie.state()) {
            None | Some(VolumeAttachmentState::Detached) => Remains::Nothing,
            Some(state) => Remains::Something(state.as_str().to_owned()),
        })
    }
}
