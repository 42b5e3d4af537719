//! The files around the resources, and what is refused.

use std::collections::BTreeMap;

use expect_test::expect;
use serde_json::json;

use super::{INSTANCE, VPC, check, fault, graph, node, settings, vpc};
use crate::addr::Addr;
use crate::graph::{Concern, Rung};
use crate::terraform::{Backend, Output, Place, Replacement, Settings, Variable, VariableType, export};
use crate::value::output;

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

            From the first apply on, Terraform owns the cluster: do not also run `clusterctl apply` on it.

            | file | what is in it |
            |---|---|
            | versions.tf, providers.tf | the pins, the provider, a backend to switch on |
            | variables.tf | region, size |
            | outputs.tf | network |
            | control_plane.tf | 1 aws_instance |
            | network.tf | 1 aws_vpc |

            Terraform does not fall back when the cloud has no capacity. With their first choice only: `aws_instance.a`.
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
