# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

provider "aws" {
  region = var.region
}
