//! How machines come to be: what a request for them means, whether there is room, and the machines with their disks and
//! interfaces. RunInstances and autoscaling groups start machines through this.

mod room;

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::interface::{self, Wish};
use super::storage::{self, Disk};
use super::{images, template};
use crate::aws::call::{Call, Fate, Refused, fate, timestamp};
use crate::aws::table::{specified, text};
use crate::world::{Change, Thing, World};

use room::vcpus;
pub(in crate::aws) use room::{has_gpu, no_capacity, room};

/// Raw, before base64 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>).
const USER_DATA: usize = 16 * 1024;

/// One interface of a machine.
#[derive(Debug, Clone)]
enum Nic {
    /// It is there already.
    Own(String),
    New {
        wish: Wish,
        groups: Value,
        public: bool,
        ends_with_machine: bool,
    },
}

/// Machines that are about to be made: everything that a request names is there.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Launch {
    image: Thing,
    pub(in crate::aws) machine: String,
    pub(in crate::aws) zone: String,
    subnet: String,
    vpc: String,
    nics: Vec<Nic>,
    disks: Vec<Disk>,
    profile: Option<Value>,
    key: Option<String>,
    user_data: Option<String>,
    options: Value,
    placement: Option<String>,
    pub(in crate::aws) spot: bool,
    token: String,
    /// By kind.
    pub(in crate::aws) tags: BTreeMap<&'static str, BTreeMap<String, String>>,
}

/// Reads a request with the launch template it names, and makes sure that everything is there.
pub(in crate::aws) fn checked(call: &mut Call<'_>) -> Result<Launch, Refused> {
    if let Some(specification) = call.at("LaunchTemplate").cloned() {
        let chosen = template::chosen(call.world, &specification)?;
        let mut params = chosen.data;
        let (tags, own) = (params.get("TagSpecification").cloned(), call.params.get("TagSpecification").cloned());
        params.extend(std::mem::take(&mut call.params));
        if let (Some(Value::Array(mut tags)), Some(Value::Array(own))) = (tags, own) {
            tags.extend(own);
            params.insert("TagSpecification".to_owned(), tags.into());
        }
        call.params = params;
    }
    let image = images::image(call.world, &call.needs("ImageId")?)?;
    let machine = call.needs("InstanceType")?;
    if vcpus(&machine).is_none() {
        return Err(Refused::bad("InvalidParameterValue", format!("Invalid value '{machine}' for InstanceType.")));
    }
    let user_data = user_data(call)?;
    let key = call.text("KeyName").map(str::to_owned);
    if let Some(name) = &key
        && !call.world.all("key-pair").any(|key| key.text("keyName") == name)
    {
        return Err(Refused::bad("InvalidKeyPair.NotFound", format!("The key pair '{name}' does not exist")));
    }
    let profile = profile(call)?;
    let placement = call.text("Placement.GroupName").map(str::to_owned);
    if let Some(name) = &placement
        && !call.world.all("placement-group").any(|group| group.text("groupName") == name)
    {
        let message = format!("The placement group '{name}' is unknown.");
        return Err(Refused::bad("InvalidPlacementGroup.Unknown", message));
    }
    let nics = nics(call)?;
    let subnet = match nics.first() {
        Some(Nic::Own(id)) => interface_of(call.world, id)?.text("subnetId").to_owned(),
        Some(Nic::New { wish, .. }) => wish.subnet.clone(),
        None => String::new(),
    };
    let at = call.world.get("subnet", &subnet).cloned().unwrap_or_else(|| Thing::new("subnet", &subnet));
    let mut tags = BTreeMap::new();
    for kind in ["instance", "volume", "network-interface"] {
        tags.insert(kind, specified(call, kind)?);
    }
    let option =
        |name: &str, otherwise: &str| Value::from(call.text(&format!("MetadataOptions.{name}")).unwrap_or(otherwise));
    let options = json!({
        "state": "pending", "httpTokens": option("HttpTokens", "optional"),
        "httpPutResponseHopLimit": call.number("MetadataOptions.HttpPutResponseHopLimit").unwrap_or(1),
        "httpEndpoint": option("HttpEndpoint", "enabled"), "httpProtocolIpv6": "disabled",
        "instanceMetadataTags": "disabled",
    });
    Ok(Launch {
        disks: disks(call, &image)?,
        spot: call.text("InstanceMarketOptions.MarketType") == Some("spot"),
        token: call.text("ClientToken").unwrap_or_default().to_owned(),
        zone: at.text("availabilityZone").to_owned(),
        vpc: at.text("vpcId").to_owned(),
        subnet,
        image,
        machine,
        nics,
        profile,
        key,
        user_data,
        options,
        placement,
        tags,
    })
}

