//! Zones, quotas, and which machines are offered where.

use serde_json::{Value, json};

use super::address;
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, like, page, text};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "zones_have_names_ids_and_states",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html",
    },
    Behaviour {
        name: "the_quota_of_addresses_is_told",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAccountAttributes.html",
    },
    Behaviour {
        name: "not_every_zone_offers_every_machine",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("DescribeAvailabilityZones", describe_zones),
    Action::special("DescribeAccountAttributes", describe_account),
    Action::special("DescribeInstanceTypeOfferings", describe_offerings),
];

/// Regions whose zones are not `a`, `b`, `c`
/// (<https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html>).
const LETTERS: &[(&str, &str)] = &[
    ("ap-northeast-1", "acd"),
    ("ap-northeast-2", "abcd"),
    ("ca-central-1", "abd"),
    ("us-east-1", "abcdef"),
    ("us-west-1", "ac"),
    ("us-west-2", "abcd"),
];

/// The zones of a region, in order.
pub(in crate::aws) fn zones(region: &str) -> Vec<String> {
    let letters = LETTERS.iter().find(|(known, _)| *known == region).map_or("abc", |(_, letters)| letters);
    letters.chars().map(|letter| format!("{region}{letter}")).collect()
}

/// The id of a zone, such as `euc1-az2`.
pub(super) fn zone_id(region: &str, zone: &str) -> String {
    let number = zones(region).iter().position(|known| known == zone).unwrap_or_default() + 1;
    let mut parts = region.split('-');
    let (area, place, count) = (parts.next(), parts.next(), parts.next());
    let short = match place.unwrap_or_default() {
        "northeast" => "ne",
        "southeast" => "se",
        other => other.get(..1).unwrap_or_default(),
    };
    format!("{}{short}{}-az{number}", area.unwrap_or_default(), count.unwrap_or_default())
}

/// What a request's filters leave of what each entry says under their names.
fn left(call: &Call<'_>, mut all: Vec<Value>, names: &[(&str, &str)]) -> Result<Vec<Value>, Refused> {
    for filter in call.list("Filter") {
        let name = text(&filter["Name"]);
        let Some((_, member)) = names.iter().find(|(known, _)| *known == name) else {
            return Err(Refused::bad("InvalidParameterValue", format!("The filter '{name}' is invalid")));
        };
        let wanted: Vec<String> = filter["Value"].as_array().into_iter().flatten().map(text).collect();
        if wanted.len() > 200 {
            let message = "The maximum number of filter values specified on a single call is 200";
            return Err(Refused::bad("FilterLimitExceeded", message));
        }
        all.retain(|entry| wanted.iter().any(|pattern| like(pattern, &text(&entry[*member]))));
    }
    Ok(all)
}

fn describe_zones(call: &mut Call<'_>) -> Answer {
    let region = call.world.region.clone();
    let zone = |zone: &String| {
        json!({ "zoneName": zone, "zoneState": "available", "regionName": region,
                "zoneId": zone_id(&region, zone), "groupName": format!("{region}-zg-1"),
                "networkBorderGroup": region, "zoneType": "availability-zone",
                "optInStatus": "opt-in-not-required", "messageSet": [] })
    };
    let mut all: Vec<Value> = zones(&region).iter().map(zone).collect();
    let names = call.texts("ZoneName");
    if let Some(unknown) = names.iter().find(|name| !zones(&region).contains(name)) {
        return Err(Refused::bad("InvalidParameterValue", format!("Invalid availability zone: [{unknown}]")));
    }
    all.retain(|zone| names.is_empty() || names.iter().any(|name| zone["zoneName"] == *name));
    const NAMES: &[(&str, &str)] = &[
        ("state", "zoneState"),
        ("zone-type", "zoneType"),
        ("zone-name", "zoneName"),
        ("zone-id", "zoneId"),
        ("region-name", "regionName"),
        ("opt-in-status", "optInStatus"),
        ("group-name", "groupName"),
    ];
    let all = left(call, all, NAMES)?;
    Ok(object([("availabilityZoneInfo", Value::Array(all))]))
}

