//! Gateway endpoints: the way to S3 that costs nothing.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_ec2::types::{self, ResourceType, VpcEndpointType};
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live, Progress, Remains};
use clusterctl_core::value::Input;

use crate::client::{Client, fail, is_missing, refused, unless_missing};
use crate::drivers::ec2::{Found, Of, given, has, id, input, live, lives, retag, tagged, tags_of, updated};
use crate::resources::RouteTableId;
use crate::resources::network::VpcEndpoint;

#[derive(Debug)]
pub(crate) struct VpcEndpoints(pub(crate) Client);

impl VpcEndpoints {
    async fn read(&self, endpoint: &str) -> Result<Option<types::VpcEndpoint>, CloudError> {
        let request = self.0.ec2.describe_vpc_endpoints().vpc_endpoint_ids(endpoint);
        match request.send().await.map_err(|e| fail("ec2:DescribeVpcEndpoints", &e)) {
            Err(error) if is_missing(&error) => Ok(None),
            answer => Ok(answer?.vpc_endpoints.and_then(|all| all.into_iter().next())),
        }
    }

    async fn route(&self, before: &Live, want: &VpcEndpoint) -> Result<(), CloudError> {
        let had: BTreeSet<Input<RouteTableId>> = before
            .args
            .get("route_table_ids")
            .and_then(|ids| clusterctl_core::value::typed(ids).ok())
            .unwrap_or_default();
        let only = |a: &BTreeSet<Input<RouteTableId>>, b: &BTreeSet<Input<RouteTableId>>| {
            let ids: Vec<String> = a.difference(b).map(|table| id(table).to_owned()).collect();
            (!ids.is_empty()).then_some(ids)
        };
        let request = self.0.ec2.modify_vpc_endpoint().vpc_endpoint_id(&before.id);
        let request = request.set_add_route_table_ids(only(&want.route_table_ids, &had));
        let request = request.set_remove_route_table_ids(only(&had, &want.route_table_ids));
        let error = match request.send().await.map_err(|e| fail("ec2:ModifyVpcEndpoint", &e)) {
            // Perhaps the answer to an earlier attempt was lost: then it is as wanted. A table that is there already is a
            // conflict, one that is not there any more an invalid parameter.
            Err(error) if matches!(error.fault, Fault::Conflict | Fault::Permanent) || is_missing(&error) => error,
            other => return other.map(drop),
        };
        let now = self.read(&before.id).await?.map(|endpoint| tables(&endpoint)).unwrap_or_default();
        if now == want.route_table_ids { Ok(()) } else { Err(error) }
    }
}

#[async_trait]
impl Driver for VpcEndpoints {
    type Resource = VpcEndpoint;

