//! VPCs and subnets.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html> and
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html> take no client token: what a lost answer
//! left behind is found by its tags.

use async_trait::async_trait;
use aws_sdk_ec2::types::{self, AttributeBooleanValue, ResourceType, VpcAttributeName};
use clusterctl_core::cloud::{Call, CloudError, Driver, Live};
use futures::future::try_join_all;

use crate::client::{Client, fail, unless_missing};
use crate::drivers::ec2::{Found, Of, given, has, id, input, live, lives, retag, tagged, tags_of, updated};
use crate::resources::network::{Subnet, Vpc};

#[derive(Debug)]
pub(crate) struct Vpcs(pub(crate) Client);

impl Vpcs {
    /// One attribute is one request; names are refused without the resolution that serves them, so that comes first.
    async fn set_dns(&self, vpc: &str, want: &Vpc) -> Result<(), CloudError> {
        let truth = |value| AttributeBooleanValue::builder().value(value).build();
        let support = self.0.ec2.modify_vpc_attribute().vpc_id(vpc).enable_dns_support(truth(want.enable_dns_support));
        let names =
            self.0.ec2.modify_vpc_attribute().vpc_id(vpc).enable_dns_hostnames(truth(want.enable_dns_hostnames));
        let order = if want.enable_dns_support { [support, names] } else { [names, support] };
        for request in order {
            request.send().await.map_err(|e| fail("ec2:ModifyVpcAttribute", &e))?;
        }
        Ok(())
    }

    /// A new VPC has resolution and no names.
    async fn set_up(&self, vpc: &str, want: &Vpc) -> Result<(), CloudError> {
        if want.enable_dns_support && want.enable_dns_hostnames {
            let yes = AttributeBooleanValue::builder().value(true).build();
            let request = self.0.ec2.modify_vpc_attribute().vpc_id(vpc).enable_dns_hostnames(yes);
            request.send().await.map_err(|e| fail("ec2:ModifyVpcAttribute", &e))?;
            Ok(())
        } else if want.enable_dns_support {
            Ok(())
        } else {
            self.set_dns(vpc, want).await
        }
    }
}

#[async_trait]
impl Driver for Vpcs {
    type Resource = Vpc;

    async fn create(&self, _call: &Call, want: Vpc) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_vpc().cidr_block(&want.cidr_block);
        let request = request.tag_specifications(tagged(ResourceType::Vpc, &want.tags));
        let answer = request.send().await.map_err(|e| fail("ec2:CreateVpc", &e))?;
        let answered = given(answer.vpc, "ec2:CreateVpc")?;
        let vpc_id = given(answered.vpc_id(), "ec2:CreateVpc")?;
        let is = |vpc: &Vpc| live(vpc_id, vpc).with("owner_id", answered.owner_id().unwrap_or_default());
        let made = is(&Vpc { enable_dns_support: true, enable_dns_hostnames: false, ..want.clone() });
        self.set_up(vpc_id, &want).await.map_err(|error| error.after(made))?;
        Ok(is(&want))
    }

    async fn update(&self, _call: &Call, live: &Live, want: Vpc, changed: &[String]) -> Result<Live, CloudError> {
        if has(changed, "enable_dns_support") || has(changed, "enable_dns_hostnames") {
            self.set_dns(&live.id, &want).await?;
        }
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_vpc().vpc_id(&live.id).send().await;
        unless_missing(answer.map(drop).map_err(|e| fail("ec2:DeleteVpc", &e)))
    }

    async fn find(&self, call: &Call, _want: Vpc) -> Result<Vec<Live>, CloudError> {
        vpcs(&self.0, Of::call(call)).await.map(lives)
    }
}

/// Reads VPCs with one further call for each, and an owner has one.
pub(crate) async fn vpcs(client: &Client, of: Of<'_>) -> Result<Found, CloudError> {
    let pages = client.ec2.describe_vpcs().set_filters(Some(of.filters())).into_paginator().items();
    let all: Vec<types::Vpc> =
        pages.send().collect::<Result<_, _>>().await.map_err(|e| fail("ec2:DescribeVpcs", &e))?;
    let ours = all.iter().filter_map(|vpc| Some((of.address::<Vpc>(vpc.tags.as_deref())?, vpc)));
    try_join_all(ours.map(async |(addr, vpc)| {
        let names = VpcAttributeName::EnableDnsHostnames;
        let request = client.ec2.describe_vpc_attribute().attribute(names).set_vpc_id(vpc.vpc_id.clone());
        let answer = request.send().await.map_err(|e| fail("ec2:DescribeVpcAttribute", &e))?;
        Ok((addr, live_vpc(vpc, answer.enable_dns_hostnames.as_ref())))
    }))
    .await
}

/// There are no names without resolution
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcAttribute.html>), so names alone are asked for;
/// where they are missing, [`Vpcs::set_dns`] sets both.
fn live_vpc(vpc: &types::Vpc, names: Option<&AttributeBooleanValue>) -> Live {
    let resource = Vpc {
        cidr_block: vpc.cidr_block().unwrap_or_default().to_owned(),
        enable_dns_support: true,
        enable_dns_hostnames: names.and_then(AttributeBooleanValue::value).unwrap_or_default(),
        tags: tags_of(vpc.tags.as_deref()),
    };
    live(vpc.vpc_id().unwrap_or_default(), &resource).with("owner_id", vpc.owner_id().unwrap_or_default())
}

#[derive(Debug)]
pub(crate) struct Subnets(pub(crate) Client);

#[async_trait]
impl Driver for Subnets {
    type Resource = Subnet;

    async fn create(&self, _call: &Call, want: Subnet) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_subnet().vpc_id(id(&want.vpc_id)).cidr_block(&want.cidr_block);
        let request = request.availability_zone(&want.availability_zone);
        let request = request.tag_specifications(tagged(ResourceType::Subnet, &want.tags));
        let answer = request.send().await.map_err(|e| fail("ec2:CreateSubnet", &e))?;
        let subnet_id = given(answer.subnet.and_then(|subnet| subnet.subnet_id), "ec2:CreateSubnet")?;
        Ok(live(&subnet_id, &want))
    }

    async fn update(&self, _call: &Call, live: &Live, want: Subnet, changed: &[String]) -> Result<Live, CloudError> {
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_subnet().subnet_id(&live.id).send().await;
        unless_missing(answer.map(drop).map_err(|e| fail("ec2:DeleteSubnet", &e)))
    }

    async fn find(&self, call: &Call, _want: Subnet) -> Result<Vec<Live>, CloudError> {
        subnets(&self.0, Of::call(call)).await.map(lives)
    }
}

pub(crate) async fn subnets(client: &Client, of: Of<'_>) -> Result<Found, CloudError> {
    let pages = client.ec2.describe_subnets().set_filters(Some(of.filters())).into_paginator().items();
    let all: Vec<types::Subnet> =
        pages.send().collect::<Result<_, _>>().await.map_err(|e| fail("ec2:DescribeSubnets", &e))?;
    let ours = |subnet: &types::Subnet| Some((of.address::<Subnet>(subnet.tags.as_deref())?, live_subnet(subnet)));
    Ok(all.iter().filter_map(ours).collect())
}

fn live_subnet(subnet: &types::Subnet) -> Live {
    let resource = Subnet {
        vpc_id: input(subnet.vpc_id()),
        cidr_block: subnet.cidr_block().unwrap_or_default().to_owned(),
        availability_zone: subnet.availability_zone().unwrap_or_default().to_owned(),
        tags: tags_of(subnet.tags.as_deref()),
    };
    live(subnet.subnet_id().unwrap_or_default(), &resource)
}
