//! The API's name in a zone, where one is wanted.

use clusterctl_core::blueprint::{Dns, Visibility};
use clusterctl_core::graph::Concern;
use clusterctl_core::provider::LowerError;
use clusterctl_core::value::Input;

use super::load_balancer::Balancer;
use super::network::Net;
use super::{Endpoint, Lowering};
use crate::resources::HostedZoneId;
use crate::resources::dns::{Alias, Record, Zone, ZoneLookup, ZoneVpc};

/// Gives the name by which nodes reach the API.
pub(super) fn lower(
    to: &mut Lowering<'_>,
    dns: Option<&Dns>,
    balancer: &Balancer,
    net: &Net,
) -> Result<Endpoint, LowerError> {
    let Some(Dns { visibility, zone, zone_id, api }) = dns else {
        return Ok(Endpoint::Output(balancer.dns_name.clone()));
    };
    let at = Concern::Dns;
    let zone_id: Input<HostedZoneId> = match (visibility, zone_id) {
        (Visibility::Private, _) => {
            to.add(
                at,
                "main",
                &Zone {
                    name: zone.clone(),
                    vpc: ZoneVpc { vpc_id: net.vpc.clone() },
                    force_destroy: false,
                    tags: to.tags::<Zone>("main"),
                },
            )?
            .zone_id
        }
        (Visibility::Public, Some(id)) => Input::known(id.clone()),
        (Visibility::Public, None) => {
            to.add(at, "main", &ZoneLookup { name: zone.clone(), private_zone: false })?.zone_id
        }
    };
    to.add(
        at,
        "api",
        &Record {
            zone_id,
            name: api.clone(),
            r#type: "A".into(),
            ttl: None,
            records: None,
            alias: Some(Alias {
                name: balancer.dns_name.clone(),
                zone_id: balancer.zone_id.clone(),
                evaluate_target_health: false,
            }),
        },
    )?;
    Ok(Endpoint::Name(api.clone()))
}