fn user_data(call: &Call<'_>) -> Result<Option<String>, Refused> {
    let Some(packed) = call.text("UserData") else { return Ok(None) };
    let raw = base64::engine::general_purpose::STANDARD
        .decode(packed)
        .map_err(|_| Refused::bad("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data."))?;
    if raw.len() > USER_DATA {
        let message = format!("User data is limited to {USER_DATA} bytes");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    Ok(Some(packed.to_owned()))
}

/// The instance profile, which EC2 comes to know some seconds after IAM has made it
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency>).
fn profile(call: &mut Call<'_>) -> Result<Option<Value>, Refused> {
    let (param, given) = match (call.text("IamInstanceProfile.Name"), call.text("IamInstanceProfile.Arn")) {
        (Some(name), _) => ("name", name.to_owned()),
        (None, Some(arn)) => ("arn", arn.to_owned()),
        (None, None) => return Ok(None),
    };
    let name = given.rsplit('/').next().unwrap_or_default().to_owned();
    let invalid = || {
        let message = format!(
            "Value ({given}) for parameter iamInstanceProfile.{param} is invalid. Invalid IAM Instance Profile {param}"
        );
        Refused::bad("InvalidParameterValue", message)
    };
    let lags = call.world.weather.lag_max_ms > 0;
    let profile = call.world.get("instance-profile", &name).cloned().ok_or_else(invalid)?;
    if lags && !profile.foreign {
        let known_from = match profile.attrs.get("_usable_from").and_then(Value::as_u64) {
            Some(known_from) => known_from,
            None => profile.born + call.world.takes("aws.IAM.instanceProfile"),
        };
        if let Some(profile) = call.world.get_mut("instance-profile", &name) {
            profile.set("_usable_from", known_from);
        }
        if call.now() < known_from {
            return Err(invalid());
        }
    }
    let arn = profile.text("Arn").to_owned();
    if profile.attrs.get("_roles").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        let message = format!("IAM Instance Profile \"{arn}\" has no associated IAM Roles");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    Ok(Some(json!({ "arn": arn, "id": profile.text("InstanceProfileId") })))
}

fn interface_of(world: &World, id: &str) -> Result<Thing, Refused> {
    world.get("network-interface", id).cloned().ok_or_else(|| interface::INTERFACE.unknown(id))
}

fn nics(call: &mut Call<'_>) -> Result<Vec<Nic>, Refused> {
    let asked = match call.list("NetworkInterface") {
        // Without any, there is one as the request's own parameters say.
        asked if asked.is_empty() => vec![json!({
            "SubnetId": call.text("SubnetId"), "SecurityGroupId": call.texts("SecurityGroupId"),
            "PrivateIpAddress": call.text("PrivateIpAddress"), "DeleteOnTermination": "true",
        })],
        asked => asked,
    };
    let mut nics = Vec::with_capacity(asked.len());
    for nic in asked {
        if let Some(id) = nic["NetworkInterfaceId"].as_str() {
            let own = interface::INTERFACE.find(call.world, id)?;
            if own.text("status") == "in-use" {
                let message = format!("Interface: [{id}] in use.");
                return Err(Refused::bad("InvalidNetworkInterface.InUse", message));
            }
            nics.push(Nic::Own(id.to_owned()));
            continue;
        }
        let subnet = nic["SubnetId"].as_str().or(call.text("SubnetId")).unwrap_or_default().to_owned();
        if subnet.is_empty() {
            let message = "No default VPC for this user. Specify a subnet.";
            return Err(Refused::bad("VPCIdNotSpecified", message));
        }
        let groups = match &nic["SecurityGroupId"] {
            Value::Array(groups) => groups.iter().map(text).collect(),
            Value::String(group) => vec![group.clone()],
            _ => Vec::new(),
        };
        let wish = Wish {
            subnet,
            address: nic["PrivateIpAddress"].as_str().map(str::to_owned),
            groups,
            description: text(&nic["Description"]),
        };
        let groups = interface::checked(call.world, &wish)?;
        let subnet = call.world.get("subnet", &wish.subnet);
        let by_itself = subnet.and_then(|s| s.attrs.get("mapPublicIpOnLaunch")).is_some_and(|on| *on == true);
        nics.push(Nic::New {
            public: nic["AssociatePublicIpAddress"].as_str().map_or(by_itself, |on| on == "true"),
            ends_with_machine: nic["DeleteOnTermination"].as_str() != Some("false"),
            wish,
            groups,
        });
    }
    Ok(nics)
}

