//! Route 53, REST and XML: <https://docs.aws.amazon.com/Route53/latest/APIReference/Welcome.html>.
//!
//! - `zone` hosted zones; `network` which networks a private one is for; `list` lists of zones; `tags` of zones
//! - `record` record sets, read; `batch` how they are changed; `rules` what may stand in a zone; `dns` names
//! - `change` whether a change has reached all name servers

mod batch;
mod change;
mod dns;
mod list;
mod network;
mod record;
mod rules;
mod tags;
mod zone;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::call::Refused;
use super::plain;
use super::table::Behaviour;
use crate::wire::element::Element;
use crate::wire::{form, xml};
use crate::world::World;

pub(super) fn behaviours() -> impl Iterator<Item = &'static Behaviour> {
    [zone::BEHAVIOURS, network::BEHAVIOURS, list::BEHAVIOURS, tags::BEHAVIOURS, batch::BEHAVIOURS, record::BEHAVIOURS]
        .into_iter()
        .chain([change::BEHAVIOURS])
        .flatten()
}

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";
const ZONE: &str = "hosted-zone";
const RECORD: &str = "record-set";
const CHANGE: &str = "change";

/// A request, taken apart.
#[derive(Debug)]
struct Asked<'a> {
    world: &'a mut World,
    /// The zone, the change or the type of what is tagged.
    id: &'a str,
    /// What is tagged.
    resource: &'a str,
    query: BTreeMap<String, String>,
    body: Element,
}

impl Asked<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn needs(&self, path: &str) -> Result<String, Refused> {
        self.body.text(path).map(str::to_owned).ok_or_else(|| invalid(format!("{path} is missing")))
    }

    /// How many entries a page is to have.
    fn most(&self, most: usize) -> Result<usize, Refused> {
        match self.query("maxitems") {
            None => Ok(most),
            Some(text) => text
                .parse()
                .ok()
                .filter(|items| *items > 0)
                .map(|items: usize| items.min(most))
                .ok_or_else(|| invalid(format!("maxitems {text} is no positive number"))),
        }
    }
}

fn invalid(message: impl Into<String>) -> Refused {
    Refused::bad("InvalidInput", message)
}

/// What an action makes of a request.
type Does = fn(&mut Asked<'_>) -> Result<Map<String, Value>, Refused>;

/// The action of a request, its handler, and the parts of the path that it is about.
fn route(method: &str, path: &str) -> Option<(&'static str, Does, String, String)> {
    let rest = form::plain(path);
    let parts: Vec<&str> = rest.trim_matches('/').split('/').collect();
    let [_, parts @ ..] = parts.as_slice() else { return None };
    let (name, does, id, resource): (_, Does, &str, &str) = match (method, parts) {
        ("POST", ["hostedzone"]) => ("CreateHostedZone", zone::create, "", ""),
        ("GET", ["hostedzone"]) => ("ListHostedZones", list::all, "", ""),
        ("GET", ["hostedzonesbyname"]) => ("ListHostedZonesByName", list::by_name, "", ""),
        ("GET", ["hostedzone", id]) => ("GetHostedZone", zone::get, id, ""),
        ("POST", ["hostedzone", id]) => ("UpdateHostedZoneComment", zone::comment, id, ""),
        ("DELETE", ["hostedzone", id]) => ("DeleteHostedZone", zone::delete, id, ""),
        ("POST", ["hostedzone", id, "associatevpc"]) => ("AssociateVPCWithHostedZone", network::associate, id, ""),
        ("POST", ["hostedzone", id, "disassociatevpc"]) => {
            ("DisassociateVPCFromHostedZone", network::disassociate, id, "")
        }
        ("POST", ["hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", batch::change, id, ""),
        ("GET", ["hostedzone", id, "rrset"]) => ("ListResourceRecordSets", record::list, id, ""),
        ("GET", ["change", id]) => ("GetChange", change::get, id, ""),
        ("POST", ["tags", of]) => ("ListTagsForResources", tags::list_several, of, ""),
        ("GET", ["tags", of, resource]) => ("ListTagsForResource", tags::list, of, resource),
        ("POST", ["tags", of, resource]) => ("ChangeTagsForResource", tags::change, of, resource),
        _ => return None,
    };
    Some((name, does, id.to_owned(), resource.to_owned()))
}

pub(super) fn answer(world: &mut World, request: &http::Request<Bytes>) -> Result<http::Response<Bytes>, Refused> {
    let (method, path) = (request.method().as_str(), request.uri().path());
    let Some((name, does, id, resource)) = route(method, path) else {
        return Err(Refused::new(404, "UnknownOperationException", format!("{method} {path} is not simulated")));
    };
    let text = String::from_utf8_lossy(request.body());
    let body = match text.trim() {
        "" => Element::default(),
        text => Element::read(text).ok_or_else(|| invalid("The request is not well-formed XML"))?,
    };
    let query = form::fields(request.uri().query().unwrap_or_default());
    let content = does(&mut Asked { world, id: &id, resource: &resource, query, body })?;
    let status = if name == "CreateHostedZone" { 201 } else { 200 };
    Ok(plain(status, "text/xml", xml::document(&format!("{name}Response"), NAMESPACE, &content, "member")))
}

pub(super) fn name(request: &http::Request<Bytes>) -> (String, bool) {
    let name = route(request.method().as_str(), request.uri().path()).map_or("Unknown", |(name, ..)| name);
    let writes = !(name.starts_with("Get") || name.starts_with("List"));
    (format!("route53:{name}"), writes)
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::aws::testing::{Desk, Reply};
    use crate::world::Thing;

    /// A world with the networks `vpc-1` and `vpc-2`.
    pub(super) fn desk() -> Desk {
        let mut desk = Desk::calm();
        for vpc in ["vpc-1", "vpc-2"] {
            desk.world.put(Thing::new("vpc", vpc));
        }
        desk
    }

    impl Desk {
        pub(super) fn dns(&mut self, method: &str, path: &str, body: &str) -> Reply {
            self.send("route53", method, &format!("/2013-04-01/{path}"), body)
        }

        pub(super) fn zone(&mut self, name: &str, vpc: Option<&str>, reference: &str) -> Reply {
            let vpc = vpc.map(vpc_of).unwrap_or_default();
            let body = format!(
                "<CreateHostedZoneRequest xmlns=\"{NAMESPACE}\"><Name>{name}</Name>{vpc}\
                 <CallerReference>{reference}</CallerReference><HostedZoneConfig><Comment>ours</Comment>\
                 <PrivateZone>{}</PrivateZone></HostedZoneConfig></CreateHostedZoneRequest>",
                !vpc.is_empty()
            );
            self.dns("POST", "hostedzone", &body)
        }

        /// The id of a new private zone.
        pub(super) fn made(&mut self, name: &str) -> String {
            let reply = self.zone(name, Some("vpc-1"), name);
            assert_eq!(reply.status(), 201, "{}", reply.body());
            let id = reply.xml().text("HostedZone.Id").unwrap_or_default().to_owned();
            id.trim_start_matches("/hostedzone/").to_owned()
        }
    }

    pub(super) fn vpc_of(vpc: &str) -> String {
        format!("<VPC><VPCRegion>eu-central-1</VPCRegion><VPCId>{vpc}</VPCId></VPC>")
    }
}
