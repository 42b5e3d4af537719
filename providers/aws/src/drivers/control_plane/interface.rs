//! Network interfaces with a fixed address.

use async_trait::async_trait;
use aws_sdk_ec2::types::{AttributeBooleanValue, AttributeValue, ResourceType};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress};

use crate::client::{Client, fail, is_missing, unless_missing};
use crate::drivers::ec2::{Of, given, has, id, retag, tagged, updated};
use crate::observe::control_plane::{interfaces, live_interface};
use crate::resources::control_plane::NetworkInterface;

/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html>.
#[derive(Debug, Clone)]
pub(super) struct Interfaces(pub(super) Client);

const MODIFY: &str = "ec2:ModifyNetworkInterfaceAttribute";

impl Interfaces {
    async fn check_source(&self, interface: &str, on: bool) -> Result<(), CloudError> {
        let value = AttributeBooleanValue::builder().value(on).build();
        let call =
            self.0.ec2.modify_network_interface_attribute().network_interface_id(interface).source_dest_check(value);
        call.send().await.map_err(|e| fail(MODIFY, &e))?;
        Ok(())
    }
}

fn groups(want: &NetworkInterface) -> Vec<String> {
    want.security_groups.iter().map(|group| id(group).to_owned()).collect()
}

#[async_trait]
impl Driver for Interfaces {
    type Resource = NetworkInterface;

    async fn create(&self, call: &Call, want: NetworkInterface) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_network_interface();
        let answer = request
            .client_token(&call.token)
            .subnet_id(id(&want.subnet_id))
            .description(&want.description)
            .set_private_ip_address(want.private_ips.as_ref().and_then(|addresses| addresses.first().cloned()))
            .set_groups(Some(groups(&want)))
            .tag_specifications(tagged(ResourceType::NetworkInterface, &want.tags))
            .send()
            .await
            .map_err(|e| fail("ec2:CreateNetworkInterface", &e))?;
        let interface = given(answer.network_interface, "ec2:CreateNetworkInterface")?;
        Ok(live_interface(&interface))
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: NetworkInterface,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        // EC2 takes one attribute at a time.
        let request = || self.0.ec2.modify_network_interface_attribute().network_interface_id(&live.id);
        if has(changed, "description") {
            let value = AttributeValue::builder().value(&want.description).build();
            request().description(value).send().await.map_err(|e| fail(MODIFY, &e))?;
        }
        if has(changed, "security_groups") {
            request().set_groups(Some(groups(&want))).send().await.map_err(|e| fail(MODIFY, &e))?;
        }
        if has(changed, "source_dest_check") {
            self.check_source(&live.id, want.source_dest_check).await?;
        }
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_network_interface().network_interface_id(&live.id).send().await;
        let result = answer.map(|_| ()).map_err(|e| fail("ec2:DeleteNetworkInterface", &e));
        unless_missing(result.map_err(|mut error| {
            // `InvalidParameterValue: Network interface 'eni-1' is currently in use`: until its machine has ended.
            if error.message.contains("in use") {
                error.fault = Fault::NotReady;
            }
            error
        }))
    }

    async fn find(&self, call: &Call, _want: NetworkInterface) -> Result<Vec<Live>, CloudError> {
        Ok(interfaces(&self.0, Of::call(call).filters()).await?.iter().map(live_interface).collect())
    }

    /// A create cannot say that the source/destination check is off, so what it left on is put right here, where it may
    /// fail and be tried again without a second interface.
    async fn ready(&self, _call: &Call, live: &Live, want: NetworkInterface) -> Result<Progress, CloudError> {
        let request = self.0.ec2.describe_network_interfaces().network_interface_ids(&live.id);
        let seen = match request.send().await.map_err(|e| fail("ec2:DescribeNetworkInterfaces", &e)) {
            Ok(answer) => answer.network_interfaces.unwrap_or_default().into_iter().next(),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(error),
        };
        let Some(interface) = seen else { return Ok(Progress::Pending("not visible yet".to_owned())) };
        // The create call answers with this state, though the SDK's list of states does not have it.
        if interface.status().is_some_and(|status| status.as_str() == "pending") {
            return Ok(Progress::Pending("pending".to_owned()));
        }
        if interface.source_dest_check() == Some(!want.source_dest_check) {
            self.check_source(&live.id, want.source_dest_check).await?;
            return Ok(Progress::Done(updated(live, &want)));
        }
        Ok(Progress::Done(live.clone()))
    }
}
