# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_eip" "nat-shared" {
  domain = "vpc"
  tags = {
    Name                     = "bastion-nat-shared"
    "clusterctl.dev/address" = "aws_eip.nat-shared"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
  tags = {
    Name                     = "bastion-main"
    "clusterctl.dev/address" = "aws_internet_gateway.main"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_nat_gateway" "shared" {
  allocation_id = aws_eip.nat-shared.id
  subnet_id     = aws_route_table_association.public-eu-central-1a.subnet_id
  tags = {
    Name                     = "bastion-shared"
    "clusterctl.dev/address" = "aws_nat_gateway.shared"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_route" "nodes-shared-default" {
  route_table_id         = aws_route_table.nodes-shared.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.shared.id
}

resource "aws_route" "public-default" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table" "nodes-shared" {
  vpc_id = aws_vpc.main.id
  tags = {
    Name                     = "bastion-nodes-shared"
    "clusterctl.dev/address" = "aws_route_table.nodes-shared"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  tags = {
    Name                     = "bastion-public"
    "clusterctl.dev/address" = "aws_route_table.public"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_route_table_association" "nodes-eu-central-1a" {
  route_table_id = aws_route_table.nodes-shared.id
  subnet_id      = aws_subnet.nodes-eu-central-1a.id
}

resource "aws_route_table_association" "nodes-eu-central-1b" {
  route_table_id = aws_route_table.nodes-shared.id
  subnet_id      = aws_subnet.nodes-eu-central-1b.id
}

resource "aws_route_table_association" "public-eu-central-1a" {
  route_table_id = aws_route.public-default.route_table_id
  subnet_id      = aws_subnet.public-eu-central-1a.id
}

resource "aws_route_table_association" "public-eu-central-1b" {
  route_table_id = aws_route.public-default.route_table_id
  subnet_id      = aws_subnet.public-eu-central-1b.id
}

resource "aws_subnet" "nodes-eu-central-1a" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.0.0/18"
  availability_zone = "eu-central-1a"
  tags = {
    Name                     = "bastion-nodes-eu-central-1a"
    "clusterctl.dev/address" = "aws_subnet.nodes-eu-central-1a"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_subnet" "nodes-eu-central-1b" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.64.0/18"
  availability_zone = "eu-central-1b"
  tags = {
    Name                     = "bastion-nodes-eu-central-1b"
    "clusterctl.dev/address" = "aws_subnet.nodes-eu-central-1b"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_subnet" "public-eu-central-1a" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.192.0/19"
  availability_zone = "eu-central-1a"
  tags = {
    Name                     = "bastion-public-eu-central-1a"
    "clusterctl.dev/address" = "aws_subnet.public-eu-central-1a"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_subnet" "public-eu-central-1b" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.224.0/19"
  availability_zone = "eu-central-1b"
  tags = {
    Name                     = "bastion-public-eu-central-1b"
    "clusterctl.dev/address" = "aws_subnet.public-eu-central-1b"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc" "main" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags = {
    Name                     = "bastion-main"
    "clusterctl.dev/address" = "aws_vpc.main"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.main.id
  service_name      = "com.amazonaws.eu-central-1.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.nodes-shared.id]
  tags = {
    Name                     = "bastion-s3"
    "clusterctl.dev/address" = "aws_vpc_endpoint.s3"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}
