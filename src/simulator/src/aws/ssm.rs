//! Systems Manager's parameters, JSON 1.1:
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html>.
//!
//! Public parameters that name images are in every account, each with an id that its name alone decides, so that an
//! image is the same in every world; [`image`] tells it.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::call::{Refused, timestamp};
use super::table::{Behaviour, text};
use super::{ACCOUNT, plain, target};
use crate::world::{Thing, World};

const KIND: &str = "parameter";
const API: &str = "https://docs.aws.amazon.com/systems-manager/latest/APIReference";

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "public_parameters_name_images",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html",
    },
    Behaviour {
        name: "a_parameter_is_overwritten_only_when_asked_to",
        source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html",
    },
    Behaviour {
        name: "parameters_below_a_path_come_ten_at_a_time",
        source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html",
    },
    Behaviour {
        name: "deleting_several_parameters_tells_which_were_none",
        source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html",
    },
];

/// The image that a public parameter names; `None` for one that names none.
pub(super) fn image(parameter: &str) -> Option<String> {
    let is_public = parameter.starts_with("/aws/service/");
    let names_image = parameter.ends_with("/ami-id") || parameter.ends_with("/image_id") || parameter.contains("/ami-");
    if !is_public || !names_image {
        return None;
    }
    let digest = Sha256::digest(parameter.as_bytes());
    Some(format!("ami-0{}", digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// What an action makes of its parameters.
type Does = fn(&mut World, &Value) -> Result<Value, Refused>;

pub(super) fn answer(world: &mut World, request: &http::Request<Bytes>) -> Result<http::Response<Bytes>, Refused> {
    let does: Does = match target(request).as_str() {
        "GetParameter" => get,
        "GetParameters" => get_several,
        "GetParametersByPath" => below,
        "PutParameter" => put,
        "DeleteParameter" => delete,
        "DeleteParameters" => delete_several,
        other => return Err(Refused::bad("UnknownOperationException", format!("{other} is not simulated ({API})"))),
    };
    let params: Value = serde_json::from_slice(request.body())
        .map_err(|e| Refused::bad("SerializationException", format!("the request is no JSON: {e}")))?;
    Ok(plain(200, "application/x-amz-json-1.1", does(world, &params)?.to_string()))
}

fn name_of(params: &Value) -> Result<String, Refused> {
    let name = text(&params["Name"]);
    let right = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c));
    if !name.is_empty() && right {
        return Ok(name);
    }
    Err(Refused::bad("ValidationException", format!("Parameter name '{name}' can't be used")))
}

fn unknown(name: &str) -> Refused {
    Refused::bad("ParameterNotFound", format!("Parameter {name} not found."))
}

fn seconds(at: u64) -> f64 {
    timestamp(at).parse::<jiff::Timestamp>().map_or(0.0, |at| at.as_millisecond() as f64 / 1000.0)
}

fn names(params: &Value) -> Vec<String> {
    params["Names"].as_array().map(|names| names.iter().map(text).collect()).unwrap_or_default()
}

/// A parameter as it is answered; a secret one stays as it is stored unless it is to be decrypted.
fn shown(world: &World, parameter: &Thing, params: &Value) -> Value {
    let kind = parameter.attrs.get("Type").map_or("String".to_owned(), text);
    let value = match (kind.as_str(), params["WithDecryption"].as_bool()) {
        ("SecureString", None | Some(false)) => "AQICAHencrypted".to_owned(),
        _ => parameter.text("Value").to_owned(),
    };
    described(world, &parameter.id, &kind, &value, parameter.attrs.get("Version").cloned(), parameter.born)
}

fn described(world: &World, name: &str, kind: &str, value: &str, version: Option<Value>, at: u64) -> Value {
    let arn = format!("arn:aws:ssm:{}:{ACCOUNT}:parameter/{}", world.region, name.trim_start_matches('/'));
    json!({
        "Name": name, "Type": kind, "Value": value, "Version": version.unwrap_or(json!(1)),
        "LastModifiedDate": seconds(at), "ARN": arn, "DataType": "text",
    })
}

fn find(world: &mut World, name: &str, params: &Value) -> Option<Value> {
    if let Some(image) = image(name) {
        let arn = format!("arn:aws:ssm:{}::parameter{name}", world.region);
        let mut found = described(world, name, "String", &image, None, 0);
        found["ARN"] = arn.into();
        found["DataType"] = "aws:ec2:image".into();
        return Some(found);
    }
    let known = world.knows(KIND, name);
    world.get(KIND, name).filter(|_| known).map(|parameter| shown(world, parameter, params))
}

fn get(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let name = name_of(params)?;
    let found = find(world, &name, params).ok_or_else(|| unknown(&name))?;
    Ok(json!({ "Parameter": found }))
}

fn get_several(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names(params) {
        match find(world, &name, params) {
            Some(parameter) => found.push(parameter),
            None => missing.push(name),
        }
    }
    Ok(json!({ "Parameters": found, "InvalidParameters": missing }))
}

fn below(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let path = format!("{}/", text(&params["Path"]).trim_end_matches('/'));
    if !path.starts_with('/') {
        return Err(Refused::bad("ValidationException", "The parameter path must begin with a slash"));
    }
    let deep = params["Recursive"].as_bool().unwrap_or(false);
    let most = params["MaxResults"].as_u64().unwrap_or(10);
    if !(1..=10).contains(&most) {
        return Err(Refused::bad("ValidationException", "maxResults must be between 1 and 10"));
    }
    let from: usize = match params["NextToken"].as_str() {
        None => 0,
        Some(token) => {
            token.parse().map_err(|_| Refused::bad("InvalidNextToken", "The specified token is not valid."))?
        }
    };
    let is_below = |name: &str| name.strip_prefix(&path).is_some_and(|rest| deep || !rest.contains('/'));
    let found: Vec<Thing> = world.listed(KIND).into_iter().filter(|parameter| is_below(&parameter.id)).collect();
    let shown: Vec<Value> =
        found.iter().skip(from).take(most as usize).map(|parameter| shown(world, parameter, params)).collect();
    let next = from + shown.len();
    let mut answer = json!({ "Parameters": shown });
    if next < found.len() {
        answer["NextToken"] = next.to_string().into();
    }
    Ok(answer)
}

fn put(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let name = name_of(params)?;
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(Refused::bad("AccessDeniedException", format!("No access to reserved parameter name: {name}.")));
    }
    if name.matches('/').count() > 15 {
        let message = "A hierarchy can have a maximum of 15 levels.";
        return Err(Refused::bad("HierarchyLevelLimitExceededException", message));
    }
    let value = text(&params["Value"]);
    if value.is_empty() || (value.len() > 4096 && params["Tier"] != "Advanced") {
        return Err(Refused::bad("ValidationException", "A value must have between 1 and 4096 characters"));
    }
    let there = world.get(KIND, &name).map(|there| there.attrs.get("Version").and_then(Value::as_u64).unwrap_or(1));
    let overwrite = params["Overwrite"].as_bool().unwrap_or(false);
    if there.is_some() && !overwrite {
        let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request \
                       to true.";
        return Err(Refused::bad("ParameterAlreadyExists", message));
    }
    let most = world.weather.quotas.get(KIND).copied().unwrap_or(10_000);
    if there.is_none() && world.all(KIND).count() >= most as usize {
        return Err(Refused::bad("ParameterLimitExceeded", "You have exceeded the number of parameters."));
    }
    let version = there.unwrap_or(0) + 1;
    let mut attrs = Map::new();
    attrs.insert("Value".to_owned(), value.into());
    attrs.insert("Version".to_owned(), version.into());
    if let Some(kind) = params["Type"].as_str() {
        attrs.insert("Type".to_owned(), kind.into());
    }
    match world.get_mut(KIND, &name) {
        Some(parameter) => parameter.attrs.extend(attrs),
        None => {
            let mut parameter = Thing::new(KIND, &name);
            parameter.attrs = attrs;
            world.add(parameter);
        }
    }
    Ok(json!({ "Version": version, "Tier": "Standard" }))
}

