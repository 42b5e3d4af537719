//! Somebody else in the account: a cluster with the name and the names of ours, and what a cloud controller of another
//! left about.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::super::{SERVICES, dispatch, query};
use crate::aws::call::Refused;
use crate::aws::ec2;
use crate::world::World;

/// The other owner.
const UID: &str = "feedfacefeedface";
/// What a name ends with where ours has a hash of the owner.
const HASH: &str = "0badc0de";

type Fields = Vec<(String, String)>;

#[derive(Debug)]
struct Neighbour<'a> {
    world: &'a mut World,
    /// What was refused although it is simulated.
    refused: Vec<String>,
}

/// Makes everything; tells what was refused although it is simulated.
pub(super) fn settle(world: &mut World) -> Vec<String> {
    ec2::network::add_default(world);
    let mut neighbour = Neighbour { world, refused: Vec::new() };
    let mut network = neighbour.network();
    network.group = neighbour.security(&network);
    neighbour.machines(&network);
    neighbour.group(&network);
    neighbour.identity();
    neighbour.balancing(&network);
    neighbour.dns();
    neighbour.refused
}

/// What the other cluster stands in.
#[derive(Debug, Default)]
struct Network {
    vpc: String,
    public: String,
    nodes: String,
    zone: String,
    group: String,
}

