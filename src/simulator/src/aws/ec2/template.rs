//! Launch templates and their versions.
//!
//! A version is kept as it was asked for, so that a launch can read it as a request; an answer renames it.

use serde_json::{Map, Value, json};

use crate::aws::call::{Answer, Call, Refused, object, timestamp};
use crate::aws::table::{Action, Behaviour, Row, page, shown, text};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_template_has_versions_and_one_of_them_is_the_default",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-launch-template-versions.html",
    },
    Behaviour {
        name: "the_name_of_a_template_is_taken_once",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html",
    },
    Behaviour {
        name: "a_template_is_read_back_as_it_was_given",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResponseLaunchTemplateData.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateLaunchTemplate", &TEMPLATE).once("ClientToken"),
    Action::special("CreateLaunchTemplateVersion", create_version).once("ClientToken"),
    Action::special("ModifyLaunchTemplate", modify).once("ClientToken"),
    Action::special("DeleteLaunchTemplate", delete),
    Action::special("DescribeLaunchTemplates", describe),
    Action::special("DescribeLaunchTemplateVersions", describe_versions),
];

const KIND: &str = "launch-template";

static TEMPLATE: Row = Row {
    id: "launchTemplateId",
    id_param: "LaunchTemplateId",
    one: "launchTemplate",
    set: "launchTemplates",
    missing: "InvalidLaunchTemplateId.NotFound",
    filters: &[("launch-template-name", "launchTemplateName"), ("create-time", "createTime")],
    limit: (5000, "LaunchTemplateLimitExceeded"),
    born: Some(born),
    ..Row::new(KIND, "lt")
};

fn born(call: &mut Call<'_>, template: &mut Thing) -> Result<(), Refused> {
    let name = call.needs("LaunchTemplateName")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "().-/_".contains(c);
    if !(3..=128).contains(&name.len()) || !name.chars().all(allowed) {
        let message = format!("The launch template name {name} is not valid: 3 to 128 letters, digits and ().-/_");
        return Err(Refused::bad("InvalidLaunchTemplateName.MalformedException", message));
    }
    if call.world.all(KIND).any(|other| other.text("launchTemplateName") == name) {
        let message = "Launch template name already in use.";
        return Err(Refused::bad("InvalidLaunchTemplateName.AlreadyExistsException", message));
    }
    template.set("launchTemplateName", name);
    template.set("createTime", timestamp(call.now()));
    template.set("createdBy", format!("arn:aws:iam::{}:root", crate::aws::ACCOUNT));
    template.set("defaultVersionNumber", 1);
    template.set("latestVersionNumber", 1);
    let first = version(call, 1)?;
    template.set("_versions", json!({ "1": first }));
    Ok(())
}

fn version(call: &Call<'_>, number: i64) -> Result<Value, Refused> {
    let Some(Value::Object(data)) = call.at("LaunchTemplateData") else {
        return Err(Refused::bad("MissingParameter", "The request must contain the parameter LaunchTemplateData"));
    };
    let data = match call.text("SourceVersion").filter(|_| number > 1) {
        None => data.clone(),
        Some(source) => {
            let template = named(call.world, &call.params)?;
            let mut data_of_both = data_of(&template, source)?.1;
            data_of_both.extend(data.clone());
            data_of_both
        }
    };
    let words = call.text("VersionDescription").map_or(Value::Null, Value::from);
    Ok(json!({ "number": number, "created": timestamp(call.now()), "description": words, "data": data }))
}

