# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

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
#     bucket       = "my-terraform-state"
#     key          = "routed.tfstate"
#     region       = "eu-central-1"
#     use_lockfile = true
#   }
# }
