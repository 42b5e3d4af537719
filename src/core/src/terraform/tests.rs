use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::graph::{Concern, Kind, Node, Order, Rung};
use crate::value::{ENCODING, Encoding, JSON, Part, TEXT, Text, output};

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
    Node { addr: Addr::new(kind.name, name), kind, concern, args, roll: None, ladder: Vec::new() }
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

#[test]
fn settings_become_the_files_around() {
    let main = Addr::new("aws_vpc", "main");
    let mut settings = settings();
    settings.provider.config.push(("default_tags".to_owned(), json!({"tags": {"team": "vision"}})));
    settings.variables.push(Variable {
        name: "size".to_owned(),
        of: VariableType::Number,
        description: "How many.".to_owned(),
        default: Some(json!(3)),
    });
    settings.replacements = vec![
        Replacement { variable: "region".to_owned(), place: Place::Everywhere },
        Replacement {
            variable: "size".to_owned(),
            place: Place::Argument { of: main.clone(), pointer: "/count/min".to_owned() },
        },
    ];
    settings.outputs = vec![Output {
        name: "network".to_owned(),
        description: "The \"network\".".to_owned(),
        value: json!({"id": output(&main, "id"), "region": "eu-central-1"}),
    }];
    settings.imports = Some(BTreeMap::from([(main.clone(), "vpc-0abc".to_owned())]));
    settings.backend = Some(Backend {
        name: "s3".to_owned(),
        config: vec![("bucket".to_owned(), json!("my-state")), ("key".to_owned(), json!("demo.tfstate"))],
    });
    let mut machine = node(&INSTANCE, "a", Concern::ControlPlane, json!({}));
    machine.ladder = vec![Rung { name: "on-demand".to_owned(), patch: json!({}) }];
    let graph = graph([vpc(json!({"count": {"min": 3, "max": 3}, "region": "eu-central-1"})), machine]);
    check(
        &graph,
        &settings,
        "network.tf",
        &expect![[r#"
        resource "aws_vpc" "main" {
          count = {
            min = var.size
            max = 3
          }
          region = var.region
        }
    "#]],
    );
    check(
        &graph,
        &settings,
        "versions.tf",
        &expect![[r#"
        terraform {
          required_version = ">= 1.5"

          required_providers {
            aws = {
              source  = "hashicorp/aws"
              version = "~> 6.10"
            }
          }
        }

        # Terraform keeps its state in this directory unless told otherwise, for example:
        #
        # terraform {
        #   backend "s3" {
        #     bucket = "my-state"
        #     key    = "demo.tfstate"
        #   }
        # }
    "#]],
    );
    check(
        &graph,
        &settings,
        "providers.tf",
        &expect![[r#"
        provider "aws" {
          region = var.region

          default_tags {
            tags = {
              team = "vision"
            }
          }
        }
    "#]],
    );
    check(
        &graph,
        &settings,
        "variables.tf",
        &expect![[r#"
        variable "region" {
          type        = string
          description = "Where the cluster is."
          default     = "eu-central-1"
        }

        variable "size" {
          type        = number
          description = "How many."
          default     = 3
        }
    "#]],
    );
    check(
        &graph,
        &settings,
        "outputs.tf",
        &expect![[r#"
        output "network" {
          description = "The \"network\"."
          value = {
            id     = aws_vpc.main.id
            region = var.region
          }
        }
    "#]],
    );
    check(
        &graph,
        &settings,
        "imports.tf",
        &expect![[r#"
        import {
          to = aws_vpc.main
          id = "vpc-0abc"
        }
    "#]],
    );
    check(
        &graph,
        &settings,
        "README.md",
        &expect![[r#"
        Terraform for this cluster, written by `clusterctl export terraform`: 2 resources, hashicorp/aws ~> 6.10.

            terraform init
            terraform plan
            terraform apply

        The cluster is live: `imports.tf` takes over 1 of its resources, so the first plan should say `1 to import, 1 to add` and nothing to destroy. Delete `imports.tf` after the first apply.

        From then on Terraform owns the cluster: do not also run `clusterctl apply` on it.

        | file | what is in it |
        |---|---|
        | versions.tf, providers.tf | the pins, the provider, a backend to switch on |
        | variables.tf | region, size |
        | outputs.tf | network |
        | control_plane.tf | 1 aws_instance |
        | network.tf | 1 aws_vpc |

        Terraform does not fall back when the cloud has no capacity: `aws_instance.a` use their first choice only.
    "#]],
    );
}

#[test]
fn only_files_with_content_are_there() {
    let files = export(&graph([vpc(json!({}))]), &settings()).expect("exports");
    let names: Vec<&String> = files.keys().collect();
    assert_eq!(names, ["README.md", "network.tf", "providers.tf", "variables.tf", "versions.tf"]);
}

#[test]
fn what_cannot_be_said_is_refused_with_its_place() {
    let with = |args| graph([vpc(args)]);
    let said = |args| fault(&with(args), &settings());
    expect![[r#"
        aws_vpc.main, argument a b, cannot be exported: `a b` is no HCL identifier
        aws_vpc.main, argument id, cannot be exported: a digest, which is only ever observed
        aws_vpc.main, argument id, cannot be exported: a `$text` value that is not in its form
        aws_vpc.main, argument id, cannot be exported: variable `nowhere` is not declared
        aws_vpc.main, argument id, cannot be exported: a `$output` value that is not in its form
        aws_vpc.main mentions aws_subnet.gone, which is not in the graph
        aws_instance.a, argument root_block_device, cannot be exported: `root_block_device` is a nested block, so it must be an object or a list of objects
        aws_vpc.1a cannot be exported: `1a` is no HCL identifier
        aws_vpc.other has an id to import but is not a managed node of the graph
        aws_vpc.main/size cannot be exported: it is not there, or not what variable `region` is by default"#]].assert_eq(
        &[
            said(json!({"a b": 1})),
            said(json!({"id": {"$digest": "00"}})),
            said(json!({"id": {"$text": ["x"]}})),
            said(json!({"id": {"$var": "nowhere"}})),
            said(json!({"id": {"$output": "aws_vpc.main"}})),
            said(json!({"id": {"$output": "aws_subnet.gone.id"}})),
            fault(&graph([node(&INSTANCE, "a", Concern::Dns, json!({"root_block_device": "x"}))]), &settings()),
            fault(&graph([node(&VPC, "1a", Concern::Dns, json!({}))]), &settings()),
            fault(
                &with(json!({})),
                &Settings {
                    imports: Some(BTreeMap::from([(Addr::new("aws_vpc", "other"), "vpc-1".to_owned())])),
                    ..settings()
                },
            ),
            fault(
                &with(json!({"size": 4})),
                &Settings {
                    replacements: vec![Replacement {
                        variable: "region".to_owned(),
                        place: Place::Argument { of: Addr::new("aws_vpc", "main"), pointer: "/size".to_owned() },
                    }],
                    ..settings()
                },
            ),
        ]
        .join("\n"),
    );
}

/// Strings made of what HCL gives a meaning to, with anything in between.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("$".to_owned()),
        Just("%".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("${".to_owned()),
        Just("%{".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\n".to_owned()),
        Just("\r\t\0\u{1b}\u{7f}\u{85}\u{2028}\u{feff}".to_owned()),
        Just("EOT".to_owned()),
        Just("😀ß".to_owned()),
        Just("@{1}".to_owned()),
        any::<char>().prop_map(String::from),
        "[a-z ]{0,3}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// What HCL makes of the inside of a quoted string without interpolation; `None` where it would evaluate something.
///
/// Written from the HCL specification, independent of the code above.
fn read(quoted: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = quoted;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            out.push_str(&rest[1..3]);
            rest = &rest[3..];
        } else if rest.starts_with("${") || rest.starts_with("%{") || c == '"' || c == '\n' {
            return None;
        } else if c == '\\' {
            let escape = rest[1..].chars().next()?;
            let digits = match escape {
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            out.push(match escape {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '"' => '"',
                '\\' => '\\',
                'u' | 'U' => char::from_u32(u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?)?,
                _ => return None,
            });
            rest = &rest[2 + digits..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(out)
}

proptest! {
    #[test]
    fn strings_survive_quoting(text in hostile()) {
        prop_assert_eq!(read(&super::text::escaped(&text)), Some(text.clone()));
        let key = super::text::key(&text);
        let inside = key.strip_prefix('"').and_then(|k| k.strip_suffix('"')).unwrap_or(&key);
        prop_assert_eq!(read(inside), Some(text));
        prop_assert!(key.is_ascii());
    }

    #[test]
    fn an_output_after_any_text_stays_an_output(text in hostile(), more in hostile()) {
        let of = Addr::new("aws_vpc", "main");
        let value = json!({ TEXT: [text, output(&of, "id"), more], ENCODING: "plain" });
        let graph = graph([vpc(json!({})), node(&ROLE, "a", Concern::Identity, json!({"name": value}))]);
        let files = export(&graph, &settings()).expect("exports");
        let lines = text.matches('\n').count() + more.matches('\n').count();
        if lines > 2 {
            let marked = &files["files/a.txt"];
            let opening = if marked.contains("@@{1}") { "@@{1}" } else { "@{1}" };
            prop_assert_eq!(marked.replacen(opening, "<id>", 1).len(), text.len() + more.len() + 4);
        } else {
            let line = files["identity.tf"].lines().find(|l| l.contains("name = ")).expect("one line");
            let said = line.trim().trim_start_matches("name = ");
            if text.is_empty() && more.is_empty() {
                prop_assert_eq!(said, "aws_vpc.main.id");
            } else {
                let inside = &said[1..said.len() - 1];
                let (before, after) = inside.split_once("${aws_vpc.main.id}").expect("the output is there");
                prop_assert_eq!(read(before), Some(text), "before the output");
                prop_assert!(!before.ends_with('$'));
                prop_assert_eq!(read(after), Some(more), "after the output");
            }
        }
    }

    #[test]
    fn the_text_is_hcl_and_the_same_every_time(a in hostile(), b in hostile(), c in hostile()) {
        let args = json!({"a": a, "tags": {b.trim_start_matches('$'): c}, "doc": {JSON: {"k": [a, {"x": c}]}}});
        let graph = graph([vpc(args)]);
        let files = export(&graph, &settings()).expect("exports");
        prop_assert_eq!(&files, &export(&graph, &settings()).expect("exports"));
        for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".tf")) {
            prop_assert!(hcl::parse(text).is_ok(), "{}: {}", name, text);
        }
    }
}
