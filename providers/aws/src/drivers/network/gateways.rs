//! Internet gateways, elastic addresses and NAT gateways.

use async_trait::async_trait;
use aws_sdk_ec2::types::{self, AttachmentStatus, DomainType, Filter, NatGatewayState, ResourceType};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress, Remains};

use crate::client::{Client, fail, is_missing, refused, unless_missing};
use crate::drivers::ec2::{Found, Of, arg, given, has, id, input, live, lives, retag, tagged, tags_of, updated};
use crate::resources::network::{Eip, InternetGateway, NatGateway};

/// An internet gateway and its attachment are one resource.
///
/// Without attachment its `vpc_id` is empty, so that the plan sees the difference and the update attaches it.
#[derive(Debug)]
pub(crate) struct InternetGateways(pub(crate) Client);

impl InternetGateways {
    async fn attach(&self, gateway: &str, vpc: &str) -> Result<(), CloudError> {
        let request = self.0.ec2.attach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc);
        match request.send().await.map_err(|e| fail("ec2:AttachInternetGateway", &e)) {
            Err(error) if error.code == "Resource.AlreadyAssociated" => {
                // Perhaps the answer to an earlier attempt was lost: then it is where it should be.
                let request = self.0.ec2.describe_internet_gateways().internet_gateway_ids(gateway);
                let answer = request.send().await.map_err(|e| fail("ec2:DescribeInternetGateways", &e))?;
                let there = answer.internet_gateways().iter().any(|gateway| attached(gateway) == Some(vpc));
                if there { Ok(()) } else { Err(error) }
            }
            other => other.map(drop),
        }
    }

    async fn detach(&self, gateway: &str, vpc: &str) -> Result<(), CloudError> {
        if vpc.is_empty() {
            return Ok(());
        }
        let request = self.0.ec2.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc);
        unless_missing(request.send().await.map(drop).map_err(|e| fail("ec2:DetachInternetGateway", &e)))
    }
}

#[async_trait]
impl Driver for InternetGateways {
    type Resource = InternetGateway;

    async fn create(&self, _call: &Call, want: InternetGateway) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_internet_gateway();
        let request = request.tag_specifications(tagged(ResourceType::InternetGateway, &want.tags));
        let answer = request.send().await.map_err(|e| fail("ec2:CreateInternetGateway", &e))?;
        let gateway = answer.internet_gateway.and_then(|gateway| gateway.internet_gateway_id);
        let gateway = given(gateway, "ec2:CreateInternetGateway")?;
        let made = live(&gateway, &InternetGateway { vpc_id: input(None), ..want.clone() });
        self.attach(&gateway, id(&want.vpc_id)).await.map_err(|error| error.after(made))?;
        Ok(live(&gateway, &want))
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: InternetGateway,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if has(changed, "vpc_id") {
            self.detach(&live.id, arg(live, "vpc_id")).await?;
            self.attach(&live.id, id(&want.vpc_id)).await?;
        }
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        self.detach(&live.id, arg(live, "vpc_id")).await?;
        let answer = self.0.ec2.delete_internet_gateway().internet_gateway_id(&live.id).send().await;
        unless_missing(answer.map(drop).map_err(|e| fail("ec2:DeleteInternetGateway", &e)))
    }

    async fn find(&self, call: &Call, _want: InternetGateway) -> Result<Vec<Live>, CloudError> {
        internet_gateways(&self.0, Of::call(call)).await.map(lives)
    }
}

pub(crate) async fn internet_gateways(client: &Client, of: Of<'_>) -> Result<Found, CloudError> {
    let pages = client.ec2.describe_internet_gateways().set_filters(Some(of.filters())).into_paginator().items();
    let all: Vec<types::InternetGateway> =
        pages.send().collect::<Result<_, _>>().await.map_err(|e| fail("ec2:DescribeInternetGateways", &e))?;
    let ours = |gateway: &types::InternetGateway| {
        Some((of.address::<InternetGateway>(gateway.tags.as_deref())?, live_internet_gateway(gateway)))
    };
    Ok(all.iter().filter_map(ours).collect())
}

fn live_internet_gateway(gateway: &types::InternetGateway) -> Live {
    let resource = InternetGateway { vpc_id: input(attached(gateway)), tags: tags_of(gateway.tags.as_deref()) };
    live(gateway.internet_gateway_id().unwrap_or_default(), &resource)
}

fn attached(gateway: &types::InternetGateway) -> Option<&str> {
    let leaving = |state: &AttachmentStatus| matches!(state, AttachmentStatus::Detached | AttachmentStatus::Detaching);
    gateway.attachments().iter().find(|attachment| !attachment.state().is_some_and(leaving))?.vpc_id()
}

/// An elastic address, with its association when an interface is wanted.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html> takes no client token.
#[derive(Debug)]
pub(crate) struct Eips(pub(crate) Client);