fn delete(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let name = name_of(params)?;
    if world.get(KIND, &name).is_none() {
        return Err(unknown(&name));
    }
    world.delete(KIND, &name);
    Ok(json!({}))
}

fn delete_several(world: &mut World, params: &Value) -> Result<Value, Refused> {
    let names = names(params);
    if names.is_empty() || names.len() > 10 {
        return Err(Refused::bad("ValidationException", "Between 1 and 10 names must be given"));
    }
    let (mut there, mut missing): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| world.get(KIND, name).is_some());
    if world.partial {
        missing.extend(there.pop());
    }
    for name in &there {
        world.delete(KIND, name);
    }
    Ok(json!({ "DeletedParameters": there, "InvalidParameters": missing }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::Desk;

    #[test]
    fn public_parameters_name_images() {
        let mut desk = Desk::calm();
        let name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id";
        let found = desk.ssm("GetParameter", &json!({ "Name": name })).expect("a parameter");
        let image = text(&found["Parameter"]["Value"]);
        assert!(image.starts_with("ami-0") && image.len() == 21, "{image}");
        assert_eq!(super::image(name), Some(image));
        assert_ne!(super::image(name), super::image(&name.replace("amd64", "arm64")));
        let none = json!({ "Name": "/aws/service/global-infrastructure" });
        assert_eq!(desk.ssm("GetParameter", &none), Err("ParameterNotFound".into()));
    }

    #[test]
    fn a_parameter_is_overwritten_only_when_asked_to() {
        let mut desk = Desk::calm();
        let mut put = json!({ "Name": "/clusterctl/0011/ca", "Value": "one", "Type": "SecureString" });
        assert_eq!(desk.ssm("PutParameter", &put).map(|answer| answer["Version"].clone()), Ok(json!(1)));
        assert_eq!(desk.ssm("PutParameter", &put), Err("ParameterAlreadyExists".into()));
        put["Overwrite"] = true.into();
        assert_eq!(desk.ssm("PutParameter", &put).map(|answer| answer["Version"].clone()), Ok(json!(2)));
        let mut get = json!({ "Name": "/clusterctl/0011/ca", "WithDecryption": true });
        assert_eq!(desk.ssm("GetParameter", &get).expect("it")["Parameter"]["Value"], "one");
        get["WithDecryption"] = false.into();
        assert_ne!(desk.ssm("GetParameter", &get).expect("it")["Parameter"]["Value"], "one");
        put["Name"] = "/aws/service/x".into();
        assert_eq!(desk.ssm("PutParameter", &put), Err("AccessDeniedException".into()));
    }

    #[test]
    fn parameters_below_a_path_come_ten_at_a_time() {
        let mut desk = Desk::calm();
        for number in 0..12 {
            let name = format!("/clusterctl/0011/node/k{number:02}");
            desk.ssm("PutParameter", &json!({ "Name": name, "Value": "v", "Type": "String" })).expect("put");
        }
        desk.ssm("PutParameter", &json!({ "Name": "/clusterctl/00110/k", "Value": "v", "Type": "String" }))
            .expect("put");
        let mut ask = json!({ "Path": "/clusterctl/0011", "Recursive": true });
        let first = desk.ssm("GetParametersByPath", &ask).expect("a page");
        assert_eq!(first["Parameters"].as_array().map(Vec::len), Some(10));
        ask["NextToken"] = first["NextToken"].clone();
        let second = desk.ssm("GetParametersByPath", &ask).expect("a page");
        assert_eq!((second["Parameters"].as_array().map(Vec::len), second.get("NextToken")), (Some(2), None));
        let flat = desk.ssm("GetParametersByPath", &json!({ "Path": "/clusterctl/0011/" })).expect("a page");
        assert_eq!(flat["Parameters"], json!([]));
    }

    #[test]
    fn deleting_several_parameters_tells_which_were_none() {
        let mut desk = Desk::calm();
        desk.ssm("PutParameter", &json!({ "Name": "/a", "Value": "v", "Type": "String" })).expect("put");
        let deleted = desk.ssm("DeleteParameters", &json!({ "Names": ["/a", "/b"] })).expect("deleted");
        assert_eq!(deleted, json!({ "DeletedParameters": ["/a"], "InvalidParameters": ["/b"] }));
        assert_eq!(desk.ssm("DeleteParameter", &json!({ "Name": "/a" })), Err("ParameterNotFound".into()));
    }
}