/// The template that a request or a part of it names by id or by name.
fn named(world: &World, params: &Map<String, Value>) -> Result<Thing, Refused> {
    let given = |param: &str| params.get(param).map(text).filter(|text| !text.is_empty());
    if let Some(id) = given("LaunchTemplateId") {
        let message = format!("The specified launch template, with template ID {id}, does not exist.");
        let found = world.get(KIND, &id).cloned();
        return found.ok_or_else(|| Refused::bad("InvalidLaunchTemplateId.NotFound", message));
    }
    let Some(name) = given("LaunchTemplateName") else {
        let message = "Either launch template ID or launch template name must be specified";
        return Err(Refused::bad("MissingParameter", message));
    };
    let found = world.all(KIND).find(|template| template.text("launchTemplateName") == name).cloned();
    found.ok_or_else(|| {
        let message = format!("The specified launch template, with template name {name}, does not exist.");
        Refused::bad("InvalidLaunchTemplateName.NotFoundException", message)
    })
}

/// The version of that name, and what a machine of it is to be like.
fn data_of(template: &Thing, version: &str) -> Result<(i64, Map<String, Value>), Refused> {
    let number = match version {
        "$Latest" => text(&template.attrs["latestVersionNumber"]),
        "" | "$Default" => text(&template.attrs["defaultVersionNumber"]),
        number => number.to_owned(),
    };
    let found = template.attrs["_versions"].get(&number).and_then(|version| version["data"].as_object());
    match found {
        Some(data) => Ok((number.parse().unwrap_or_default(), data.clone())),
        None => {
            let message = format!(
                "Could not find the specified version {version} for the launch template with ID {}.",
                template.id
            );
            Err(Refused::bad("InvalidLaunchTemplateId.VersionNotFound", message))
        }
    }
}

/// A version of a template as a launch uses it.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Chosen {
    pub(in crate::aws) id: String,
    pub(in crate::aws) name: String,
    pub(in crate::aws) version: i64,
    /// As a request of a launch.
    pub(in crate::aws) data: Map<String, Value>,
}

/// What a specification with `LaunchTemplateId` or `LaunchTemplateName`, and `Version`, means now.
pub(in crate::aws) fn chosen(world: &mut World, specification: &Value) -> Result<Chosen, Refused> {
    let none = Map::new();
    let params = specification.as_object().unwrap_or(&none);
    let template = named(world, params)?;
    if !world.knows(KIND, &template.id) {
        let message = format!("The specified launch template, with template ID {}, does not exist.", template.id);
        return Err(Refused::bad("InvalidLaunchTemplateId.NotFound", message));
    }
    let (version, data) = data_of(&template, &params.get("Version").map(text).unwrap_or_default())?;
    Ok(Chosen { name: template.text("launchTemplateName").to_owned(), id: template.id, version, data })
}

fn create_version(call: &mut Call<'_>) -> Answer {
    let template = named(call.world, &call.params)?;
    let number = template.attrs["latestVersionNumber"].as_i64().unwrap_or(0) + 1;
    let made = version(call, number)?;
    if let Some(template) = call.world.get_mut(KIND, &template.id) {
        template.attrs["_versions"][number.to_string()] = made;
        template.set("latestVersionNumber", number);
    }
    let template = call.world.get(KIND, &template.id).cloned().unwrap_or(template);
    Ok(object([("launchTemplateVersion", told(&template, number))]))
}

fn modify(call: &mut Call<'_>) -> Answer {
    let template = named(call.world, &call.params)?;
    // The parameter of the query is called so, the member of the API `DefaultVersion`.
    let wanted = call.text("SetDefaultVersion").unwrap_or("$Default").to_owned();
    let (number, _) = data_of(&template, &wanted)?;
    let after = call.world.get_mut(KIND, &template.id).map(|template| {
        template.set("defaultVersionNumber", number);
        shown(template)
    });
    Ok(object([("launchTemplate", Value::Object(after.unwrap_or_default()))]))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let template = named(call.world, &call.params)?;
    call.world.delete(KIND, &template.id);
    Ok(object([("launchTemplate", Value::Object(shown(&template)))]))
}

