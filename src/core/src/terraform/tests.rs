use expect_test::{Expect, expect};
use serde_json::{Value, json};

mod around;
mod hostile;

use super::*;
use crate::graph::{Concern, Kind, Node, Order};
use crate::value::{Encoding, Part, Text, output};

static VPC: Kind = Kind::new("aws_vpc");
static INSTANCE: Kind = Kind { blocks: &["root_block_device", "metadata_options"], ..Kind::new("aws_instance") };
static GROUP: Kind = Kind {
    blocks: &["tag", "mixed_instances_policy", "launch_template", "override", "launch_template_specification"],
    write_only: &["force_delete"],
    ..Kind::new("aws_autoscaling_group")
};
static TEMPLATE: Kind = Kind { replace: Order::CreateFirst, ..Kind::new("aws_launch_template") };
static ROLE: Kind = Kind::new("aws_iam_role");
static AMI: Kind = Kind { blocks: &["filter"], ..Kind::new("data.aws_ami") };

fn node(kind: &'static Kind, name: &str, concern: Concern, args: Value) -> Node {
    Node { addr: Addr::new(kind.name, name), kind, concern, args: args.into(), roll: None, ladder: Vec::new() }
}

fn graph(nodes: impl IntoIterator<Item = Node>) -> Graph {
    let mut graph = Graph::new();
    for node in nodes {
        graph.insert(node).expect("a fresh address");
    }
    graph
}

fn vpc(args: Value) -> Node {
    node(&VPC, "main", Concern::Network, args)
}

fn settings() -> Settings {
    Settings {
        title: "demo".to_owned(),
        provider: ProviderPin {
            name: "aws".to_owned(),
            source: "hashicorp/aws".to_owned(),
            version: "~> 6.10".to_owned(),
            config: vec![("region".to_owned(), variable("region"))],
            blocks: vec!["default_tags".to_owned()],
        },
        required_version: ">= 1.5".to_owned(),
        variables: vec![Variable {
            name: "region".to_owned(),
            of: VariableType::String,
            description: "Where the cluster is.".to_owned(),
            default: Some(json!("eu-central-1")),
        }],
        outputs: Vec::new(),
        replacements: Vec::new(),
        imports: None,
        backend: None,
    }
}

/// The text of one file, without the header that every file has.
fn check(graph: &Graph, settings: &Settings, file: &str, expected: &Expect) {
    let files = export(graph, settings).expect("exports");
    assert!(files.contains_key(file), "{file} is not among {:?}", files.keys());
    let text = &files[file];
    expected.assert_eq(text.split_once("\n\n").map_or(text, |(_, rest)| rest));
}

fn fault(graph: &Graph, settings: &Settings) -> String {
    export(graph, settings).expect_err("is refused").to_string()
}

