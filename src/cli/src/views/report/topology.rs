//! The layout of a cluster: zones side by side, in each its subnets and machines, above them the load balancer.

use std::fmt::Display;

use clusterctl_core::blueprint::{Blueprint, Egress, Group, Network, Visibility};
use clusterctl_core::store::state::State;

use super::markup::Markup;
use crate::views::cluster::endpoint;
use crate::views::timeline::shortened;

const ZONE: u32 = 240;
const GAP: u32 = 16;
const BALANCER: u32 = 52;
const BOX: u32 = 44;
const HEAD: u32 = 26;
/// What a line of a box has room for.
const LONGEST: usize = 31;

/// Something with a name and a line about it.
struct Thing {
    name: String,
    about: String,
    /// Everything about it that the record knows.
    words: String,
    class: &'static str,
}

/// One zone from the top down.
struct Zone {
    name: String,
    public: Option<Subnet>,
    nodes: Subnet,
}

struct Subnet {
    title: String,
    things: Vec<Thing>,
}

/// Draws what `blueprint` lays out; what the record has nothing of is dashed.
pub(super) fn draw(markup: &mut Markup, blueprint: &Blueprint, state: &State) {
    let zones: Vec<Zone> = names(blueprint).into_iter().map(|name| zone(name, blueprint, state)).collect();
    let count = u32::try_from(zones.len().max(1)).unwrap_or(1);
    let public = zones.iter().filter_map(|zone| zone.public.as_ref()).map(Subnet::height).max();
    let nodes = zones.iter().map(|zone| zone.nodes.height()).max().unwrap_or(HEAD);
    let (width, top) = (count * (ZONE + GAP) + GAP, BALANCER + 2 * GAP);
    let inside = HEAD + public.map_or(0, |height| height + GAP) + nodes + GAP;
    let view = format!("0 0 {width} {}", top + inside + GAP);
    let style = format!("max-width:{width}px");
    let attributes: &[(&'static str, &dyn Display)] = &[
        ("viewBox", &view),
        ("role", &"img"),
        ("aria-labelledby", &"topology-title topology-words"),
        ("style", &style),
    ];
    markup.element("svg", attributes, |svg| {
        svg.leaf("title", &[("id", &"topology-title")], &format!("Layout of {}", blueprint.cluster));
        svg.leaf("desc", &[("id", &"topology-words")], &words(&zones));
        draw_thing(svg, &balancer(blueprint, state), GAP, GAP, width - 2 * GAP, BALANCER);
        for (number, zone) in (0u32..).zip(&zones) {
            let left = GAP + number * (ZONE + GAP);
            frame(svg, &format!("Zone {}", zone.name), left, top, ZONE, inside, "zone");
            let mut y = top + HEAD;
            if let Some(height) = public {
                if let Some(subnet) = &zone.public {
                    draw_subnet(svg, subnet, left, y, height);
                }
                y += height + GAP;
            }
            draw_subnet(svg, &zone.nodes, left, y, nodes);
        }
    });
    markup.line();
}

impl Subnet {
    fn height(&self) -> u32 {
        HEAD + u32::try_from(self.things.len()).unwrap_or(0) * (BOX + 8)
    }
}

/// Every zone that something is in, the network's first.
fn names(blueprint: &Blueprint) -> Vec<String> {
    let network: Vec<&String> = match &blueprint.network {
        Network::Own(own) => own.nodes.iter().map(|subnet| &subnet.zone).collect(),
        Network::Existing { nodes, public, .. } => nodes.iter().chain(public).map(|subnet| &subnet.zone).collect(),
    };
    let planes = blueprint.control_plane.iter().map(|node| &node.zone);
    let groups = blueprint.groups.iter().flat_map(|group| &group.zones);
    let mut names: Vec<String> = Vec::new();
    for name in network.into_iter().chain(planes).chain(groups) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn zone(name: String, blueprint: &Blueprint, state: &State) -> Zone {
    let mut things: Vec<Thing> = Vec::new();
    for node in blueprint.control_plane.iter().filter(|node| node.zone == name) {
        let address = node.address.map(|address| format!("{address}  ")).unwrap_or_default();
        things.push(thing(&node.name, format!("{address}{}", node.machine.r#type), "plane", state));
    }
    for group in blueprint.groups.iter().filter(|group| group.zones.contains(&name)) {
        things.push(thing(&group.name, about(group), "group", state));
    }
    let (public, nodes) = subnets(&name, blueprint);
    let mut outside: Vec<Thing> = Vec::new();
    if gateway(&name, blueprint) {
        let (name, words) = ("NAT gateway".to_owned(), format!("NAT gateway in {name}: the way out for nodes"));
        let class = if state.resources.is_empty() { "absent" } else { "plain" };
        outside.push(Thing { name, about: "the way out for nodes".to_owned(), words, class });
    }
    if let Some(bastion) = blueprint.bastion.as_ref().filter(|bastion| bastion.zone == name) {
        outside.push(thing("bastion", bastion.machine.r#type.clone(), "plain", state));
    }
    // Where nodes face the internet themselves there is no other subnet.
    let public = public.map(|title| Subnet { title, things: std::mem::take(&mut outside) });
    things.extend(outside);
    Zone { name, public, nodes: Subnet { title: nodes, things } }
}

fn subnets(zone: &str, blueprint: &Blueprint) -> (Option<String>, String) {
    let title = |what: &str, cidr: Option<String>| match cidr {
        Some(cidr) => format!("{what} {cidr}"),
        None => what.to_owned(),
    };
    match &blueprint.network {
        Network::Own(own) => {
            let nodes = own.nodes.iter().find(|subnet| subnet.zone == zone).map(|subnet| subnet.cidr.to_string());
            let public = own.public.iter().find(|subnet| subnet.zone == zone);
            (public.map(|subnet| title("Public subnet", Some(subnet.cidr.to_string()))), title("Node subnet", nodes))
        }
        Network::Existing { nodes, public, .. } => {
            let nodes = nodes.iter().find(|subnet| subnet.zone == zone).map(|subnet| subnet.cidr.to_string());
            let public = public.iter().find(|subnet| subnet.zone == zone);
            (
                public.map(|subnet| title("Existing public subnet", Some(subnet.cidr.to_string()))),
                title("Existing node subnet", nodes),
            )
        }
    }
}

fn gateway(zone: &str, blueprint: &Blueprint) -> bool {
    match &blueprint.network {
        Network::Own(own) => match own.egress {
            Egress::NatPerZone => own.public.iter().any(|subnet| subnet.zone == zone),
            Egress::NatShared => own.public.first().is_some_and(|subnet| subnet.zone == zone),
            Egress::Direct => false,
        },
        Network::Existing { .. } => false,
    }
}

fn about(group: &Group) -> String {
    let nodes = if group.min == group.max { group.min.to_string() } else { format!("{}..{}", group.min, group.max) };
    let market = group.ladder.get(group.rung).map(|market| format!("  {}", market.name())).unwrap_or_default();
    let gpu = group.size.gpu.as_ref().map(|(model, count)| format!("  {count}x{model}")).unwrap_or_default();
    // It is drawn in each of its zones, and its machines are spread over them.
    let nodes = if group.zones.len() > 1 { format!("{nodes} in all ") } else { format!("{nodes}x") };
    format!("{nodes} {}{gpu}{market}", group.machine.r#type)
}

/// Something whose resources carry its name.
fn thing(name: &str, about: String, class: &'static str, state: &State) -> Thing {
    let of_name = |(addr, recorded): (&String, &clusterctl_core::store::state::Recorded)| {
        let (kind, last) = addr.rsplit_once('.')?;
        (last == name).then(|| format!("{kind} {}", recorded.id))
    };
    let recorded: Vec<String> = state.resources.iter().filter_map(of_name).collect();
    let known = if recorded.is_empty() { "nothing of it is recorded".to_owned() } else { recorded.join(", ") };
    let words = format!("{name}, {about}: {known}");
    Thing { name: name.to_owned(), about, words, class: if recorded.is_empty() { "absent" } else { class } }
}

fn balancer(blueprint: &Blueprint, state: &State) -> Thing {
    let facing = match blueprint.api.visibility {
        Visibility::Private => "from inside the network",
        Visibility::Public => "from the internet",
    };
    let name = format!("Load balancer, port {} {facing}", blueprint.api.port);
    match endpoint(state) {
        Some(endpoint) => Thing { words: format!("{name}: {endpoint}"), name, about: endpoint, class: "balancer" },
        None => {
            let about = "nothing of it is recorded".to_owned();
            Thing { words: format!("{name}: {about}"), name, about, class: "absent" }
        }
    }
}

/// The picture in words.
fn words(zones: &[Zone]) -> String {
    let zone = |zone: &Zone| {
        let things: Vec<&str> = zone
            .public
            .iter()
            .flat_map(|subnet| &subnet.things)
            .chain(&zone.nodes.things)
            .map(|thing| thing.name.as_str())
            .collect();
        format!("Zone {}: {}.", zone.name, if things.is_empty() { "empty".to_owned() } else { things.join(", ") })
    };
    zones.iter().map(zone).collect::<Vec<_>>().join(" ")
}

fn frame(svg: &mut Markup, title: &str, x: u32, y: u32, width: u32, height: u32, class: &'static str) {
    let rect: &[(&'static str, &dyn Display)] =
        &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("rx", &6), ("class", &class)];
    svg.element("rect", rect, |_| {});
    svg.leaf("text", &[("x", &(x + 10)), ("y", &(y + 18))], &shortened(title, LONGEST));
    svg.line();
}

fn draw_subnet(svg: &mut Markup, subnet: &Subnet, left: u32, y: u32, height: u32) {
    frame(svg, &subnet.title, left + 8, y, ZONE - 16, height, "subnet");
    for (number, thing) in (0u32..).zip(&subnet.things) {
        draw_thing(svg, thing, left + 16, y + HEAD + number * (BOX + 8), ZONE - 32, BOX);
    }
}

fn draw_thing(svg: &mut Markup, thing: &Thing, x: u32, y: u32, width: u32, height: u32) {
    // The balancer is as wide as all zones together.
    let room = usize::try_from(width.saturating_sub(16) / 7).unwrap_or(LONGEST);
    svg.element("g", &[("class", &thing.class)], |g| {
        g.leaf("title", &[], &thing.words);
        let rect: &[(&'static str, &dyn Display)] =
            &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("rx", &4), ("class", &"thing")];
        g.element("rect", rect, |_| {});
        g.leaf("text", &[("x", &(x + 8)), ("y", &(y + 18)), ("class", &"name")], &shortened(&thing.name, room));
        g.leaf("text", &[("x", &(x + 8)), ("y", &(y + 35))], &shortened(&thing.about, room));
    });
    svg.line();
}