fn describe(call: &mut Call<'_>) -> Answer {
    let names = call.texts("LaunchTemplateName");
    let mut found = TEMPLATE.select(call)?;
    if !names.is_empty() {
        found.retain(|template| names.iter().any(|name| template.text("launchTemplateName") == name));
        if found.len() < names.len() {
            let message = "At least one of the launch templates specified in the request does not exist.";
            return Err(Refused::bad("InvalidLaunchTemplateName.NotFoundException", message));
        }
    }
    page(call, TEMPLATE.set, found.iter().map(|template| Value::Object(shown(template))).collect())
}

fn describe_versions(call: &mut Call<'_>) -> Answer {
    let wanted = call.texts("LaunchTemplateVersion");
    let one = call.text("LaunchTemplateId").or(call.text("LaunchTemplateName")).is_some();
    let templates = if one {
        let template = named(call.world, &call.params)?;
        if !call.world.knows(KIND, &template.id) {
            return Err(TEMPLATE.unknown(&template.id));
        }
        vec![template]
    } else {
        if wanted.is_empty() || wanted.iter().any(|version| !version.starts_with('$')) {
            let message = "Without a launch template, only $Latest and $Default can be described";
            return Err(Refused::bad("InvalidParameterCombination", message));
        }
        call.world.listed(KIND)
    };
    let mut all = Vec::new();
    for template in &templates {
        let mut numbers = Vec::new();
        for version in &wanted {
            numbers.push(data_of(template, version)?.0);
        }
        if wanted.is_empty() {
            let latest = template.attrs["latestVersionNumber"].as_i64().unwrap_or(0);
            numbers.extend((1..=latest).rev());
        }
        numbers.dedup();
        all.extend(numbers.into_iter().map(|number| told(template, number)));
    }
    page(call, "launchTemplateVersionSet", all)
}

/// A version as it is answered.
fn told(template: &Thing, number: i64) -> Value {
    let version = &template.attrs["_versions"][number.to_string()];
    json!({
        "launchTemplateId": template.id,
        "launchTemplateName": template.text("launchTemplateName"),
        "versionNumber": number,
        "versionDescription": version["description"],
        "createTime": version["created"],
        "createdBy": template.text("createdBy"),
        "defaultVersion": template.attrs["defaultVersionNumber"] == number,
        "launchTemplateData": answered(&version["data"]),
    })
}

/// A request's part in the names of an answer: they begin small, and what a request lists by one name an answer has in a
/// set.
fn answered(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let nic = map.contains_key("DeviceIndex");
            let groups = |name: &str| nic && name == "SecurityGroupId";
            let one = |(name, value): (&String, &Value)| match groups(name) {
                true => ("groupSet".to_owned(), json!({ "*groupId": value })),
                false => member(name, value),
            };
            map.iter().map(one).collect()
        }
        Value::Array(items) => items.iter().map(answered).collect(),
        other => other.clone(),
    }
}

