//! The rules of security groups.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{SECURITY_GROUP, permission};
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Behaviour, Row, shown, specified, text};
use crate::world::{Thing, World};

pub(in crate::aws::ec2) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_group_holds_the_same_rule_once",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html",
    },
    Behaviour {
        name: "rules_have_ids_and_tags",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html",
    },
    Behaviour {
        name: "what_is_revoked_must_be_there",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html",
    },
    Behaviour {
        name: "a_rule_keeps_its_id_when_it_is_modified",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html",
    },
    Behaviour {
        name: "one_rule_too_many_is_refused",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
    },
    Behaviour {
        name: "a_description_of_a_rule_has_few_characters",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html",
    },
];

pub(super) static RULE: Row = Row {
    id: "securityGroupRuleId",
    id_param: "SecurityGroupRuleId",
    set: "securityGroupRuleSet",
    missing: "InvalidSecurityGroupRuleId.NotFound",
    filters: &[("group-id", "groupId"), ("security-group-rule-id", "securityGroupRuleId")],
    ..Row::new("security-group-rule", "sgr")
};

/// Of one group and direction: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
const MOST: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

pub(super) fn let_in(call: &mut Call<'_>) -> Answer {
    authorize(call, Way::In)
}

pub(super) fn let_out(call: &mut Call<'_>) -> Answer {
    authorize(call, Way::Out)
}

pub(super) fn revoke_in(call: &mut Call<'_>) -> Answer {
    revoke(call, Way::In)
}

pub(super) fn revoke_out(call: &mut Call<'_>) -> Answer {
    revoke(call, Way::Out)
}

/// The rules of a group.
pub(super) fn of_group(world: &World, group: &str) -> Vec<Thing> {
    world.all(RULE.kind).filter(|rule| rule.text("groupId") == group).cloned().collect()
}

fn in_way(world: &World, group: &str, way: Way) -> Vec<Thing> {
    let mut rules = of_group(world, group);
    rules.retain(|rule| rule.attrs.get("isEgress") == Some(&Value::Bool(way == Way::Out)));
    rules
}

/// Adds a rule to a group.
pub(super) fn add(world: &mut World, group: &str, way: Way, rule: Value, tags: BTreeMap<String, String>) -> String {
    let id = world.id(RULE.prefix);
    let mut thing = Thing::new(RULE.kind, &id);
    thing.set("securityGroupRuleId", id.as_str());
    thing.set("groupId", group);
    thing.set("groupOwnerId", ACCOUNT);
    thing.set("isEgress", way == Way::Out);
    thing.attrs.extend(rule.as_object().cloned().unwrap_or_default());
    thing.tags = tags;
    world.add(thing);
    id
}

fn authorize(call: &mut Call<'_>, way: Way) -> Answer {
    let group = call.needs("GroupId")?;
    let home = SECURITY_GROUP.find(call.world, &group)?;
    let rules = permission::read(call)?;
    let tags = specified(call, RULE.kind)?;
    let there = in_way(call.world, &group, way);
    for (index, rule) in rules.iter().enumerate() {
        knows_peer(call, rule, &home)?;
        if rules[..index].iter().any(|earlier| earlier.as_object().is_some_and(|one| permission::same(rule, one))) {
            let message = "The same permission must not appear multiple times";
            return Err(Refused::bad("InvalidParameterValue", message));
        }
        refuse_second(rule, there.iter())?;
    }
    let most = call.world.weather.quotas.get(RULE.kind).map_or(MOST, |most| *most as usize);
    if there.len() + rules.len() > most {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(Refused::bad("RulesPerSecurityGroupLimitExceeded", message));
    }
    let made: Vec<String> = rules.into_iter().map(|rule| add(call.world, &group, way, rule, tags.clone())).collect();
    let made = made.iter().filter_map(|id| call.world.get(RULE.kind, id)).map(|rule| Value::Object(shown(rule)));
    Ok(object([("return", true.into()), ("securityGroupRuleSet", made.collect())]))
}

fn refuse_second<'a>(rule: &Value, mut there: impl Iterator<Item = &'a Thing>) -> Result<(), Refused> {
    if there.any(|known| permission::same(rule, &known.attrs)) {
        let message = format!(
            "the specified rule \"peer: {}{}, {}, from port: {}, to port: {}, ALLOW\" already exists",
            text(&rule["cidrIpv4"]),
            text(&rule["referencedGroupInfo"]["groupId"]),
            text(&rule["ipProtocol"]).to_ascii_uppercase(),
            rule["fromPort"],
            rule["toPort"],
        );
        return Err(Refused::bad("InvalidPermission.Duplicate", message));
    }
    Ok(())
}

/// A rule may name another group of the same network.
fn knows_peer(call: &mut Call<'_>, rule: &Value, home: &Thing) -> Result<(), Refused> {
    let Some(peer) = rule["referencedGroupInfo"]["groupId"].as_str() else { return Ok(()) };
    if SECURITY_GROUP.find(call.world, peer)?.text("vpcId") != home.text("vpcId") {
        let message = "You have specified two resources that belong to different networks.";
        return Err(Refused::bad("InvalidGroup.NotFound", message));
    }
    Ok(())
}

