//! Listeners.

use serde_json::{Map, Value, json};

use super::{LISTENER, LOAD_BALANCER, TARGET_GROUP, group, hex, needs, page, shown, tags, validation};
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour};
use crate::world::Thing;

const CREATE: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html";

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour { name: "a_port_has_one_listener", source: CREATE },
    Behaviour { name: "a_target_group_belongs_to_one_load_balancer", source: CREATE },
    Behaviour {
        name: "a_listener_goes_with_its_load_balancer",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("CreateListener", create),
    Action::special("DescribeListeners", describe),
    Action::special("ModifyListener", modify),
    Action::special("DeleteListener", delete),
];

/// The actions of a request, as they are answered; every group that they name must be there and fit.
fn actions(call: &mut Call<'_>, lb: &str) -> Result<Value, Refused> {
    let mut actions = Vec::new();
    let protocol = call.text("Protocol").map(str::to_owned);
    for action in call.list("DefaultActions") {
        let many = &action["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"];
        let Some(arn) = action["TargetGroupArn"].as_str().or(many.as_str()).map(str::to_owned) else {
            return Err(validation("A target group ARN must be specified"));
        };
        if action["Type"] != "forward" {
            return Err(Refused::bad("InvalidLoadBalancerAction", "Only forward actions are supported"));
        }
        let found = TARGET_GROUP.find(call.world, &arn)?;
        if protocol.as_deref().is_some_and(|protocol| protocol != found.text("Protocol")) {
            let message = format!("The protocol of target group {arn} does not fit the listener's");
            return Err(Refused::bad("IncompatibleProtocols", message));
        }
        if group::listeners(call.world, &arn).iter().any(|listener| listener.text("LoadBalancerArn") != lb) {
            let message =
                format!("The following target groups cannot be associated with more than one load balancer: {arn}");
            return Err(Refused::bad("TargetGroupAssociationLimit", message));
        }
        if call.world.get(LOAD_BALANCER.name, lb).is_some_and(|lb| lb.text("VpcId") != found.text("VpcId")) {
            let message = format!("The target group {arn} is in another VPC than the load balancer");
            return Err(Refused::bad("InvalidConfigurationRequest", message));
        }
        let groups = json!([{ "TargetGroupArn": arn }]);
        actions.push(json!({ "Type": "forward", "TargetGroupArn": arn, "ForwardConfig": { "TargetGroups": groups } }));
    }
    if actions.is_empty() {
        return Err(validation("At least one default action must be specified"));
    }
    Ok(Value::Array(actions))
}

fn create(call: &mut Call<'_>) -> Answer {
    let lb = needs(call, "LoadBalancerArn")?;
    LOAD_BALANCER.find(call.world, &lb)?;
    let port = group::port(call, "Port")?;
    let mut listener = Thing::new(LISTENER.name, "");
    listener.tags = tags::given(call)?;
    listener.set("LoadBalancerArn", lb.as_str());
    listener.set("Port", port);
    listener.set("Protocol", needs(call, "Protocol")?);
    listener.set("DefaultActions", actions(call, &lb)?);
    let settings =
        |listener: &Thing| json!([listener.text("Protocol"), listener.attrs["DefaultActions"], listener.tags]);
    let there = at(call, &lb, port);
    if let Some(there) = there.filter(|there| settings(there) == settings(&listener)) {
        return Ok(answer(&there));
    }
    free(call, &lb, port, None)?;
    let count = call.world.all(LISTENER.name).filter(|listener| listener.text("LoadBalancerArn") == lb).count();
    if count >= call.world.weather.quotas.get(LISTENER.name).copied().unwrap_or(50) as usize {
        return Err(Refused::bad("TooManyListeners", "The maximum number of listeners has been reached"));
    }
    let number = hex(call.world);
    let arn = lb.replacen(":loadbalancer/", ":listener/", 1) + "/" + &number;
    listener.id.clone_from(&arn);
    listener.set("ListenerArn", arn);
    let answer = answer(&listener);
    call.world.add(listener);
    Ok(answer)
}

fn answer(listener: &Thing) -> Map<String, Value> {
    object([("Listeners", vec![Value::Object(shown(listener))].into())])
}

/// The listener at a port.
fn at(call: &Call<'_>, lb: &str, port: i64) -> Option<Thing> {
    let there =
        |l: &&Thing| l.text("LoadBalancerArn") == lb && l.attrs.get("Port").and_then(Value::as_i64) == Some(port);
    call.world.all(LISTENER.name).find(there).cloned()
}

