# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_instance" "bastion" {
  ami                         = data.aws_ami.ubuntu-amd64.id
  instance_type               = "t3.micro"
  subnet_id                   = aws_route_table_association.public-eu-central-1a.subnet_id
  vpc_security_group_ids      = [aws_security_group.bastion.id]
  associate_public_ip_address = true
  key_name                    = aws_key_pair.ssh.key_name
  tags = {
    Name                     = "bastion-bastion"
    "clusterctl.dev/address" = "aws_instance.bastion"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }

  root_block_device {
    volume_size = 20
    volume_type = "gp3"
    encrypted   = true
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

resource "aws_security_group" "bastion" {
  name        = "bastion-bastion-c6851505"
  description = "The bastion of cluster bastion"
  vpc_id      = aws_vpc.main.id
  tags = {
    Name                     = "bastion-bastion"
    "clusterctl.dev/address" = "aws_security_group.bastion"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_security_group" "control-plane" {
  name        = "bastion-control-plane-909e4280"
  description = "Control-plane machines of cluster bastion"
  vpc_id      = aws_vpc.main.id
  tags = {
    Name                     = "bastion-control-plane"
    "clusterctl.dev/address" = "aws_security_group.control-plane"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_security_group" "load-balancer" {
  name        = "bastion-load-balancer-8b4d9bc4"
  description = "The load balancer of cluster bastion"
  vpc_id      = aws_vpc.main.id
  tags = {
    Name                     = "bastion-load-balancer"
    "clusterctl.dev/address" = "aws_security_group.load-balancer"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_security_group" "node" {
  name        = "bastion-node-0850b7ca"
  description = "Every machine of cluster bastion"
  vpc_id      = aws_vpc.main.id
  tags = {
    Name                            = "bastion-node"
    "clusterctl.dev/address"        = "aws_security_group.node"
    "clusterctl.dev/cluster"        = "bastion"
    "clusterctl.dev/uid"            = "00112233445566778899aabbccddeeff"
    "kubernetes.io/cluster/bastion" = "owned"
  }
}

resource "aws_vpc_security_group_egress_rule" "bastion-ssh" {
  security_group_id            = aws_security_group.bastion.id
  ip_protocol                  = "tcp"
  from_port                    = 22
  to_port                      = 22
  referenced_security_group_id = aws_security_group.node.id
  description                  = "SSH to nodes"
  tags = {
    Name                     = "bastion-bastion-ssh"
    "clusterctl.dev/address" = "aws_vpc_security_group_egress_rule.bastion-ssh"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_egress_rule" "load-balancer-api" {
  security_group_id            = aws_security_group.load-balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 6443
  to_port                      = 6443
  referenced_security_group_id = aws_security_group.control-plane.id
  description                  = "Kubernetes API and its health check"
  tags = {
    Name                     = "bastion-load-balancer-api"
    "clusterctl.dev/address" = "aws_vpc_security_group_egress_rule.load-balancer-api"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_egress_rule" "node-all" {
  security_group_id = aws_security_group.node.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
  description       = "images, packages, APIs of the cloud"
  tags = {
    Name                     = "bastion-node-all"
    "clusterctl.dev/address" = "aws_vpc_security_group_egress_rule.node-all"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "bastion-ssh-0" {
  security_group_id = aws_security_group.bastion.id
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = "203.0.113.0/24"
  description       = "SSH for users"
  tags = {
    Name                     = "bastion-bastion-ssh-0"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.bastion-ssh-0"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "bastion-ssh-1" {
  security_group_id = aws_security_group.bastion.id
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = "198.51.100.7/32"
  description       = "SSH for users"
  tags = {
    Name                     = "bastion-bastion-ssh-1"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.bastion-ssh-1"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "control-plane-api-balancer" {
  security_group_id            = aws_security_group.control-plane.id
  ip_protocol                  = "tcp"
  from_port                    = 6443
  to_port                      = 6443
  referenced_security_group_id = aws_security_group.load-balancer.id
  description                  = "Kubernetes API and its health check"
  tags = {
    Name                     = "bastion-control-plane-api-balancer"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.control-plane-api-balancer"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "control-plane-api-nodes" {
  security_group_id            = aws_security_group.control-plane.id
  ip_protocol                  = "tcp"
  from_port                    = 6443
  to_port                      = 6443
  referenced_security_group_id = aws_security_group.node.id
  description                  = "Kubernetes API for pods and kubelets"
  tags = {
    Name                     = "bastion-control-plane-api-nodes"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.control-plane-api-nodes"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "control-plane-etcd" {
  security_group_id            = aws_security_group.control-plane.id
  ip_protocol                  = "tcp"
  from_port                    = 2379
  to_port                      = 2380
  referenced_security_group_id = aws_security_group.control-plane.id
  description                  = "etcd clients and peers"
  tags = {
    Name                     = "bastion-control-plane-etcd"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.control-plane-etcd"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "load-balancer-api-0" {
  security_group_id = aws_security_group.load-balancer.id
  ip_protocol       = "tcp"
  from_port         = 6443
  to_port           = 6443
  cidr_ipv4         = "10.20.0.0/16"
  description       = "Kubernetes API for users"
  tags = {
    Name                     = "bastion-load-balancer-api-0"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.load-balancer-api-0"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "load-balancer-api-nodes" {
  security_group_id            = aws_security_group.load-balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 6443
  to_port                      = 6443
  referenced_security_group_id = aws_security_group.node.id
  description                  = "Kubernetes API for nodes"
  tags = {
    Name                     = "bastion-load-balancer-api-nodes"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.load-balancer-api-nodes"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "node-kubelet" {
  security_group_id            = aws_security_group.node.id
  ip_protocol                  = "tcp"
  from_port                    = 10250
  to_port                      = 10250
  referenced_security_group_id = aws_security_group.node.id
  description                  = "kubelet for API servers and metrics"
  tags = {
    Name                     = "bastion-node-kubelet"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-kubelet"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "node-mtu" {
  security_group_id = aws_security_group.node.id
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
  cidr_ipv4         = "10.20.0.0/16"
  description       = "fragmentation needed, for path MTU discovery"
  tags = {
    Name                     = "bastion-node-mtu"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-mtu"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "node-ssh-bastion" {
  security_group_id            = aws_security_group.node.id
  ip_protocol                  = "tcp"
  from_port                    = 22
  to_port                      = 22
  referenced_security_group_id = aws_security_group.bastion.id
  description                  = "SSH from the bastion"
  tags = {
    Name                     = "bastion-node-ssh-bastion"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-ssh-bastion"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "node-typha" {
  security_group_id            = aws_security_group.node.id
  ip_protocol                  = "tcp"
  from_port                    = 5473
  to_port                      = 5473
  referenced_security_group_id = aws_security_group.node.id
  description                  = "calico agents to typha"
  tags = {
    Name                     = "bastion-node-typha"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-typha"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "node-vxlan" {
  security_group_id            = aws_security_group.node.id
  ip_protocol                  = "udp"
  from_port                    = 4789
  to_port                      = 4789
  referenced_security_group_id = aws_security_group.node.id
  description                  = "pod traffic in VXLAN"
  tags = {
    Name                     = "bastion-node-vxlan"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-vxlan"
    "clusterctl.dev/cluster" = "bastion"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}