fn revoke(call: &mut Call<'_>, way: Way) -> Answer {
    let group = call.needs("GroupId")?;
    if call.world.get(SECURITY_GROUP.kind, &group).is_none() {
        return Err(SECURITY_GROUP.unknown(&group));
    }
    let there = in_way(call.world, &group, way);
    let mut revoked: Vec<Thing> = Vec::new();
    let ids = call.texts("SecurityGroupRuleId");
    for id in &ids {
        let rule = there.iter().find(|rule| rule.id == *id).ok_or_else(|| RULE.unknown(id))?;
        revoked.push(rule.clone());
    }
    if ids.is_empty() {
        for wanted in permission::read(call)? {
            let Some(rule) = there.iter().find(|rule| permission::same(&wanted, &rule.attrs)) else {
                let message = "The specified rule does not exist in this security group.";
                return Err(Refused::bad("InvalidPermission.NotFound", message));
            };
            revoked.push(rule.clone());
        }
    }
    for rule in &revoked {
        call.world.delete(RULE.kind, &rule.id);
    }
    let told = revoked.iter().map(|rule| {
        let mut told: Map<String, Value> = rule.attrs.clone();
        if let Some(peer) = told.shift_remove("referencedGroupInfo") {
            told.insert("referencedGroupId".to_owned(), peer["groupId"].clone());
        }
        told.shift_remove("groupOwnerId");
        Value::Object(told)
    });
    Ok(object([
        ("return", true.into()),
        ("revokedSecurityGroupRuleSet", told.collect()),
        ("unknownIpPermissionSet", json!([])),
    ]))
}