#[test]
fn arguments_align_and_references_are_expressions() {
    let graph = graph([
        vpc(json!({
            "cidr_block": "10.20.0.0/16",
            "enable_dns_hostnames": true,
            "tags": {"Name": "demo", "kubernetes.io/cluster/demo": "owned", "for": "größe"},
            "tag_count": 2,
            "empty": {},
            "none": [],
        })),
        node(
            &ROLE,
            "node-role",
            Concern::Identity,
            json!({
                "name": {"$text": ["role-of-", output(&Addr::new("aws_vpc", "main"), "id"), "$"], "$encoding": "plain"},
                "only": {"$text": [output(&Addr::new("aws_vpc", "main"), "id")], "$encoding": "plain"},
                "assume_role_policy": {"$json": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": ["sts:AssumeRole"],
                        "Resource": output(&Addr::new("aws_vpc", "main"), "arn"),
                        "Condition": {"StringEquals": {"aws:user": "${aws:username}"}},
                    }],
                }},
            }),
        ),
    ]);
    check(
        &graph,
        &settings(),
        "network.tf",
        &expect![[r#"
        resource "aws_vpc" "main" {
          cidr_block           = "10.20.0.0/16"
          enable_dns_hostnames = true
          tags = {
            Name                         = "demo"
            "kubernetes.io/cluster/demo" = "owned"
            "for"                        = "größe"
          }
          tag_count = 2
          empty     = {}
          none      = []
        }
    "#]],
    );
    check(
        &graph,
        &settings(),
        "identity.tf",
        &expect![[r#"
        resource "aws_iam_role" "node-role" {
          name = "role-of-${aws_vpc.main.id}$"
          only = aws_vpc.main.id
          assume_role_policy = jsonencode({
            Version = "2012-10-17"
            Statement = [
              {
                Effect   = "Allow"
                Action   = ["sts:AssumeRole"]
                Resource = aws_vpc.main.arn
                Condition = {
                  StringEquals = {
                    "aws:user" = "$${aws:username}"
                  }
                }
              },
            ]
          })
        }
    "#]],
    );
}

#[test]
fn blocks_nest_repeat_and_stand_after_arguments() {
    let template = Addr::new("aws_launch_template", "gpu");
    let group = node(
        &GROUP,
        "gpu",
        Concern::NodeGroups,
        json!({
            "tag": [
                {"key": "Name", "value": "demo-gpu", "propagate_at_launch": true},
                {"key": "k8s.io/cluster-autoscaler/enabled", "value": "true", "propagate_at_launch": false},
            ],
            "min_size": 0,
            "force_delete": true,
            "mixed_instances_policy": {"launch_template": {
                "launch_template_specification":
                    {"launch_template_id": output(&template, "id"), "version": output(&template, "latest_version")},
                "override": [{"instance_type": "g5.xlarge"}, {"instance_type": "g5.2xlarge", "weight": null}],
            }},
            "zones": ["eu-central-1a", "eu-central-1b"],
        }),
    );
    let image = node(
        &AMI,
        "node",
        Concern::NodeGroups,
        json!({
            "owners": ["099720109477"],
            "filter": [{"name": "name", "values": ["ubuntu/*"]}],
        }),
    );
    let launch = node(
        &TEMPLATE,
        "gpu",
        Concern::NodeGroups,
        json!({
            "image_id": output(&Addr::new("data.aws_ami", "node"), "id"),
        }),
    );
    check(
        &graph([group, image, launch]),
        &settings(),
        "node_groups.tf",
        &expect![[r#"
        resource "aws_autoscaling_group" "gpu" {
          min_size     = 0
          force_delete = true
          zones        = ["eu-central-1a", "eu-central-1b"]

          tag {
            key                 = "Name"
            value               = "demo-gpu"
            propagate_at_launch = true
          }

          tag {
            key                 = "k8s.io/cluster-autoscaler/enabled"
            value               = "true"
            propagate_at_launch = false
          }

          mixed_instances_policy {
            launch_template {
              launch_template_specification {
                launch_template_id = aws_launch_template.gpu.id
                version            = aws_launch_template.gpu.latest_version
              }

              override {
                instance_type = "g5.xlarge"
              }

              override {
                instance_type = "g5.2xlarge"
              }
            }
          }
        }

        resource "aws_launch_template" "gpu" {
          image_id = data.aws_ami.node.id

          lifecycle {
            create_before_destroy = true
          }
        }

        data "aws_ami" "node" {
          owners = ["099720109477"]

          filter {
            name   = "name"
            values = ["ubuntu/*"]
          }
        }
    "#]],
    );
}

fn script(name: &str, middle: &str) -> Value {
    let text = Text {
        parts: vec![
            Part::Text("#!/bin/sh\nset -eu\nAPI=".to_owned()),
            Part::Output { of: Addr::new("aws_vpc", "main"), attr: "id".to_owned() },
            Part::Text(format!("\necho ${{API}} {middle}\nARN=")),
            Part::Output { of: Addr::new("aws_vpc", "main"), attr: "arn".to_owned() },
            Part::Text(format!("\nID={}\n", if name.is_empty() { "" } else { name })),
        ],
        encoding: Encoding::GzipBase64,
    };
    json!({ "user_data": Value::from(&text), "digest": Value::from(&text.encoded(Encoding::Sha256)) })
}

#[test]
fn a_long_text_is_a_file_and_equal_texts_are_one_file() {
    let machines = ["a", "b", "c"].map(|name| {
        let text = script("", if name == "c" { "@{1}" } else { "ok" });
        node(&INSTANCE, name, Concern::ControlPlane, text)
    });
    let graph = graph(machines.into_iter().chain([vpc(json!({}))]));
    check(
        &graph,
        &settings(),
        "control_plane.tf",
        &expect![[r#"
        resource "aws_instance" "a" {
          user_data = base64gzip(replace(replace(file("${path.module}/files/a.sh"), "@{1}", aws_vpc.main.id), "@{2}", aws_vpc.main.arn))
          digest    = sha256(replace(replace(file("${path.module}/files/a.sh"), "@{1}", aws_vpc.main.id), "@{2}", aws_vpc.main.arn))
        }

        resource "aws_instance" "b" {
          user_data = base64gzip(replace(replace(file("${path.module}/files/a.sh"), "@{1}", aws_vpc.main.id), "@{2}", aws_vpc.main.arn))
          digest    = sha256(replace(replace(file("${path.module}/files/a.sh"), "@{1}", aws_vpc.main.id), "@{2}", aws_vpc.main.arn))
        }

        resource "aws_instance" "c" {
          user_data = base64gzip(replace(replace(file("${path.module}/files/c.sh"), "@@{1}", aws_vpc.main.id), "@@{2}", aws_vpc.main.arn))
          digest    = sha256(replace(replace(file("${path.module}/files/c.sh"), "@@{1}", aws_vpc.main.id), "@@{2}", aws_vpc.main.arn))
        }
    "#]],
    );
    let files = export(&graph, &settings()).expect("exports");
    let scripts: Vec<&String> = files.keys().filter(|name| name.starts_with("files/")).collect();
    assert_eq!(scripts, ["files/a.sh", "files/c.sh"]);
    assert_eq!(files["files/a.sh"], "#!/bin/sh\nset -eu\nAPI=@{1}\necho ${API} ok\nARN=@{2}\nID=\n");
}
