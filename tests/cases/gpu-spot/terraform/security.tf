# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_security_group" "control-plane" {
  name        = "gpu-spot-control-plane-909e4280"
  description = "Control-plane machines of cluster gpu-spot"
  vpc_id      = aws_vpc.main.id
  tags = {
    Name                     = "gpu-spot-control-plane"
    "clusterctl.dev/address" = "aws_security_group.control-plane"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_security_group" "load-balancer" {
  name        = "gpu-spot-load-balancer-8b4d9bc4"
  description = "The load balancer of cluster gpu-spot"
  vpc_id      = aws_vpc.main.id
  tags = {
    Name                     = "gpu-spot-load-balancer"
    "clusterctl.dev/address" = "aws_security_group.load-balancer"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_security_group" "node" {
  name        = "gpu-spot-node-0850b7ca"
  description = "Every machine of cluster gpu-spot"
  vpc_id      = aws_vpc.main.id
  tags = {
    Name                             = "gpu-spot-node"
    "clusterctl.dev/address"         = "aws_security_group.node"
    "clusterctl.dev/cluster"         = "gpu-spot"
    "clusterctl.dev/uid"             = "00112233445566778899aabbccddeeff"
    "kubernetes.io/cluster/gpu-spot" = "owned"
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
    Name                     = "gpu-spot-load-balancer-api"
    "clusterctl.dev/address" = "aws_vpc_security_group_egress_rule.load-balancer-api"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_egress_rule" "node-all" {
  security_group_id = aws_security_group.node.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
  description       = "images, packages, APIs of the cloud"
  tags = {
    Name                     = "gpu-spot-node-all"
    "clusterctl.dev/address" = "aws_vpc_security_group_egress_rule.node-all"
    "clusterctl.dev/cluster" = "gpu-spot"
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
    Name                     = "gpu-spot-control-plane-api-balancer"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.control-plane-api-balancer"
    "clusterctl.dev/cluster" = "gpu-spot"
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
    Name                     = "gpu-spot-control-plane-api-nodes"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.control-plane-api-nodes"
    "clusterctl.dev/cluster" = "gpu-spot"
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
    Name                     = "gpu-spot-control-plane-etcd"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.control-plane-etcd"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "load-balancer-api-0" {
  security_group_id = aws_security_group.load-balancer.id
  ip_protocol       = "tcp"
  from_port         = 6443
  to_port           = 6443
  cidr_ipv4         = "203.0.113.0/24"
  description       = "Kubernetes API for users"
  tags = {
    Name                     = "gpu-spot-load-balancer-api-0"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.load-balancer-api-0"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "load-balancer-api-nodes-shared" {
  security_group_id = aws_security_group.load-balancer.id
  ip_protocol       = "tcp"
  from_port         = 6443
  to_port           = 6443
  description       = "Kubernetes API for nodes"
  tags = {
    Name                     = "gpu-spot-load-balancer-api-nodes-shared"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.load-balancer-api-nodes-shared"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
  cidr_ipv4 = "${aws_eip.nat-shared.public_ip}/32"
}

resource "aws_vpc_security_group_ingress_rule" "node-health" {
  security_group_id            = aws_security_group.node.id
  ip_protocol                  = "tcp"
  from_port                    = 4240
  to_port                      = 4240
  referenced_security_group_id = aws_security_group.node.id
  description                  = "cilium health checks"
  tags = {
    Name                     = "gpu-spot-node-health"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-health"
    "clusterctl.dev/cluster" = "gpu-spot"
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
    Name                     = "gpu-spot-node-kubelet"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-kubelet"
    "clusterctl.dev/cluster" = "gpu-spot"
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
    Name                     = "gpu-spot-node-mtu"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-mtu"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "node-ping" {
  security_group_id            = aws_security_group.node.id
  ip_protocol                  = "icmp"
  from_port                    = 8
  to_port                      = 0
  referenced_security_group_id = aws_security_group.node.id
  description                  = "cilium health checks"
  tags = {
    Name                     = "gpu-spot-node-ping"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-ping"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_vpc_security_group_ingress_rule" "node-vxlan" {
  security_group_id            = aws_security_group.node.id
  ip_protocol                  = "udp"
  from_port                    = 8472
  to_port                      = 8472
  referenced_security_group_id = aws_security_group.node.id
  description                  = "pod traffic in VXLAN"
  tags = {
    Name                     = "gpu-spot-node-vxlan"
    "clusterctl.dev/address" = "aws_vpc_security_group_ingress_rule.node-vxlan"
    "clusterctl.dev/cluster" = "gpu-spot"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}