/// Makes sure that nobody but `own` listens at a port.
fn free(call: &Call<'_>, lb: &str, port: i64, own: Option<&str>) -> Result<(), Refused> {
    match at(call, lb, port) {
        Some(other) if Some(other.id.as_str()) != own => Err(Refused::bad(
            "DuplicateListener",
            format!("A listener already exists on this port for this load balancer '{lb}'"),
        )),
        _ => Ok(()),
    }
}

fn describe(call: &mut Call<'_>) -> Answer {
    let mut found = LISTENER.select(call, "ListenerArns", "", "")?;
    if let Some(lb) = call.text("LoadBalancerArn").map(str::to_owned) {
        LOAD_BALANCER.find(call.world, &lb)?;
        found.retain(|listener| listener.text("LoadBalancerArn") == lb);
    }
    page(call, "Listeners", found.iter().map(|listener| Value::Object(shown(listener))).collect())
}

fn modify(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "ListenerArn")?;
    let mut listener = LISTENER.find(call.world, &arn)?;
    let lb = listener.text("LoadBalancerArn").to_owned();
    if call.text("Port").is_some() {
        let port = group::port(call, "Port")?;
        free(call, &lb, port, Some(&arn))?;
        listener.set("Port", port);
    }
    if let Some(protocol) = call.text("Protocol") {
        listener.set("Protocol", protocol);
    }
    if !call.list("DefaultActions").is_empty() {
        listener.set("DefaultActions", actions(call, &lb)?);
    }
    if let Some(there) = call.world.get_mut(LISTENER.name, &arn) {
        there.attrs.clone_from(&listener.attrs);
    }
    Ok(answer(&listener))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "ListenerArn")?;
    if call.world.get(LISTENER.name, &arn).is_none() {
        return Err(LISTENER.unknown());
    }
    call.world.delete(LISTENER.name, &arn);
    Ok(Map::new())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::balancer::tests::{LB, desk, made};
    use super::super::group::tests::{GROUP, group};
    use crate::aws::table::text;
    use crate::aws::testing::Desk;

    fn fields<'a>(lb: &'a str, group: &'a str) -> [(&'a str, &'a str); 5] {
        [
            ("LoadBalancerArn", lb),
            ("Port", "6443"),
            ("Protocol", "TCP"),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", group),
        ]
    }

    pub(in crate::aws) fn listener(desk: &mut Desk, lb: &str, group: &str) -> String {
        text(&desk.ok("CreateListener", &fields(lb, group))["Listeners"][0]["ListenerArn"])
    }

    #[test]
    fn a_port_has_one_listener() {
        let mut desk = desk();
        let (lb, one) = (made(&mut desk), group(&mut desk));
        let arn = listener(&mut desk, &lb, &one);
        assert_eq!(listener(&mut desk, &lb, &one), arn, "the same again is the same");
        let mut other = GROUP;
        other[0].1 = "other";
        let two = text(&desk.ok("CreateTargetGroup", &other)["TargetGroups"][0]["TargetGroupArn"]);
        assert_eq!(desk.refused("CreateListener", &fields(&lb, &two)), "DuplicateListener");
        let to = |group| {
            [
                ("ListenerArn", arn.as_str()),
                ("DefaultActions.member.1.Type", "forward"),
                ("DefaultActions.member.1.TargetGroupArn", group),
            ]
        };
        desk.ok("ModifyListener", &to(&two));
        assert_eq!(desk.refused("ModifyListener", &to("arn:none")), "TargetGroupNotFound");
        desk.ok("DeleteTargetGroup", &[("TargetGroupArn", &one)]);
    }

    #[test]
    fn a_target_group_belongs_to_one_load_balancer() {
        let mut desk = desk();
        let (lb, group) = (made(&mut desk), group(&mut desk));
        listener(&mut desk, &lb, &group);
        let mut other = LB;
        other[0].1 = "other";
        let other = text(&desk.ok("CreateLoadBalancer", &other)["LoadBalancers"][0]["LoadBalancerArn"]);
        assert_eq!(desk.refused("CreateListener", &fields(&other, &group)), "TargetGroupAssociationLimit");
    }

    #[test]
    fn a_listener_goes_with_its_load_balancer() {
        let mut desk = desk();
        let (lb, group) = (made(&mut desk), group(&mut desk));
        let arn = listener(&mut desk, &lb, &group);
        desk.ok("DeleteLoadBalancer", &[("LoadBalancerArn", &lb)]);
        assert_eq!(desk.refused("DescribeListeners", &[("LoadBalancerArn", &lb)]), "LoadBalancerNotFound");
        assert_eq!(desk.refused("DeleteListener", &[("ListenerArn", &arn)]), "ListenerNotFound");
    }
}
