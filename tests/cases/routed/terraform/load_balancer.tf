# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_lb" "api" {
  name               = "routed-api-d7333cfc"
  internal           = true
  load_balancer_type = "network"
  subnets = [
    aws_subnet.nodes-eu-central-1a.id,
    aws_subnet.nodes-eu-central-1b.id,
    aws_subnet.nodes-eu-central-1c.id,
  ]
  security_groups = [aws_security_group.load-balancer.id]
  tags = {
    Name                     = "routed-api"
    "clusterctl.dev/address" = "aws_lb.api"
    "clusterctl.dev/cluster" = "routed"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_lb_listener" "api" {
  load_balancer_arn = aws_lb.api.arn
  port              = 6443
  protocol          = "TCP"
  tags = {
    Name                     = "routed-api"
    "clusterctl.dev/address" = "aws_lb_listener.api"
    "clusterctl.dev/cluster" = "routed"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }
}

resource "aws_lb_target_group" "api" {
  name                              = "routed-api-aabb-22711e00"
  port                              = 6443
  protocol                          = "TCP"
  target_type                       = "ip"
  vpc_id                            = aws_vpc.main.id
  preserve_client_ip                = "false"
  deregistration_delay              = "120"
  connection_termination            = true
  load_balancing_cross_zone_enabled = "true"
  tags = {
    Name                     = "routed-api"
    "clusterctl.dev/address" = "aws_lb_target_group.api"
    "clusterctl.dev/cluster" = "routed"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }

  health_check {
    protocol            = "HTTPS"
    port                = "traffic-port"
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 6
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  lifecycle {
    create_before_destroy = true
  }
}