fn disks(call: &Call<'_>, image: &Thing) -> Result<Vec<Disk>, Refused> {
    let root = image.text("rootDeviceName").to_owned();
    let mut disks = Vec::new();
    for mapping in call.list("BlockDeviceMapping") {
        let (ebs, device) = (&mapping["Ebs"], text(&mapping["DeviceName"]));
        let size = ebs["VolumeSize"].as_str().and_then(|size| size.parse().ok());
        let size = size.unwrap_or(if device == root { images::ROOT_SIZE } else { 0 });
        let kind = ebs["VolumeType"].as_str().unwrap_or("gp3").to_owned();
        if device == root && size < images::ROOT_SIZE {
            let message =
                format!("Volume of size {size}GB is smaller than snapshot, expect size >= {}GB", images::ROOT_SIZE);
            return Err(Refused::bad("InvalidBlockDeviceMapping", message));
        }
        storage::sized(&kind, size)?;
        disks.push(Disk {
            encrypted: ebs["Encrypted"].as_str() == Some("true"),
            ends_with_machine: ebs["DeleteOnTermination"].as_str() != Some("false"),
            device,
            size,
            kind,
        });
    }
    if !disks.iter().any(|disk| disk.device == root) {
        let (size, kind) = (images::ROOT_SIZE, "gp3".to_owned());
        disks.insert(0, Disk { device: root, size, kind, encrypted: false, ends_with_machine: true });
    }
    Ok(disks)
}

/// Makes so many machines; gives the id of their reservation and theirs.
pub(in crate::aws) fn made(world: &mut World, launch: &Launch, count: u32) -> Result<(String, Vec<String>), Refused> {
    let reservation = world.id("r");
    let mut ids = Vec::new();
    for index in 0..count {
        match one(world, launch, &reservation, index) {
            Ok(id) => ids.push(id),
            Err(refused) if ids.is_empty() => return Err(refused),
            Err(_) => break,
        }
    }
    Ok((reservation, ids))
}

