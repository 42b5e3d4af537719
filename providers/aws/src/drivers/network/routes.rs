//! Route tables, their routes and the subnets they apply to.
//!
//! Routes and associations carry no tags: they are ours because their table is.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{self, ResourceType, RouteOrigin, RouteTableAssociationStateCode};
use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live};

use crate::client::{Client, fail, is_missing, unless_missing};
use crate::drivers::ec2::{
    Found, Of, address, arg, filter, given, has, id, input, live, retag, tagged, tags_of, updated,
};
use crate::names;
use crate::resources::network::{ROUTE, ROUTE_TABLE_ASSOCIATION, Route, RouteTable, RouteTableAssociation};

/// Everything that stands in route tables comes with them, in one call.
pub(crate) async fn tables(client: &Client, filters: Vec<types::Filter>) -> Result<Vec<types::RouteTable>, CloudError> {
    let pages = client.ec2.describe_route_tables().set_filters(Some(filters)).into_paginator().items();
    pages.send().collect::<Result<_, _>>().await.map_err(|e| fail("ec2:DescribeRouteTables", &e))
}

#[derive(Debug)]
pub(crate) struct RouteTables(pub(crate) Client);

#[async_trait]
impl Driver for RouteTables {
    type Resource = RouteTable;

    async fn create(&self, call: &Call, want: RouteTable) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_route_table().client_token(&call.token).vpc_id(id(&want.vpc_id));
        let request = request.tag_specifications(tagged(ResourceType::RouteTable, &want.tags));
        let answer = request.send().await.map_err(|e| fail("ec2:CreateRouteTable", &e))?;
        let table = given(answer.route_table.and_then(|table| table.route_table_id), "ec2:CreateRouteTable")?;
        Ok(live(&table, &want))
    }

    async fn update(
        &self,
        _call: &Call,
        live: &Live,
        want: RouteTable,
        changed: &[String],
    ) -> Result<Live, CloudError> {
        if has(changed, "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.delete_route_table().route_table_id(&live.id).send().await;
        unless_missing(answer.map(drop).map_err(|e| fail("ec2:DeleteRouteTable", &e)))
    }

    async fn find(&self, call: &Call, _want: RouteTable) -> Result<Vec<Live>, CloudError> {
        let of = Of::call(call);
        let all = tables(&self.0, of.filters()).await?;
        Ok(all.iter().filter(|t| of.address::<RouteTable>(t.tags.as_deref()).is_some()).map(live_table).collect())
    }
}

pub(crate) fn live_table(table: &types::RouteTable) -> Live {
    let resource = RouteTable { vpc_id: input(table.vpc_id()), tags: tags_of(table.tags.as_deref()) };
    live(table.route_table_id().unwrap_or_default(), &resource)
}

#[derive(Debug)]
pub(crate) struct Routes(pub(crate) Client);

impl Routes {
    async fn replace(&self, want: &Route) -> Result<(), CloudError> {
        let request = self.0.ec2.replace_route().route_table_id(id(&want.route_table_id));
        let request = request.destination_cidr_block(&want.destination_cidr_block);
        let request = request.set_gateway_id(target(want.gateway_id.as_ref()));
        let request = request.set_nat_gateway_id(target(want.nat_gateway_id.as_ref()));
        let request = request.set_network_interface_id(target(want.network_interface_id.as_ref()));
        request.send().await.map_err(|e| fail("ec2:ReplaceRoute", &e))?;
        Ok(())
    }

    async fn table(&self, want: &Route) -> Result<Option<types::RouteTable>, CloudError> {
        let filters = vec![filter("route-table-id", id(&want.route_table_id))];
        Ok(tables(&self.0, filters).await?.into_iter().next())
    }
}

fn target<T>(input: Option<&clusterctl_core::value::Input<T>>) -> Option<String> {
    input.map(|input| id(input).to_owned())
}

#[async_trait]
impl Driver for Routes {
    type Resource = Route;

    async fn create(&self, call: &Call, want: Route) -> Result<Live, CloudError> {
        let request = self.0.ec2.create_route().route_table_id(id(&want.route_table_id));
        let request = request.destination_cidr_block(&want.destination_cidr_block);
        let request = request.set_gateway_id(target(want.gateway_id.as_ref()));
        let request = request.set_nat_gateway_id(target(want.nat_gateway_id.as_ref()));
        let request = request.set_network_interface_id(target(want.network_interface_id.as_ref()));
        let error = match request.send().await.map_err(|e| fail("ec2:CreateRoute", &e)) {
            Err(error) if error.code == "RouteAlreadyExists" => error,
            other => return other.map(|_| live_wanted(&want)),
        };
        // Either the answer to an earlier attempt was lost, or the way has changed: in a table of ours both are ours.
        let table = self.table(&want).await?;
        if address(table.as_ref().and_then(|table| table.tags.as_deref()), &call.owner.uid).is_none() {
            return Err(error);
        }
        let wanted = live_wanted(&want);
        let there = table.as_ref().and_then(|table| routes_of(table).find(|live| live.id == wanted.id));
        if there.is_none_or(|live| live.args != wanted.args) {
            self.replace(&want).await?;
        }
        Ok(wanted)
    }