pub(super) fn modify(call: &mut Call<'_>) -> Answer {
    let group = call.needs("GroupId")?;
    let home = SECURITY_GROUP.find(call.world, &group)?;
    let mut changes = Vec::new();
    for change in call.list("SecurityGroupRule") {
        let id = text(&change["SecurityGroupRuleId"]);
        let there = of_group(call.world, &group);
        let rule = there.iter().find(|rule| rule.id == id).ok_or_else(|| RULE.unknown(&id))?;
        let wanted = permission::update(&change["SecurityGroupRule"])?;
        knows_peer(call, &wanted, &home)?;
        let way = rule.attrs.get("isEgress");
        refuse_second(&wanted, there.iter().filter(|other| other.id != id && other.attrs.get("isEgress") == way))?;
        changes.push((id, wanted));
    }
    for (id, wanted) in changes {
        if let Some(rule) = call.world.get_mut(RULE.kind, &id) {
            let keep = ["securityGroupRuleId", "groupId", "groupOwnerId", "isEgress"];
            rule.attrs.retain(|name, _| keep.contains(&name.as_str()));
            rule.attrs.extend(wanted.as_object().cloned().unwrap_or_default());
        }
    }
    Ok(object([("return", true.into())]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::aws::testing::Desk;

    const LET_IN: &str = "AuthorizeSecurityGroupIngress";

    fn desk() -> (Desk, String) {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let group = desk.group(&vpc, "nodes");
        (desk, group)
    }

    fn tcp<'a>(group: &'a str, port: &'a str, cidr: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("GroupId", group),
            ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", port),
            ("IpPermissions.1.ToPort", port),
            ("IpPermissions.1.IpRanges.1.CidrIp", cidr),
        ]
    }

    fn described(fields: &[(&'static str, &'static str)], words: &'static str) -> Vec<(&'static str, &'static str)> {
        let mut fields = fields.to_vec();
        fields.push(("IpPermissions.1.IpRanges.1.Description", words));
        fields
    }

    fn rules(desk: &mut Desk, group: &str) -> Vec<Value> {
        let of = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", group)];
        desk.ok("DescribeSecurityGroupRules", &of)["securityGroupRuleSet"].as_array().cloned().unwrap_or_default()
    }

    #[test]
    fn a_group_holds_the_same_rule_once() {
        let (mut desk, group) = desk();
        desk.ok(LET_IN, &tcp(&group, "22", "10.0.0.0/8"));
        // Neither bits behind the prefix nor a description make a difference.
        let mut again = tcp(&group, "22", "10.1.2.3/8");
        again.push(("IpPermissions.1.IpRanges.1.Description", "another"));
        assert_eq!(desk.refused(LET_IN, &again), "InvalidPermission.Duplicate");
        desk.ok(LET_IN, &tcp(&group, "23", "10.0.0.0/8"));
        desk.ok("AuthorizeSecurityGroupEgress", &tcp(&group, "22", "10.0.0.0/8"));
        assert_eq!(desk.refused(LET_IN, &tcp("sg-1", "22", "10.0.0.0/8")), "InvalidGroup.NotFound");
        let mut nobody = tcp(&group, "22", "10.0.0.0/8");
        nobody[4] = ("IpPermissions.1.Groups.1.GroupId", "sg-1");
        assert_eq!(desk.refused(LET_IN, &nobody), "InvalidGroup.NotFound");
    }

    #[test]
    fn rules_have_ids_and_tags() {
        let (mut desk, group) = desk();
        let mut fields = tcp(&group, "443", "0.0.0.0/0");
        fields.extend([
            ("TagSpecification.1.ResourceType", "security-group-rule"),
            ("TagSpecification.1.Tag.1.Key", "k"),
            ("TagSpecification.1.Tag.1.Value", "v"),
        ]);
        let made = desk.ok(LET_IN, &fields)["securityGroupRuleSet"][0].clone();
        let by_tag = [("Filter.1.Name", "tag:k"), ("Filter.1.Value.1", "v")];
        let found = desk.ok("DescribeSecurityGroupRules", &by_tag)["securityGroupRuleSet"].clone();
        assert_eq!(found, json!([made]));
        assert_eq!(made["tagSet"], json!([{ "key": "k", "value": "v" }]));
        assert_eq!((&made["isEgress"], &made["fromPort"]), (&false.into(), &443.into()));
        let all = rules(&mut desk, &group);
        let out = all.iter().find(|rule| rule["isEgress"] == true).expect("the rule that AWS makes");
        assert_eq!((&out["ipProtocol"], &out["fromPort"]), (&"-1".into(), &(-1).into()));
    }

    #[test]
    fn what_is_revoked_must_be_there() {
        let (mut desk, group) = desk();
        let everything = [
            ("GroupId", group.as_str()),
            ("IpPermissions.1.IpProtocol", "-1"),
            ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
        ];
        let answer = desk.ok("RevokeSecurityGroupEgress", &everything);
        assert_eq!(answer["revokedSecurityGroupRuleSet"][0]["cidrIpv4"], "0.0.0.0/0");
        assert_eq!(desk.refused("RevokeSecurityGroupEgress", &everything), "InvalidPermission.NotFound");
        let made = desk.ok(LET_IN, &tcp(&group, "22", "10.0.0.0/8"))["securityGroupRuleSet"][0].clone();
        let by_id = [
            ("GroupId", group.as_str()),
            ("SecurityGroupRuleId.1", made["securityGroupRuleId"].as_str().unwrap_or_default()),
        ];
        assert_eq!(desk.refused("RevokeSecurityGroupEgress", &by_id), "InvalidSecurityGroupRuleId.NotFound");
        desk.ok("RevokeSecurityGroupIngress", &by_id);
        assert_eq!(desk.refused("RevokeSecurityGroupIngress", &by_id), "InvalidSecurityGroupRuleId.NotFound");
        assert_eq!(rules(&mut desk, &group), Vec::<Value>::new());
    }

    #[test]
    fn a_rule_keeps_its_id_when_it_is_modified() {
        let (mut desk, group) = desk();
        let made = desk.ok(LET_IN, &tcp(&group, "22", "10.0.0.0/8"))["securityGroupRuleSet"][0].clone();
        desk.ok(LET_IN, &tcp(&group, "23", "10.0.0.0/8"));
        let id = made["securityGroupRuleId"].as_str().unwrap_or_default();
        let mut change = |port| {
            let fields = [
                ("GroupId", group.as_str()),
                ("SecurityGroupRule.1.SecurityGroupRuleId", id),
                ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp"),
                ("SecurityGroupRule.1.SecurityGroupRule.FromPort", port),
                ("SecurityGroupRule.1.SecurityGroupRule.ToPort", port),
                ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "10.0.0.0/8"),
                ("SecurityGroupRule.1.SecurityGroupRule.Description", "SSH"),
            ];
            desk.ask("ModifySecurityGroupRules", &fields).map(drop)
        };
        assert_eq!(change("23"), Err("InvalidPermission.Duplicate".to_owned()));
        assert_eq!(change("2222"), Ok(()));
        let rule = rules(&mut desk, &group).into_iter().find(|rule| rule["securityGroupRuleId"] == id);
        let rule = rule.expect("it is there");
        assert_eq!((&rule["fromPort"], &rule["description"]), (&2222.into(), &"SSH".into()));
    }

    #[test]
    fn one_rule_too_many_is_refused() {
        let (mut desk, group) = desk();
        for port in 0..60 {
            desk.ok(LET_IN, &tcp(&group, &port.to_string(), "10.0.0.0/8"));
        }
        assert_eq!(desk.refused(LET_IN, &tcp(&group, "60", "10.0.0.0/8")), "RulesPerSecurityGroupLimitExceeded");
    }

    #[test]
    fn a_description_of_a_rule_has_few_characters() {
        let (mut desk, group) = desk();
        let group: &'static str = group.leak();
        let fields = tcp(group, "22", "10.0.0.0/8");
        for words in ["the user's", "Grüße", "a > b"] {
            assert_eq!(desk.refused(LET_IN, &described(&fields, words)), "InvalidParameterValue", "{words}");
        }
        desk.ok(LET_IN, &described(&fields, "SSH (bastion): 10.0.0.0/8 #1"));
        assert_eq!(desk.refused(LET_IN, &tcp(group, "70000", "10.0.0.0/8")), "InvalidParameterValue");
        assert_eq!(desk.refused(LET_IN, &tcp(group, "22", "10.0.0.0")), "InvalidParameterValue");
    }
}