    async fn create(&self, call: &Call, want: VpcEndpoint) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_vpc_endpoint().client_token(&call.token);
        let request = request.vpc_endpoint_type(VpcEndpointType::from(want.vpc_endpoint_type.as_str()));
        let request = request.vpc_id(id(&want.vpc_id)).service_name(&want.service_name);
        let tables = want.route_table_ids.iter().map(|table| id(table).to_owned()).collect();
        let request = request.set_route_table_ids(Some(tables));
        let request = request.tag_specifications(tagged(ResourceType::VpcEndpoint, &want.tags));
        let answer = request.send().await.map_err(|e| fail("ec2:CreateVpcEndpoint", &e))?;
        let endpoint = answer.vpc_endpoint.and_then(|endpoint| endpoint.vpc_endpoint_id);
        Ok(live(&given(endpoint, "ec2:CreateVpcEndpoint")?, &want))
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: VpcEndpoint,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if has(changed, "route_table_ids") {
            self.route(live, &want).await?;
        }
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    /// The request succeeds also when the deletion is refused; the answer lists what was.
    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let request = self.0.ec2.delete_vpc_endpoints().vpc_endpoint_ids(&live.id);
        let refusal = match request.send().await {
            Err(error) => Err(fail("ec2:DeleteVpcEndpoints", &error)),
            Ok(answer) => match answer.unsuccessful().iter().find_map(|item| item.error()) {
                None => Ok(()),
                Some(error) => Err(refused(
                    "ec2:DeleteVpcEndpoints",
                    error.code().unwrap_or_default(),
                    error.message().unwrap_or_default(),
                )),
            },
        };
        unless_missing(refusal)
    }

    async fn find(&self, call: &Call, _want: VpcEndpoint) -> Result<Vec<Live>, CloudError> {
        vpc_endpoints(&self.0, Of::call(call)).await.map(lives)
    }

    /// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html>, `state`.
    async fn ready(&self, _call: &Call, live: &Live, _want: VpcEndpoint) -> Result<Progress, CloudError> {
        let endpoint = self.read(&live.id).await?;
        let state = endpoint.as_ref().and_then(|endpoint| endpoint.state.as_ref()).map(types::State::as_str);
        match state.unwrap_or("not visible yet").to_ascii_lowercase().as_str() {
            "available" => Ok(Progress::Done(live.clone())),
            "failed" => {
                let why = endpoint.and_then(|endpoint| endpoint.last_error).and_then(|error| error.message);
                let message = why.unwrap_or_else(|| "it could not be made".to_owned());
                Err(CloudError::new(Fault::Permanent, "ec2:CreateVpcEndpoint", "failed", message))
            }
            state => Ok(Progress::Pending(state.to_owned())),
        }
    }

    /// Its routes stay in the tables until it is gone, and so do the tables.
    async fn gone(&self, _call: &Call, live: &Live) -> Result<Remains, CloudError> {
        let state = self.read(&live.id).await?.and_then(|endpoint| endpoint.state);
        Ok(match state.as_ref().map(types::State::as_str) {
            None => Remains::Nothing,
            Some(state) if state.eq_ignore_ascii_case("deleted") => Remains::Nothing,
            Some(state) => Remains::Something(state.to_ascii_lowercase()),
        })
    }
}

pub(crate) async fn vpc_endpoints(client: &Client, of: Of<'_>) -> Result<Found, CloudError> {
    let pages = client.ec2.describe_vpc_endpoints().set_filters(Some(of.filters())).into_paginator().items();
    let all: Vec<types::VpcEndpoint> =
        pages.send().collect::<Result<_, _>>().await.map_err(|e| fail("ec2:DescribeVpcEndpoints", &e))?;
    let ours = |endpoint: &types::VpcEndpoint| {
        Some((of.address::<VpcEndpoint>(endpoint.tags.as_deref())?, live_endpoint(endpoint)))
    };
    Ok(all.iter().filter(|endpoint| !leaving(endpoint)).filter_map(ours).collect())
}

/// AWS writes these states in small letters, its own model of the API in capitals.
fn leaving(endpoint: &types::VpcEndpoint) -> bool {
    let state = endpoint.state().map(types::State::as_str).unwrap_or_default();
    ["deleting", "deleted"].iter().any(|word| state.eq_ignore_ascii_case(word))
}

fn tables(endpoint: &types::VpcEndpoint) -> BTreeSet<Input<RouteTableId>> {
    endpoint.route_table_ids().iter().map(|table| input(Some(table))).collect()
}

fn live_endpoint(endpoint: &types::VpcEndpoint) -> Live {
    let resource = VpcEndpoint {
        vpc_id: input(endpoint.vpc_id()),
        service_name: endpoint.service_name().unwrap_or_default().to_owned(),
        vpc_endpoint_type: endpoint.vpc_endpoint_type().map_or("Gateway", VpcEndpointType::as_str).to_owned(),
        route_table_ids: tables(endpoint),
        tags: tags_of(endpoint.tags.as_deref()),
    };
    live(endpoint.vpc_endpoint_id().unwrap_or_default(), &resource)
}
