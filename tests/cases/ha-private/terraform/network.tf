# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_eip" "nat-eu-central-1a" {
  domain = "vpc"
  tags = {
    Name                     = "ha-nat-eu-central-1a"
    "clusterctl.dev/address" = "aws_eip.nat-eu-central-1a"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_eip" "nat-eu-central-1b" {
  domain = "vpc"
  tags = {
    Name                     = "ha-nat-eu-central-1b"
    "clusterctl.dev/address" = "aws_eip.nat-eu-central-1b"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_eip" "nat-eu-central-1c" {
  domain = "vpc"
  tags = {
    Name                     = "ha-nat-eu-central-1c"
    "clusterctl.dev/address" = "aws_eip.nat-eu-central-1c"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
  tags = {
    Name                     = "ha-main"
    "clusterctl.dev/address" = "aws_internet_gateway.main"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_nat_gateway" "eu-central-1a" {
  allocation_id = aws_eip.nat-eu-central-1a.id
  subnet_id     = aws_route_table_association.public-eu-central-1a.subnet_id
  tags = {
    Name                     = "ha-eu-central-1a"
    "clusterctl.dev/address" = "aws_nat_gateway.eu-central-1a"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_nat_gateway" "eu-central-1b" {
  allocation_id = aws_eip.nat-eu-central-1b.id
  subnet_id     = aws_route_table_association.public-eu-central-1b.subnet_id
  tags = {
    Name                     = "ha-eu-central-1b"
    "clusterctl.dev/address" = "aws_nat_gateway.eu-central-1b"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_nat_gateway" "eu-central-1c" {
  allocation_id = aws_eip.nat-eu-central-1c.id
  subnet_id     = aws_route_table_association.public-eu-central-1c.subnet_id
  tags = {
    Name                     = "ha-eu-central-1c"
    "clusterctl.dev/address" = "aws_nat_gateway.eu-central-1c"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_route" "nodes-eu-central-1a-default" {
  route_table_id         = aws_route_table.nodes-eu-central-1a.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.eu-central-1a.id
}

resource "aws_route" "nodes-eu-central-1b-default" {
  route_table_id         = aws_route_table.nodes-eu-central-1b.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.eu-central-1b.id
}

resource "aws_route" "nodes-eu-central-1c-default" {
  route_table_id         = aws_route_table.nodes-eu-central-1c.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.eu-central-1c.id
}

resource "aws_route" "public-default" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table" "nodes-eu-central-1a" {
  vpc_id = aws_vpc.main.id
  tags = {
    Name                     = "ha-nodes-eu-central-1a"
    "clusterctl.dev/address" = "aws_route_table.nodes-eu-central-1a"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_route_table" "nodes-eu-central-1b" {
  vpc_id = aws_vpc.main.id
  tags = {
    Name                     = "ha-nodes-eu-central-1b"
    "clusterctl.dev/address" = "aws_route_table.nodes-eu-central-1b"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_route_table" "nodes-eu-central-1c" {
  vpc_id = aws_vpc.main.id
  tags = {
    Name                     = "ha-nodes-eu-central-1c"
    "clusterctl.dev/address" = "aws_route_table.nodes-eu-central-1c"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  tags = {
    Name                     = "ha-public"
    "clusterctl.dev/address" = "aws_route_table.public"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_route_table_association" "nodes-eu-central-1a" {
  route_table_id = aws_route_table.nodes-eu-central-1a.id
  subnet_id      = aws_subnet.nodes-eu-central-1a.id
}

resource "aws_route_table_association" "nodes-eu-central-1b" {
  route_table_id = aws_route_table.nodes-eu-central-1b.id
  subnet_id      = aws_subnet.nodes-eu-central-1b.id
}

resource "aws_route_table_association" "nodes-eu-central-1c" {
  route_table_id = aws_route_table.nodes-eu-central-1c.id
  subnet_id      = aws_subnet.nodes-eu-central-1c.id
}

resource "aws_route_table_association" "public-eu-central-1a" {
  route_table_id = aws_route.public-default.route_table_id
  subnet_id      = aws_subnet.public-eu-central-1a.id
}

resource "aws_route_table_association" "public-eu-central-1b" {
  route_table_id = aws_route.public-default.route_table_id
  subnet_id      = aws_subnet.public-eu-central-1b.id
}

resource "aws_route_table_association" "public-eu-central-1c" {
  route_table_id = aws_route.public-default.route_table_id
  subnet_id      = aws_subnet.public-eu-central-1c.id
}

resource "aws_subnet" "nodes-eu-central-1a" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.0.0/18"
  availability_zone = "eu-central-1a"
  tags = {
    Name                     = "ha-nodes-eu-central-1a"
    "clusterctl.dev/address" = "aws_subnet.nodes-eu-central-1a"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_subnet" "nodes-eu-central-1b" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.64.0/18"
  availability_zone = "eu-central-1b"
  tags = {
    Name                     = "ha-nodes-eu-central-1b"
    "clusterctl.dev/address" = "aws_subnet.nodes-eu-central-1b"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_subnet" "nodes-eu-central-1c" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.128.0/18"
  availability_zone = "eu-central-1c"
  tags = {
    Name                     = "ha-nodes-eu-central-1c"
    "clusterctl.dev/address" = "aws_subnet.nodes-eu-central-1c"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_subnet" "public-eu-central-1a" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.192.0/20"
  availability_zone = "eu-central-1a"
  tags = {
    Name                     = "ha-public-eu-central-1a"
    "clusterctl.dev/address" = "aws_subnet.public-eu-central-1a"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_subnet" "public-eu-central-1b" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.208.0/20"
  availability_zone = "eu-central-1b"
  tags = {
    Name                     = "ha-public-eu-central-1b"
    "clusterctl.dev/address" = "aws_subnet.public-eu-central-1b"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_subnet" "public-eu-central-1c" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.20.224.0/20"
  availability_zone = "eu-central-1c"
  tags = {
    Name                     = "ha-public-eu-central-1c"
    "clusterctl.dev/address" = "aws_subnet.public-eu-central-1c"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_vpc" "main" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags = {
    Name                     = "ha-main"
    "clusterctl.dev/address" = "aws_vpc.main"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.main.id
  service_name      = "com.amazonaws.eu-central-1.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids = [
    aws_route_table.nodes-eu-central-1a.id,
    aws_route_table.nodes-eu-central-1b.id,
    aws_route_table.nodes-eu-central-1c.id,
  ]
  tags = {
    Name                     = "ha-s3"
    "clusterctl.dev/address" = "aws_vpc_endpoint.s3"
    "clusterctl.dev/cluster" = "ha"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
    team                     = "vision"
  }
}