fn one(world: &mut World, launch: &Launch, reservation: &str, index: u32) -> Result<String, Refused> {
    let id = world.id("i");
    let mut held = Vec::new();
    for (device, nic) in launch.nics.iter().enumerate() {
        let (interface, ends) = match nic {
            Nic::Own(interface) => (interface.clone(), false),
            Nic::New { wish, groups, public, ends_with_machine } => {
                let interface = interface::made(world, wish, groups).inspect_err(|_| interface::release(world, &id))?;
                tag(world, "network-interface", &interface, launch);
                if *public {
                    let number = world.chance.number("address/public");
                    let address =
                        format!("18.{}.{}.{}", 156 + number % 40, (number >> 8) & 255, 1 + (number >> 16) % 254);
                    let name =
                        format!("ec2-{}.{}.compute.amazonaws.com", address.replace('.', "-"), world.region.clone());
                    if let Some(interface) = world.get_mut("network-interface", &interface) {
                        let told = json!({ "publicIp": address, "publicDnsName": name, "ipOwnerId": "amazon" });
                        interface.set("association", told);
                    }
                }
                (interface, *ends_with_machine)
            }
        };
        interface::attach(world, &interface, &id, device as i64, ends);
        held.extend(world.get("network-interface", &interface).cloned());
    }
    let mut mappings = Vec::new();
    for disk in &launch.disks {
        let volume = storage::made(world, disk, &launch.zone, &id);
        tag(world, "volume", &volume.id, launch);
        mappings.push(json!({ "deviceName": disk.device, "ebs": {
            "volumeId": volume.id, "status": "attaching", "attachTime": timestamp(world.now()),
            "deleteOnTermination": disk.ends_with_machine } }));
    }
    let first = held.first().cloned().unwrap_or_else(|| Thing::new("network-interface", ""));
    let attrs: Map<String, Value> = json!({
        "instanceId": id, "imageId": launch.image.id, "instanceState": { "code": 0, "name": "pending" },
        "privateDnsName": first.text("privateDnsName"), "keyName": launch.key, "amiLaunchIndex": index,
        "instanceType": launch.machine, "launchTime": timestamp(world.now()),
        "placement": { "availabilityZone": launch.zone, "groupName": launch.placement, "tenancy": "default" },
        "monitoring": { "state": "disabled" }, "subnetId": launch.subnet, "vpcId": launch.vpc,
        "privateIpAddress": first.text("privateIpAddress"), "architecture": launch.image.text("architecture"),
        "rootDeviceType": "ebs", "rootDeviceName": launch.image.text("rootDeviceName"),
        "blockDeviceMapping": mappings, "virtualizationType": "hvm", "clientToken": launch.token,
        "groupSet": first.attrs.get("groupSet"), "sourceDestCheck": first.attrs.get("sourceDestCheck"),
        "networkInterfaceSet": held.iter().map(interface::of_machine).collect::<Vec<_>>(),
        "iamInstanceProfile": launch.profile, "ebsOptimized": false, "enaSupport": true, "hypervisor": "xen",
        "metadataOptions": launch.options, "_reservation": reservation, "_userData": launch.user_data,
        "_console": "",
    })
    .as_object()
    .cloned()
    .unwrap_or_default();
    let mut instance = Thing::new("instance", &id);
    instance.attrs = attrs.into_iter().filter(|(_, value)| !value.is_null()).collect();
    if launch.spot {
        instance.set("instanceLifecycle", "spot");
    }
    instance.tags.clone_from(&launch.tags["instance"]);
    world.add(instance);
    let figure = if has_gpu(&launch.machine) { "aws.Instance.gpuRunning" } else { "aws.Instance.running" };
    let takes = world.takes(figure);
    let next = match fate(world, "instance") {
        Fate::Usual => Some("running"),
        Fate::Fails => Some("failed"),
        Fate::NeverEnds => None,
    };
    if let Some(next) = next {
        world.later(takes, "instance", &id, Change::Named(next.to_owned()));
    }
    Ok(id)
}

/// Gives what comes with a machine the tags of its kind.
fn tag(world: &mut World, kind: &'static str, id: &str, launch: &Launch) {
    if let Some(thing) = world.get_mut(kind, id) {
        thing.tags.clone_from(&launch.tags[kind]);
    }
}

/// A launch from a template on behalf of a group.
pub(in crate::aws) fn of_group(
    world: &mut World,
    data: Map<String, Value>,
    subnet: &str,
    machine: &str,
    spot: bool,
) -> Result<Launch, Refused> {
    let mut params = data;
    params.insert("InstanceType".to_owned(), machine.into());
    if spot {
        params.insert("InstanceMarketOptions".to_owned(), json!({ "MarketType": "spot" }));
    }
    match params.get_mut("NetworkInterface").and_then(Value::as_array_mut) {
        Some(nics) => nics.iter_mut().for_each(|nic| nic["SubnetId"] = subnet.into()),
        None => {
            params.insert("SubnetId".to_owned(), subnet.into());
        }
    }
    checked(&mut Call { world, params })
}
