//! Placement groups: machines that stand close to each other.

use async_trait::async_trait;
use aws_sdk_ec2::types::{PlacementGroup as Seen, PlacementGroupState, ResourceType};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress, Remains};
use serde_json::Value;

use super::Holder;
use crate::client::{Client, fail};
use crate::drivers::ec2::{Of, given, has, retag, tagged, updated};
use crate::names;
use crate::observe::control_plane::any_of;
use crate::observe::node_groups::{live_placement_group, placement_groups};
use crate::resources::node_groups::PlacementGroup;

/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreatePlacementGroup.html>.
#[derive(Debug, Clone)]
pub(super) struct PlacementGroups(pub(super) Client);

impl PlacementGroups {
    async fn named(&self, name: &str) -> Result<Option<Seen>, CloudError> {
        let answer = self.0.ec2.describe_placement_groups().filters(any_of("group-name", [name])).send().await;
        let answer = answer.map_err(|e| fail("ec2:DescribePlacementGroups", &e))?;
        Ok(answer.placement_groups.unwrap_or_default().into_iter().next())
    }
}

fn holder(seen: &Seen) -> Holder<'_> {
    let tag = |key| seen.tags().iter().find(|tag| tag.key() == Some(key))?.value();
    Holder { uid: tag(names::UID), address: tag(names::ADDRESS), cluster: tag(names::CLUSTER) }
}

#[async_trait]
impl Driver for PlacementGroups {
    type Resource = PlacementGroup;

    /// CreatePlacementGroup takes no token; its name is unique, and a name that is taken may be ours.
    async fn create(&self, call: &Call, want: PlacementGroup) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_placement_group().group_name(&want.name);
        let request = request.strategy(want.strategy.as_str().into());
        let request = request.tag_specifications(tagged(ResourceType::PlacementGroup, &want.tags));
        let error = match request.send().await {
            Ok(answer) => {
                let group = given(answer.placement_group(), "ec2:CreatePlacementGroup")?;
                let id = group.group_id().unwrap_or_default();
                let live = Live::new(&want.name).with("name", want.name.as_str()).with("placement_group_id", id);
                return Ok(updated(&live, &want));
            }
            Err(error) => fail("ec2:CreatePlacementGroup", &error),
        };
        if error.fault != Fault::Conflict {
            return Err(error);
        }
        match self.named(&want.name).await? {
            Some(seen) if !holder(&seen).is(call) => Err(holder(&seen).conflict(call, &error, &want.name)),
            Some(seen) if seen.state() == Some(&PlacementGroupState::Available) => Ok(live_placement_group(&seen)),
            _ => Err(CloudError { fault: Fault::NotReady, ..error }),
        }
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: PlacementGroup,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if has(changed, "tags") {
            let id = live.outputs.get("placement_group_id").and_then(Value::as_str).unwrap_or_default();
            retag(&self.0, id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_placement_group().group_name(&live.id).send().await;
        match answer.map_err(|e| fail("ec2:DeletePlacementGroup", &e)) {
            Err(error) if error.code != "InvalidPlacementGroup.Unknown" => Err(error),
            _ => Ok(()),
        }
    }

    async fn find(&self, call: &Call, _want: PlacementGroup) -> Result<Vec<Live>, CloudError> {
        Ok(placement_groups(&self.0, Of::call(call).filters()).await?.iter().map(live_placement_group).collect())
    }

    async fn ready(&self, _call: &Call, live: &Live, _want: PlacementGroup) -> Result<Progress, CloudError> {
        let seen = self.named(&live.id).await?;
        Ok(match seen.as_ref().and_then(Seen::state) {
            Some(PlacementGroupState::Available) => Progress::Done(live.clone()),
            state => Progress::Pending(state.map_or("not visible yet", PlacementGroupState::as_str).to_owned()),
        })
    }

    async fn gone(&self, _call: &Call, live: &Live) -> Result<Remains, CloudError> {
        let seen = self.named(&live.id).await?;
        Ok(match seen.as_ref().and_then(Seen::state) {
            None | Some(PlacementGroupState::Deleted) => Remains::Nothing,
            Some(state) => Remains::Something(state.as_str().to_owned()),
        })
    }
}