fn describe_account(call: &mut Call<'_>) -> Answer {
    let addresses = call.world.weather.quotas.get(address::ADDRESS.kind).copied().unwrap_or(address::MOST);
    let default = call.world.all("vpc").find(|vpc| vpc.attrs.get("isDefault") == Some(&Value::Bool(true)));
    let default = default.map_or("none", |vpc| vpc.id.as_str());
    let all = [
        ("supported-platforms", "VPC".to_owned()),
        ("default-vpc", default.to_owned()),
        ("max-instances", "20".to_owned()),
        ("vpc-max-security-groups-per-interface", "5".to_owned()),
        ("max-elastic-ips", addresses.to_string()),
        ("vpc-max-elastic-ips", addresses.to_string()),
    ];
    let asked = call.texts("AttributeName");
    if let Some(unknown) = asked.iter().find(|name| !all.iter().any(|(known, _)| known == name)) {
        let message = format!("Value ({unknown}) for parameter attribute is invalid. Unknown attribute.");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    let told = all.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|asked| asked == name));
    let told =
        told.map(|(name, value)| json!({ "attributeName": name, "attributeValueSet": [{ "attributeValue": value }] }));
    Ok(object([("accountAttributeSet", told.collect())]))
}

/// Families by their sizes, and the zones that have them: all, or those at these places.
const FAMILIES: &[(&str, &str, &[usize])] = &[
    ("t3 t3a t4g", "nano micro small medium large xlarge 2xlarge", &[]),
    ("c5 m5 r5 c5n m5n", "large xlarge 2xlarge 4xlarge 8xlarge 9xlarge 12xlarge 16xlarge 18xlarge 24xlarge metal", &[]),
    ("c5a m5a r5a c5d m5d r5d", "large xlarge 2xlarge 4xlarge 8xlarge 9xlarge 12xlarge 16xlarge 24xlarge", &[]),
    (
        "c6a c6i c6id c6in m6a m6i m6id m6in r6a r6i r6id r6in",
        "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge metal",
        &[],
    ),
    ("c6g c6gd c6gn m6g m6gd r6g r6gd", "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge metal", &[]),
    (
        "c7a c7i m7a m7i r7a r7i",
        "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge",
        &[],
    ),
    ("c7i-flex m7i-flex c8i-flex m8i-flex", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge", &[]),
    ("c7g c7gd c7gn m7g m7gd r7g r7gd", "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge metal", &[]),
    (
        "c8g m8g r8g c8i m8i r8i c8a m8a r8a",
        "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge",
        &[0, 1],
    ),
    (
        "i3en i4i i4g d3",
        "large xlarge 2xlarge 3xlarge 4xlarge 6xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
        &[],
    ),
    (
        "x2gd x2idn x2iedn z1d",
        "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
        &[0, 2],
    ),
    ("g4dn g5g", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge metal", &[]),
    ("g5", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge", &[0, 1]),
    ("g6 g6e", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge", &[1, 2]),
    ("p3dn p4d p4de", "24xlarge", &[1]),
    ("p5", "4xlarge 48xlarge", &[0]),
    ("p5e p5en", "48xlarge", &[2]),
];

fn describe_offerings(call: &mut Call<'_>) -> Answer {
    let region = call.world.region.clone();
    let by = call.text("LocationType").unwrap_or("region").to_owned();
    // Thousands of types are offered; only those that are asked for are put into words.
    let asked = call.list("Filter").into_iter().find(|filter| text(&filter["Name"]) == "instance-type");
    let asked: Option<Vec<String>> =
        asked.map(|filter| filter["Value"].as_array().into_iter().flatten().map(text).collect());
    let is_asked = |machine: &str| asked.as_ref().is_none_or(|all| all.iter().any(|pattern| like(pattern, machine)));
    let known = zones(&region);
    let mut all = Vec::new();
    for (families, sizes, places) in FAMILIES {
        let machines = families.split(' ').flat_map(|family| sizes.split(' ').map(move |size| (family, size)));
        for machine in machines.map(|(family, size)| format!("{family}.{size}")).filter(|machine| is_asked(machine)) {
            let offering =
                |location: &str| json!({ "instanceType": machine, "locationType": by, "location": location });
            let here = |place: &usize| places.is_empty() || places.contains(place);
            let zones = known.iter().enumerate().filter(|(place, _)| here(place)).map(|(_, zone)| zone);
            match by.as_str() {
                "region" => all.push(offering(&region)),
                "availability-zone" => all.extend(zones.map(|zone| offering(zone))),
                "availability-zone-id" => all.extend(zones.map(|zone| offering(&zone_id(&region, zone)))),
                other => {
                    let message = format!("Value ({other}) for parameter locationType is invalid.");
                    return Err(Refused::bad("InvalidParameterValue", message));
                }
            }
        }
    }
    let all = left(call, all, &[("instance-type", "instanceType"), ("location", "location")])?;
    page(call, "instanceTypeOfferingSet", all)
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    #[test]
    fn zones_have_names_ids_and_states() {
        let mut desk = Desk::calm();
        let filters = [
            ("Filter.1.Name", "state"),
            ("Filter.1.Value.1", "available"),
            ("Filter.2.Name", "zone-type"),
            ("Filter.2.Value.1", "availability-zone"),
            ("Filter.3.Name", "opt-in-status"),
            ("Filter.3.Value.1", "opt-in-not-required"),
            ("Filter.3.Value.2", "opted-in"),
        ];
        let zones = desk.ok("DescribeAvailabilityZones", &filters)["availabilityZoneInfo"].clone();
        assert_eq!(zones.as_array().map(Vec::len), Some(3));
        assert_eq!((&zones[2]["zoneName"], &zones[2]["zoneId"]), (&"eu-central-1c".into(), &"euc1-az3".into()));
        assert_eq!(super::zones("us-east-1").len(), 6);
        assert_eq!(super::zone_id("ap-northeast-1", "ap-northeast-1c"), "apne1-az2");
    }

    #[test]
    fn the_quota_of_addresses_is_told() {
        let mut desk = Desk::calm();
        desk.world.weather.quotas.insert("elastic-ip".to_owned(), 7);
        let asked = [("AttributeName.1", "vpc-max-elastic-ips")];
        let told = desk.ok("DescribeAccountAttributes", &asked)["accountAttributeSet"].clone();
        assert_eq!(told.as_array().map(Vec::len), Some(1));
        assert_eq!(told[0]["attributeValueSet"][0]["attributeValue"], "7");
    }

    #[test]
    fn not_every_zone_offers_every_machine() {
        let mut desk = Desk::calm();
        let mut zones = |machine: &str| -> Vec<String> {
            let asked = [
                ("LocationType", "availability-zone"),
                ("Filter.1.Name", "instance-type"),
                ("Filter.1.Value.1", machine),
                ("MaxResults", "1000"),
            ];
            let all = desk.ok("DescribeInstanceTypeOfferings", &asked)["instanceTypeOfferingSet"].clone();
            let all = all.as_array().cloned().unwrap_or_default();
            all.iter()
                .map(|offering| offering["location"].as_str().unwrap_or_default().replace("eu-central-1", ""))
                .collect()
        };
        assert_eq!(zones("m7i.large"), ["a", "b", "c"]);
        assert_eq!(zones("p5.48xlarge"), ["a"]);
        assert_eq!(zones("p4d.24xlarge"), ["b"]);
        assert_eq!(zones("g6.xlarge"), ["b", "c"]);
        assert_eq!(zones("m7i.huge"), Vec::<String>::new());
        assert_eq!(zones("p4d*"), ["b", "b"]);
    }
}