impl Eips {
    /// Idempotent, also from another interface of ours to this one.
    async fn associate(&self, live: Live, want: &Eip) -> Result<Live, CloudError> {
        let Some(interface) = want.network_interface.as_ref() else { return Ok(live) };
        let request = self.0.ec2.associate_address().allocation_id(&live.id).network_interface_id(id(interface));
        let answer = request.allow_reassociation(true).send().await.map_err(|e| fail("ec2:AssociateAddress", &e))?;
        Ok(live.with("association_id", answer.association_id.unwrap_or_default()))
    }

    async fn release(&self, allocation: &str) -> Result<(), CloudError> {
        let answer = self.0.ec2.release_address().allocation_id(allocation).send().await;
        match answer.map(drop).map_err(|e| fail("ec2:ReleaseAddress", &e)) {
            Err(error) if error.code == "InvalidAllocationID.NotFound" => Ok(()),
            Err(error) if is_held(&error) => Err(CloudError { fault: Fault::NotReady, ..error }),
            answer => answer,
        }
    }
}

/// Whether an address cannot be released yet. AWS calls it a lack of permission while a NAT gateway has it
/// (<https://github.com/kubernetes/kops/issues/938>), and for a moment afterwards does not find the gateway's interface
/// (<https://github.com/hashicorp/terraform-provider-aws/issues/49299>).
fn is_held(error: &CloudError) -> bool {
    error.code == "InvalidNetworkInterfaceID.NotFound"
        || error.code == "AuthFailure" && error.message.contains("permission to access the specified resource")
}

#[async_trait]
impl Driver for Eips {
    type Resource = Eip;

    async fn create(&self, _call: &Call, want: Eip) -> Result<Live, CloudError> {
        let request = self.0.ec2.allocate_address().domain(DomainType::from(want.domain.as_str()));
        let request = request.tag_specifications(tagged(ResourceType::ElasticIp, &want.tags));
        let answer = request.send().await.map_err(|e| fail("ec2:AllocateAddress", &e))?;
        let allocation = given(answer.allocation_id, "ec2:AllocateAddress")?;
        let public = answer.public_ip.unwrap_or_default();
        let is = |address: &Eip| live(&allocation, address).with("public_ip", public.clone());
        let made = is(&Eip { network_interface: None, ..want.clone() });
        self.associate(is(&want), &want).await.map_err(|error| error.after(made))
    }

    async fn update(&self, _call: &Call, live: &Live, want: Eip, changed: &[String]) -> Result<Live, CloudError> {
        let mut after = updated(live, &want);
        if has(changed, "network_interface") {
            after = self.associate(after, &want).await?;
        }
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(after)
    }

    /// Releases it at once where nothing uses it any more, which is the rule: the association with a NAT gateway ends
    /// with the gateway.
    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let in_use = match self.release(&live.id).await {
            Err(error) if error.code == "InvalidIPAddress.InUse" => error,
            other => return other,
        };
        let association = live.outputs.get("association_id").and_then(serde_json::Value::as_str).unwrap_or_default();
        if association.is_empty() {
            return Err(in_use);
        }
        let answer = self.0.ec2.disassociate_address().association_id(association).send().await;
        unless_missing(answer.map(drop).map_err(|e| fail("ec2:DisassociateAddress", &e)))?;
        self.release(&live.id).await
    }

    async fn find(&self, call: &Call, _want: Eip) -> Result<Vec<Live>, CloudError> {
        eips(&self.0, Of::call(call)).await.map(lives)
    }
}

/// Reads addresses; AWS gives all of them in one page.
pub(crate) async fn eips(client: &Client, of: Of<'_>) -> Result<Found, CloudError> {
    let request = client.ec2.describe_addresses().set_filters(Some(of.filters()));
    let answer = request.send().await.map_err(|e| fail("ec2:DescribeAddresses", &e))?;
    let ours = |address: &types::Address| Some((of.address::<Eip>(address.tags.as_deref())?, live_eip(address)));
    Ok(answer.addresses().iter().filter_map(ours).collect())
}

fn live_eip(address: &types::Address) -> Live {
    let resource = Eip {
        domain: address.domain().map_or("vpc", DomainType::as_str).to_owned(),
        network_interface: address.network_interface_id().filter(|id| !id.is_empty()).map(|id| input(Some(id))),
        tags: tags_of(address.tags.as_deref()),
    };
    let live = live(address.allocation_id().unwrap_or_default(), &resource);
    let live = live.with("public_ip", address.public_ip().unwrap_or_default());
    live.with("association_id", address.association_id().unwrap_or_default())
}

#[derive(Debug)]
pub(crate) struct NatGateways(pub(crate) Client);

impl NatGateways {
    async fn read(&self, gateway: &str) -> Result<Option<types::NatGateway>, CloudError> {
        let request = self.0.ec2.describe_nat_gateways().nat_gateway_ids(gateway);
        let answer = request.send().await.map_err(|e| fail("ec2:DescribeNatGateways", &e))?;
        Ok(answer.nat_gateways.and_then(|all| all.into_iter().next()))
    }
}