impl Neighbour<'_> {
    fn note(&mut self, action: &str, refused: &Refused) {
        // Not simulated is no refusal.
        if !["InvalidAction", "UnknownService", "UnknownOperationException"].contains(&refused.code.as_str()) {
            self.refused.push(format!("{action}: {} {}", refused.code, refused.message));
        }
    }

    /// Sends a form; the answer, or nothing.
    fn ask(&mut self, service: &str, action: &str, fields: Fields) -> Value {
        let Some(service) = SERVICES.into_iter().find(|known| known.name == service) else { return Value::Null };
        let mut form: BTreeMap<String, String> = fields.into_iter().collect();
        form.insert("Action".to_owned(), action.to_owned());
        match query(self.world, service, &form) {
            Ok(answer) => Value::Object(answer),
            Err(refused) => {
                self.note(action, &refused);
                Value::Null
            }
        }
    }

    fn ec2(&mut self, action: &str, fields: Fields) -> Value {
        self.ask("ec2", action, fields)
    }

    /// Sends what is no form.
    fn send(&mut self, service: &str, target: &str, path: &str, body: String) {
        let mut request = http::Request::new(Bytes::from(body));
        *request.method_mut() = http::Method::POST;
        if let Ok(uri) = format!("https://{service}.amazonaws.com{path}").parse() {
            *request.uri_mut() = uri;
        }
        if let Ok(value) = target.parse() {
            request.headers_mut().insert("x-amz-target", value);
        }
        if let Err(refused) = dispatch(self.world, &request, service, "neighbour") {
            self.note(path, &refused);
        }
    }

    fn network(&mut self) -> Network {
        let zone = ec2::facts::zones(&self.world.region).first().cloned().unwrap_or_default();
        let vpc = self.ec2("CreateVpc", with(&[("CidrBlock", "10.20.0.0/16")], unowned("vpc", "aws_vpc", "main")));
        let vpc = text(&vpc["vpc"]["vpcId"]);
        let gateway = self.ec2("CreateInternetGateway", owned("internet-gateway", "aws_internet_gateway", "main"));
        let gateway = text(&gateway["internetGateway"]["internetGatewayId"]);
        self.ec2("AttachInternetGateway", with(&[("InternetGatewayId", &gateway), ("VpcId", &vpc)], Vec::new()));
        let mut subnet = |name: &str, cidr: &str| {
            let at = [("VpcId", vpc.as_str()), ("CidrBlock", cidr), ("AvailabilityZone", &zone)];
            let made = self.ec2("CreateSubnet", with(&at, owned("subnet", "aws_subnet", &format!("{name}-{zone}"))));
            text(&made["subnet"]["subnetId"])
        };
        let (public, nodes) = (subnet("public", "10.20.0.0/24"), subnet("nodes", "10.20.16.0/20"));
        let address = self.ec2("AllocateAddress", owned("elastic-ip", "aws_eip", "nat-shared"));
        self.ec2("AllocateAddress", named("elastic-ip", "demo-nat-spare"));
        let at = [("SubnetId", public.clone()), ("AllocationId", text(&address["allocationId"]))];
        let nat = self.ec2("CreateNatGateway", with(&at, owned("natgateway", "aws_nat_gateway", "shared")));
        let nat = text(&nat["natGateway"]["natGatewayId"]);
        let mut tables = Vec::new();
        for (name, subnet, target, id) in
            [("public", &public, "GatewayId", &gateway), ("nodes-shared", &nodes, "NatGatewayId", &nat)]
        {
            let of = [("VpcId", &vpc)];
            let table = self.ec2("CreateRouteTable", with(&of, owned("route-table", "aws_route_table", name)));
            let table = text(&table["routeTable"]["routeTableId"]);
            let way = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "0.0.0.0/0"), (target, id.as_str())];
            self.ec2("CreateRoute", with(&way, Vec::new()));
            self.ec2("AssociateRouteTable", with(&[("RouteTableId", &table), ("SubnetId", subnet)], Vec::new()));
            tables.push(table);
        }
        let service = format!("com.amazonaws.{}.s3", self.world.region);
        let at = [("VpcId", &vpc), ("ServiceName", &service), ("RouteTableId.1", &tables[1])];
        self.ec2("CreateVpcEndpoint", with(&at, owned("vpc-endpoint", "aws_vpc_endpoint", "s3")));
        Network { vpc, public, nodes, zone, group: String::new() }
    }

    /// Gives the group of the machines.
    fn security(&mut self, network: &Network) -> String {
        // What a cloud controller makes for a load balancer of a service.
        let name = "k8s-elb-a3f0c1d2e4b5968778695a4b3c2d1e0f";
        let of =
            [("GroupName", name), ("GroupDescription", "Security group for Kubernetes ELB"), ("VpcId", &network.vpc)];
        let tags = tagged("security-group", &[("kubernetes.io/cluster/demo", "owned")]);
        self.ec2("CreateSecurityGroup", with(&of, tags));
        let name = format!("demo-node-{HASH}");
        let of = [("GroupName", name.as_str()), ("GroupDescription", "Every machine"), ("VpcId", &network.vpc)];
        let mut tags = unowned("security-group", "aws_security_group", "node");
        tags.extend([
            ("TagSpecification.1.Tag.9.Key".to_owned(), "kubernetes.io/cluster/demo".to_owned()),
            ("TagSpecification.1.Tag.9.Value".to_owned(), "owned".to_owned()),
        ]);
        let group = text(&self.ec2("CreateSecurityGroup", with(&of, tags))["groupId"]);
        let rule = [
            ("GroupId", group.as_str()),
            ("IpPermissions.1.IpProtocol", "-1"),
            ("IpPermissions.1.Groups.1.GroupId", &group),
        ];
        let tags = owned("security-group-rule", "aws_vpc_security_group_ingress_rule", "node-all");
        self.ec2("AuthorizeSecurityGroupIngress", with(&rule, tags));
        group
    }

    fn machines(&mut self, network: &Network) {
        let at = [("SubnetId", &network.nodes), ("SecurityGroupId.1", &network.group)];
        let tags = owned("network-interface", "aws_network_interface", "control-plane-0");
        self.ec2("CreateNetworkInterface", with(&at, tags));
        let disk = [("AvailabilityZone", network.zone.as_str()), ("Size", "20"), ("VolumeType", "gp3")];
        self.ec2("CreateVolume", with(&disk, unowned("volume", "aws_ebs_volume", "control-plane-0")));
        let claim = [("Name", "kubernetes-dynamic-pvc-5d1c"), ("kubernetes.io/cluster/demo", "owned")];
        self.ec2("CreateVolume", with(&disk, tagged("volume", &claim)));
        let mut key = vec![0, 0, 0, 11];
        key.extend(b"ssh-ed25519\0\0\0\x20");
        key.extend((0..32).map(|byte: u8| byte.wrapping_mul(37)));
        let key = STANDARD.encode(format!("ssh-ed25519 {} somebody", STANDARD.encode(key)));
        let name = format!("demo-{HASH}");
        let of = [("KeyName", name.as_str()), ("PublicKeyMaterial", &key)];
        self.ec2("ImportKeyPair", with(&of, owned("key-pair", "aws_key_pair", "admin")));
        let name = format!("demo-gpu-{HASH}");
        let of = [("GroupName", name.as_str()), ("Strategy", "cluster")];
        self.ec2("CreatePlacementGroup", with(&of, owned("placement-group", "aws_placement_group", "gpu")));
    }

    fn group(&mut self, network: &Network) {
        let images = self.ec2("DescribeImages", Vec::new());
        let image = text(&images["imagesSet"][0]["imageId"]);
        let name = format!("demo-general-{HASH}");
        let of = [
            ("LaunchTemplateName", name.as_str()),
            ("LaunchTemplateData.ImageId", &image),
            ("LaunchTemplateData.InstanceType", "m7i.large"),
            ("LaunchTemplateData.SecurityGroupId.1", &network.group),
        ];
        let tags = owned("launch-template", "aws_launch_template", "general");
        let template = self.ec2("CreateLaunchTemplate", with(&of, tags));
        let template = text(&template["launchTemplate"]["launchTemplateId"]);
        if template.is_empty() {
            return;
        }
        let mut of = with(
            &[
                ("AutoScalingGroupName", name.as_str()),
                ("MinSize", "0"),
                ("MaxSize", "3"),
                ("DesiredCapacity", "0"),
                ("LaunchTemplate.LaunchTemplateId", &template),
                ("LaunchTemplate.Version", "1"),
                ("VPCZoneIdentifier", &network.nodes),
            ],
            Vec::new(),
        );
        for (number, (key, value)) in proof("aws_autoscaling_group", "general").into_iter().enumerate() {
            let field = |part: &str| format!("Tags.member.{}.{part}", number + 1);
            of.extend([
                (field("Key"), key),
                (field("Value"), value),
                (field("PropagateAtLaunch"), "true".to_owned()),
                (field("ResourceId"), name.clone()),
                (field("ResourceType"), "auto-scaling-group".to_owned()),
            ]);
        }
        self.ask("autoscaling", "CreateAutoScalingGroup", of);
    }

    fn identity(&mut self) {
        let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
                            "Principal": { "Service": "ec2.amazonaws.com" } }] });
        let trust = trust.to_string();
        let (ours, path) = (format!("demo-node-{HASH}"), format!("/clusterctl/{UID}/node/"));
        for (name, path) in [(ours.as_str(), path.as_str()), ("demo-operator", "/")] {
            let of = [("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", &trust)];
            self.ask("iam", "CreateRole", with(&of, Vec::new()));
        }
        let of = [("InstanceProfileName", ours.as_str()), ("Path", &path)];
        self.ask("iam", "CreateInstanceProfile", with(&of, Vec::new()));
        let of = [("InstanceProfileName", &ours), ("RoleName", &ours)];
        self.ask("iam", "AddRoleToInstanceProfile", with(&of, Vec::new()));
        let parameter =
            json!({ "Name": format!("/clusterctl/{UID}/ca"), "Value": "somebody's", "Type": "SecureString" });
        self.send("ssm", "AmazonSSM.PutParameter", "/", parameter.to_string());
    }

    fn balancing(&mut self, network: &Network) {
        let marked = |name: &str, kind: &str, of: &str| {
            let mut fields = with(&[("Name", name)], Vec::new());
            for (number, (key, value)) in proof(kind, of).into_iter().enumerate() {
                fields.push((format!("Tags.member.{}.Key", number + 1), key));
                fields.push((format!("Tags.member.{}.Value", number + 1), value));
            }
            fields
        };
        let port = [("Protocol", "TCP"), ("Port", "6443"), ("VpcId", network.vpc.as_str()), ("TargetType", "ip")];
        let group = marked(&format!("demo-api-{HASH}"), "aws_lb_target_group", "api");
        self.ask("elasticloadbalancing", "CreateTargetGroup", with(&port, group));
        let service = with(&[("Name", "k8s-default-web-0123456789")], Vec::new());
        self.ask("elasticloadbalancing", "CreateTargetGroup", with(&port, service));
        let kind = [("Type", "network"), ("Scheme", "internet-facing"), ("Subnets.member.1", &network.public)];
        let balancer = marked(&format!("demo-api-{HASH}"), "aws_lb", "api");
        self.ask("elasticloadbalancing", "CreateLoadBalancer", with(&kind, balancer));
    }

    fn dns(&mut self) {
        let body = "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>example.com\
                    </Name><CallerReference>the user</CallerReference></CreateHostedZoneRequest>";
        self.send("route53", "", "/2013-04-01/hostedzone", body.to_owned());
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn with<T: AsRef<str>>(fields: &[(&str, T)], more: Fields) -> Fields {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_ref().to_owned())).chain(more).collect()
}

