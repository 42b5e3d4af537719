//! Images: Canonical's, one a month for each architecture, and whatever the world holds as things of kind `image`.
//!
//! The newest has the id that Canonical's public parameter of SSM names; ids follow from names alone, so that whoever
//! answers for SSM needs no table.

use clusterctl_core::value::sha256_hex;
use serde_json::{Value, json};

use crate::aws::call::{Answer, Call, Refused};
use crate::aws::table::{Action, Behaviour, Row, page};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "the_image_that_the_parameter_names_is_the_newest",
        source: "https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/",
    },
    Behaviour {
        name: "an_image_id_that_is_none_is_malformed",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#CommonErrors",
    },
];

pub(super) const ACTIONS: &[Action] = &[Action::special("DescribeImages", describe)];

/// Canonical's account.
const CANONICAL: &str = "099720109477";
/// When Canonical published one; the last is the newest.
const DAYS: [&str; 3] = ["20251014", "20251113", "20251212"];
/// The size of the root disk that an image brings.
pub(super) const ROOT_SIZE: i64 = 8;

static IMAGE: Row = Row {
    id: "imageId",
    id_param: "ImageId",
    set: "imagesSet",
    missing: "InvalidAMIID.NotFound",
    filters: &[
        ("image-id", "imageId"),
        ("name", "name"),
        ("architecture", "architecture"),
        ("virtualization-type", "virtualizationType"),
        ("root-device-type", "rootDeviceType"),
        ("root-device-name", "rootDeviceName"),
        ("state", "imageState"),
        ("owner-id", "imageOwnerId"),
        ("is-public", "isPublic"),
    ],
    ..Row::new("image", "ami")
};

/// The id that the public parameter of this name has as its value.
pub(in crate::aws) fn image_id(parameter: &str) -> String {
    format!("ami-0{}", &sha256_hex(parameter.as_bytes())[..16])
}

/// The public parameter with the newest image of an architecture, in Canonical's words.
pub(in crate::aws) fn image_parameter(arch: &str) -> String {
    format!("/aws/service/canonical/ubuntu/server/24.04/stable/current/{arch}/hvm/ebs-gp3/ami-id")
}

/// Every image that anybody may use.
fn published() -> Vec<Thing> {
    let arches = [("amd64", "x86_64"), ("arm64", "arm64")];
    let all = arches.iter().flat_map(|arch| DAYS.iter().map(move |day| (arch, *day)));
    all.map(|((arch, architecture), day)| {
        let name = format!("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{arch}-server-{day}");
        let newest = DAYS.last() == Some(&day);
        let id = image_id(&if newest { image_parameter(arch) } else { name.clone() });
        let date = format!("{}-{}-{}T04:00:00.000Z", &day[..4], &day[4..6], &day[6..]);
        let attrs = json!({
            "imageId": id, "imageLocation": format!("amazon/{name}"), "imageState": "available",
            "imageOwnerId": CANONICAL, "creationDate": date, "isPublic": true, "architecture": architecture,
            "imageType": "machine", "name": name, "imageOwnerAlias": "amazon",
            "description": format!("Canonical, Ubuntu, 24.04, {arch} noble image"),
            "rootDeviceType": "ebs", "rootDeviceName": "/dev/sda1",
            "blockDeviceMapping": [{ "deviceName": "/dev/sda1", "ebs": {
                "deleteOnTermination": true, "volumeSize": ROOT_SIZE, "volumeType": "gp3", "encrypted": false } }],
            "virtualizationType": "hvm", "hypervisor": "xen", "enaSupport": true, "sriovNetSupport": "simple",
            "platformDetails": "Linux/UNIX",
        });
        let mut image = Thing::new("image", id);
        image.attrs = attrs.as_object().cloned().unwrap_or_default();
        image.foreign = true;
        image
    })
    .collect()
}

/// An image that a machine may start from.
pub(super) fn image(world: &World, id: &str) -> Result<Thing, Refused> {
    let digits = id.strip_prefix("ami-").unwrap_or_default();
    if ![8, 17].contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Refused::bad("InvalidAMIID.Malformed", format!("Invalid id: \"{id}\" (expecting \"ami-...\")")));
    }
    let own = world.get("image", id).cloned();
    own.or_else(|| published().into_iter().find(|image| image.id == id))
        .ok_or_else(|| Refused::bad("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist")))
}

fn describe(call: &mut Call<'_>) -> Answer {
    for id in call.texts("ImageId") {
        image(call.world, &id)?;
    }
    let mut all = published();
    all.extend(call.world.listed("image"));
    let owners = call.texts("Owner");
    let owned = |image: &Thing| {
        owners.iter().any(|owner| match owner.as_str() {
            "self" => image.text("imageOwnerId") == crate::aws::ACCOUNT,
            "amazon" => image.text("imageOwnerAlias") == "amazon",
            other => image.text("imageOwnerId") == other,
        })
    };
    if !owners.is_empty() {
        all.retain(owned);
    }
    let found: Vec<Value> = IMAGE.choose(call, all)?.iter().map(|i| Value::Object(i.attrs.clone())).collect();
    page(call, IMAGE.set, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::Desk;

    #[test]
    fn the_image_that_the_parameter_names_is_the_newest() {
        let mut desk = Desk::calm();
        let filters = [
            ("Owner.1", CANONICAL),
            ("Filter.1.Name", "name"),
            ("Filter.1.Value.1", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-*"),
        ];
        let answer = desk.ok("DescribeImages", &filters);
        let images = answer["imagesSet"].as_array().cloned().unwrap_or_default();
        let newest = images.iter().max_by_key(|image| image["creationDate"].as_str().map(str::to_owned));
        assert_eq!(images.len(), DAYS.len());
        assert_eq!(newest.map(|image| image["imageId"].clone()), Some(image_id(&image_parameter("arm64")).into()));
    }

    #[test]
    fn an_image_id_that_is_none_is_malformed() {
        let mut desk = Desk::calm();
        for (id, code) in [
            ("ami-0123456789abcdef0", "InvalidAMIID.NotFound"),
            ("ami-01234567", "InvalidAMIID.NotFound"),
            ("ami-0123", "InvalidAMIID.Malformed"),
            ("ami-wrongletters!", "InvalidAMIID.Malformed"),
            ("noble", "InvalidAMIID.Malformed"),
        ] {
            assert_eq!(desk.refused("DescribeImages", &[("ImageId.1", id)]), code, "{id}");
        }
    }
}