#[async_trait]
impl Driver for NatGateways {
    type Resource = NatGateway;

    async fn create(&self, call: &Call, want: NatGateway) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_nat_gateway().client_token(&call.token);
        let request = request.allocation_id(id(&want.allocation_id)).subnet_id(id(&want.subnet_id));
        let request = request.tag_specifications(tagged(ResourceType::Natgateway, &want.tags));
        let answer = request.send().await.map_err(|e| fail("ec2:CreateNatGateway", &e))?;
        let gateway = answer.nat_gateway.and_then(|gateway| gateway.nat_gateway_id);
        Ok(live(&given(gateway, "ec2:CreateNatGateway")?, &want))
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: NatGateway,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_nat_gateway().nat_gateway_id(&live.id).send().await;
        unless_missing(answer.map(drop).map_err(|e| fail("ec2:DeleteNatGateway", &e)))
    }

    async fn find(&self, call: &Call, _want: NatGateway) -> Result<Vec<Live>, CloudError> {
        nat_gateways(&self.0, Of::call(call)).await.map(lives)
    }

    async fn ready(&self, _call: &Call, live: &Live, _want: NatGateway) -> Result<Progress, CloudError> {
        let gateway = self.read(&live.id).await?;
        let state = gateway.as_ref().and_then(types::NatGateway::state);
        match (gateway.as_ref(), state) {
            (_, Some(NatGatewayState::Available)) => Ok(Progress::Done(live.clone())),
            (Some(gateway), Some(NatGatewayState::Failed)) => Err(failed(gateway)),
            (_, Some(NatGatewayState::Deleting | NatGatewayState::Deleted)) => {
                let message = format!("somebody has deleted {} while it was being made", live.id);
                Err(CloudError::new(Fault::Conflict, "ec2:CreateNatGateway", "NatGatewayDeleted", message))
            }
            (_, state) => Ok(Progress::Pending(state.map_or("not visible yet", NatGatewayState::as_str).to_owned())),
        }
    }

    /// A NAT gateway keeps its address and its place in the subnet until it is `deleted`, and is listed for an hour more.
    async fn gone(&self, _call: &Call, live: &Live) -> Result<Remains, CloudError> {
        let gateway = match self.read(&live.id).await {
            Err(error) if is_missing(&error) => None,
            other => other?,
        };
        Ok(match gateway.as_ref().and_then(types::NatGateway::state) {
            None | Some(NatGatewayState::Deleted | NatGatewayState::Failed) => Remains::Nothing,
            Some(state) => Remains::Something(state.as_str().to_owned()),
        })
    }
}

/// Why a NAT gateway has failed. It stays failed, whatever the code says elsewhere, and goes away by itself
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>).
fn failed(gateway: &types::NatGateway) -> CloudError {
    let code = gateway.failure_code().unwrap_or("NatGatewayFailed");
    let error =
        refused("ec2:CreateNatGateway", code, gateway.failure_message().unwrap_or("the NAT gateway has failed"));
    match error.fault {
        Fault::Quota | Fault::Capacity | Fault::Auth => error,
        _ => CloudError { fault: Fault::Permanent, ..error },
    }
}

pub(crate) async fn nat_gateways(client: &Client, of: Of<'_>) -> Result<Found, CloudError> {
    // What has failed or is going away is not there, and is listed for an hour more.
    let states = Filter::builder().name("state").values("pending").values("available").build();
    let filters = of.filters().into_iter().chain([states]).collect();
    let pages = client.ec2.describe_nat_gateways().set_filter(Some(filters)).into_paginator().items();
    let all: Vec<types::NatGateway> =
        pages.send().collect::<Result<_, _>>().await.map_err(|e| fail("ec2:DescribeNatGateways", &e))?;
    let there = |gateway: &types::NatGateway| {
        matches!(gateway.state(), Some(NatGatewayState::Pending | NatGatewayState::Available))
    };
    let ours = |gateway: &types::NatGateway| {
        Some((of.address::<NatGateway>(gateway.tags.as_deref())?, live_nat_gateway(gateway)))
    };
    Ok(all.iter().filter(|gateway| there(gateway)).filter_map(ours).collect())
}

fn live_nat_gateway(gateway: &types::NatGateway) -> Live {
    let addresses = gateway.nat_gateway_addresses();
    let first = addresses.iter().find(|address| address.is_primary() == Some(true)).or_else(|| addresses.first());
    let resource = NatGateway {
        allocation_id: input(first.and_then(|address| address.allocation_id())),
        subnet_id: input(gateway.subnet_id()),
        tags: tags_of(gateway.tags.as_deref()),
    };
    live(gateway.nat_gateway_id().unwrap_or_default(), &resource)
}