fn member(name: &str, value: &Value) -> (String, Value) {
    let set = |name: &str| name.to_owned();
    match name {
        "NetworkInterface" => (set("networkInterfaceSet"), answered(value)),
        "BlockDeviceMapping" => (set("blockDeviceMappingSet"), answered(value)),
        "TagSpecification" => (set("tagSpecificationSet"), answered(value)),
        "Tag" => (set("tagSet"), answered(value)),
        "SecurityGroupId" => (set("securityGroupIdSet"), value.clone()),
        "SecurityGroup" => (set("securityGroupSet"), value.clone()),
        _ => {
            let mut chars = name.chars();
            let first = chars.next().map(|first| first.to_ascii_lowercase());
            (first.into_iter().chain(chars).collect(), answered(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::Desk;

    const DATA: [(&str, &str); 3] = [
        ("LaunchTemplateName", "demo-general"),
        ("LaunchTemplateData.InstanceType", "m7i.large"),
        ("LaunchTemplateData.ImageId", "ami-1"),
    ];

    fn made(desk: &mut Desk) -> String {
        let template = desk.ok("CreateLaunchTemplate", &DATA)["launchTemplate"].clone();
        template["launchTemplateId"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_template_has_versions_and_one_of_them_is_the_default() {
        let mut desk = Desk::calm();
        let id = made(&mut desk);
        let next = [("LaunchTemplateId", id.as_str()), ("LaunchTemplateData.InstanceType", "m7i.xlarge")];
        let second = desk.ok("CreateLaunchTemplateVersion", &next);
        assert_eq!(second["launchTemplateVersion"]["versionNumber"], 2);
        let types = |desk: &mut Desk| {
            let ask = [("LaunchTemplateVersion.1", "$Default"), ("LaunchTemplateVersion.2", "$Latest")];
            let versions = desk.ok("DescribeLaunchTemplateVersions", &ask)["launchTemplateVersionSet"].clone();
            let all: Vec<String> = versions
                .as_array()
                .into_iter()
                .flatten()
                .map(|version| text(&version["launchTemplateData"]["instanceType"]))
                .collect();
            all.join(" ")
        };
        assert_eq!(types(&mut desk), "m7i.large m7i.xlarge");
        desk.ok("ModifyLaunchTemplate", &[("LaunchTemplateId", &id), ("SetDefaultVersion", "2")]);
        assert_eq!(types(&mut desk), "m7i.xlarge");
        let missing = [("LaunchTemplateId", id.as_str()), ("SetDefaultVersion", "3")];
        assert_eq!(desk.refused("ModifyLaunchTemplate", &missing), "InvalidLaunchTemplateId.VersionNotFound");
        desk.ok("DeleteLaunchTemplate", &[("LaunchTemplateId", &id)]);
        let again = [("LaunchTemplateId", id.as_str())];
        assert_eq!(desk.refused("DeleteLaunchTemplate", &again), "InvalidLaunchTemplateId.NotFound");
    }

    #[test]
    fn the_name_of_a_template_is_taken_once() {
        let mut desk = Desk::calm();
        made(&mut desk);
        let taken = "InvalidLaunchTemplateName.AlreadyExistsException";
        assert_eq!(desk.refused("CreateLaunchTemplate", &DATA), taken);
    }

    #[test]
    fn a_template_is_read_back_as_it_was_given() {
        let mut desk = Desk::calm();
        let mut ask = DATA.to_vec();
        ask.extend([
            ("LaunchTemplateData.NetworkInterface.1.DeviceIndex", "0"),
            ("LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1", "sg-1"),
            ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize", "50"),
            ("LaunchTemplateData.TagSpecification.1.ResourceType", "instance"),
            ("LaunchTemplateData.TagSpecification.1.Tag.1.Key", "a"),
            ("LaunchTemplateData.TagSpecification.1.Tag.1.Value", "b"),
            ("LaunchTemplateData.MetadataOptions.HttpTokens", "required"),
            ("LaunchTemplateData.IamInstanceProfile.Name", "nodes"),
        ]);
        desk.ok("CreateLaunchTemplate", &ask);
        let versions = desk.ok("DescribeLaunchTemplateVersions", &[("LaunchTemplateVersion.1", "$Latest")]);
        assert_eq!(
            versions["launchTemplateVersionSet"][0]["launchTemplateData"],
            json!({
                "blockDeviceMappingSet": [{ "ebs": { "volumeSize": "50" } }],
                "iamInstanceProfile": { "name": "nodes" },
                "imageId": "ami-1",
                "instanceType": "m7i.large",
                "metadataOptions": { "httpTokens": "required" },
                // The groups of an interface are the only list of these whose entries are not called `item`.
                "networkInterfaceSet": [{ "deviceIndex": "0", "groupSet": { "*groupId": ["sg-1"] } }],
                "tagSpecificationSet": [{ "resourceType": "instance", "tagSet": [{ "key": "a", "value": "b" }] }],
            })
        );
    }
}