    async fn update(&self, _call: &Call, _live: &Live, want: Route, _changed: &[String]) -> Result<Live, CloudError> {
        self.replace(&want).await?;
        Ok(live_wanted(&want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let request = self.0.ec2.delete_route().route_table_id(arg(live, "route_table_id"));
        let request = request.destination_cidr_block(arg(live, "destination_cidr_block"));
        unless_missing(request.send().await.map(drop).map_err(|e| fail("ec2:DeleteRoute", &e)))
    }

    async fn find(&self, _call: &Call, want: Route) -> Result<Vec<Live>, CloudError> {
        let wanted = live_wanted(&want);
        let table = self.table(&want).await?;
        Ok(table.iter().flat_map(routes_of).filter(|live| live.id == wanted.id).collect())
    }
}

fn live_wanted(want: &Route) -> Live {
    let (table, destination) = (id(&want.route_table_id), &want.destination_cidr_block);
    live(&format!("{table}_{destination}"), want).with("route_table_id", table)
}

/// The routes of a table that are of the kinds we make.
///
/// What AWS puts in (local, propagated, prefix lists of endpoints) is left out, and so is what leads where we lead nothing
/// (peerings, transit gateways, VPN): somebody else has added that.
fn routes_of(table: &types::RouteTable) -> impl Iterator<Item = Live> {
    table.routes().iter().filter_map(|route| live_route(table.route_table_id()?, route))
}

fn live_route(table: &str, route: &types::Route) -> Option<Live> {
    if route.origin().is_some_and(|origin| *origin != RouteOrigin::CreateRoute) {
        return None;
    }
    let resource = Route {
        route_table_id: input(Some(table)),
        destination_cidr_block: route.destination_cidr_block()?.to_owned(),
        gateway_id: route.gateway_id().filter(|id| id.starts_with("igw-")).map(|id| input(Some(id))),
        nat_gateway_id: route.nat_gateway_id().map(|id| input(Some(id))),
        network_interface_id: route.network_interface_id().map(|id| input(Some(id))),
    };
    let known =
        resource.gateway_id.is_some() || resource.nat_gateway_id.is_some() || resource.network_interface_id.is_some();
    known.then(|| live_wanted(&resource))
}

#[derive(Debug)]
pub(crate) struct Associations(pub(crate) Client);

impl Associations {
    async fn of_subnet(&self, subnet: &str) -> Result<Vec<Live>, CloudError> {
        let all = tables(&self.0, vec![filter("association.subnet-id", subnet)]).await?;
        let live = |association| live_association(association).filter(|live| arg(live, "subnet_id") == subnet);
        Ok(all.iter().flat_map(types::RouteTable::associations).filter_map(live).collect())
    }

    /// The association as it is wanted, where the answer that made it was lost.
    async fn adopted(&self, want: &RouteTableAssociation, error: CloudError) -> Result<Live, CloudError> {
        let (table, subnet) = (id(&want.route_table_id), id(&want.subnet_id));
        let mut there = self.of_subnet(subnet).await?;
        if let Some(wanted) = there.iter().position(|live| arg(live, "route_table_id") == table) {
            return Ok(there.swap_remove(wanted));
        }
        let Some(other) = there.first() else { return Err(error) };
        let message = format!("{subnet} already has {}: {}", arg(other, "route_table_id"), error.message);
        Err(CloudError { fault: Fault::Conflict, message, ..error })
    }
}

#[async_trait]
impl Driver for Associations {
    type Resource = RouteTableAssociation;

    async fn create(&self, _call: &Call, want: RouteTableAssociation) -> Result<Live, CloudError> {
        let request = self.0.ec2.associate_route_table();
        let request = request.route_table_id(id(&want.route_table_id)).subnet_id(id(&want.subnet_id));
        match request.send().await.map_err(|e| fail("ec2:AssociateRouteTable", &e)) {
            Err(error) if error.code == "Resource.AlreadyAssociated" => self.adopted(&want, error).await,
            answer => {
                let association = given(answer?.association_id, "ec2:AssociateRouteTable")?;
                Ok(live(&association, &want).with("subnet_id", id(&want.subnet_id)))
            }
        }
    }

    /// Another table means another association, under a new id.
    async fn update(
        &self,
        _call: &Call,
        before: &Live,
        want: RouteTableAssociation,
        _changed: &[String],
    ) -> Result<Live, CloudError> {
        let request = self.0.ec2.replace_route_table_association().association_id(&before.id);
        let request = request.route_table_id(id(&want.route_table_id));
        match request.send().await.map_err(|e| fail("ec2:ReplaceRouteTableAssociation", &e)) {
            Err(error) if is_missing(&error) => self.adopted(&want, error).await,
            answer => {
                let association = given(answer?.new_association_id, "ec2:ReplaceRouteTableAssociation")?;
                Ok(live(&association, &want).with("subnet_id", id(&want.subnet_id)))
            }
        }
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let answer = self.0.ec2.disassociate_route_table().association_id(&live.id).send().await;
        unless_missing(answer.map(drop).map_err(|e| fail("ec2:DisassociateRouteTable", &e)))
    }

    async fn find(&self, _call: &Call, want: RouteTableAssociation) -> Result<Vec<Live>, CloudError> {
        self.of_subnet(id(&want.subnet_id)).await
    }
}

/// A subnet's association; the main one of a VPC and those of gateways are not ours.
fn live_association(association: &types::RouteTableAssociation) -> Option<Live> {
    let state = association.association_state().and_then(|state| state.state());
    let leaving = matches!(
        state,
        Some(RouteTableAssociationStateCode::Disassociating | RouteTableAssociationStateCode::Disassociated)
    );
    let subnet = association.subnet_id().filter(|_| association.main() != Some(true) && !leaving)?;
    let resource =
        RouteTableAssociation { route_table_id: input(association.route_table_id()), subnet_id: input(Some(subnet)) };
    Some(live(association.route_table_association_id()?, &resource).with("subnet_id", subnet))
}

/// Tables of the owner with all that is in them; `subnets` gives the names of the owner's subnets by their ids.
pub(crate) fn observed(all: &[types::RouteTable], of: Of<'_>, subnets: &BTreeMap<String, String>) -> Found {
    let mut found = Found::new();
    for table in all {
        let Some(addr) = of.address::<RouteTable>(table.tags.as_deref()) else { continue };
        for live in routes_of(table) {
            let name = format!("{}-{}", addr.name, names::destination(arg(&live, "destination_cidr_block")));
            found.push((Addr::new(ROUTE.name, &name), live));
        }
        for live in table.associations().iter().filter_map(live_association) {
            if let Some(name) = subnets.get(arg(&live, "subnet_id")) {
                found.push((Addr::new(ROUTE_TABLE_ASSOCIATION.name, name), live));
            }
        }
        found.push((addr, live_table(table)));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use aws_sdk_ec2::types::{RouteTableAssociation as SdkAssociation, Tag};
    use clusterctl_core::cloud::Owner;
    use expect_test::expect;

    use super::*;

    fn route() -> types::builders::RouteBuilder {
        types::Route::builder().origin(RouteOrigin::CreateRoute)
    }

    #[test]
    fn a_table_gives_its_routes_and_associations_but_not_what_others_put_in() {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let association = |id: &str, subnet: &str| {
            SdkAssociation::builder().route_table_association_id(id).route_table_id("rtb-1").subnet_id(subnet)
        };
        let local = types::Route::builder().origin(RouteOrigin::CreateRouteTable).gateway_id("local");
        let propagated = types::Route::builder().origin(RouteOrigin::EnableVgwRoutePropagation).gateway_id("vgw-1");
        let table = types::RouteTable::builder()
            .route_table_id("rtb-1")
            .vpc_id("vpc-1")
            .tags(tag(names::UID, "0011"))
            .tags(tag(names::ADDRESS, "aws_route_table.private-a"))
            .routes(local.destination_cidr_block("10.0.0.0/16").build())
            .routes(route().destination_prefix_list_id("pl-1").gateway_id("vpce-1").build())
            .routes(route().destination_cidr_block("0.0.0.0/0").nat_gateway_id("nat-1").build())
            .routes(
                route()
                    .destination_cidr_block("100.64.1.0/24")
                    .network_interface_id("eni-1")
                    .instance_id("i-1")
                    .build(),
            )
            .routes(route().destination_cidr_block("10.9.0.0/16").vpc_peering_connection_id("pcx-1").build())
            .routes(propagated.destination_cidr_block("10.8.0.0/16").build())
            .associations(association("rtbassoc-1", "subnet-a").build())
            .associations(association("rtbassoc-2", "subnet-of-somebody").build())
            .associations(SdkAssociation::builder().route_table_association_id("rtbassoc-3").main(true).build())
            .build();
        let owner = Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() };
        let subnets = BTreeMap::from([("subnet-a".to_owned(), "private-a".to_owned())]);
        let text =
            observed(&[table], Of::owner(&owner), &subnets).iter().fold(String::new(), |mut text, (addr, live)| {
                let _ = writeln!(text, "{addr} = {} {}", live.id, serde_json::json!(live.outputs));
                text
            });
        expect![[r#"
            aws_route.private-a-default = rtb-1_0.0.0.0/0 {"id":"rtb-1_0.0.0.0/0","route_table_id":"rtb-1"}
            aws_route.private-a-100-64-1-0-24 = rtb-1_100.64.1.0/24 {"id":"rtb-1_100.64.1.0/24","route_table_id":"rtb-1"}
            aws_route_table_association.private-a = rtbassoc-1 {"id":"rtbassoc-1","subnet_id":"subnet-a"}
            aws_route_table.private-a = rtb-1 {"id":"rtb-1"}
        "#]]
        .assert_eq(&text);
    }
}