/// The tags of a resource of the other cluster.
fn proof(kind: &str, name: &str) -> Vec<(String, String)> {
    let tags = [
        ("clusterctl.dev/uid", UID.to_owned()),
        ("clusterctl.dev/address", format!("{kind}.{name}")),
        ("clusterctl.dev/cluster", "demo".to_owned()),
        ("Name", format!("demo-{name}")),
    ];
    tags.map(|(key, value)| (key.to_owned(), value)).to_vec()
}

fn owned(resource: &str, kind: &str, name: &str) -> Fields {
    let tags = proof(kind, name);
    let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    tagged(resource, &tags)
}

/// The same without the owner: what people copy by hand. Networks, groups and volumes by which a lost cluster is looked
/// for have only these.
fn unowned(resource: &str, kind: &str, name: &str) -> Fields {
    let tags = proof(kind, name);
    let tags: Vec<(&str, &str)> = tags.iter().skip(1).map(|(key, value)| (key.as_str(), value.as_str())).collect();
    tagged(resource, &tags)
}

fn named(resource: &str, name: &str) -> Fields {
    tagged(resource, &[("Name", name)])
}

fn tagged(resource: &str, tags: &[(&str, &str)]) -> Fields {
    let mut fields = vec![("TagSpecification.1.ResourceType".to_owned(), resource.to_owned())];
    for (number, (key, value)) in tags.iter().enumerate() {
        fields.push((format!("TagSpecification.1.Tag.{}.Key", number + 1), (*key).to_owned()));
        fields.push((format!("TagSpecification.1.Tag.{}.Value", number + 1), (*value).to_owned()));
    }
    fields
}
