# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_route53_record" "api" {
  zone_id = aws_route53_zone.main.zone_id
  name    = "api.dns-private.internal.example.com"
  type    = "A"

  alias {
    name                   = aws_lb.api.dns_name
    zone_id                = aws_lb.api.zone_id
    evaluate_target_health = false
  }
}

resource "aws_route53_zone" "main" {
  name          = "internal.example.com"
  force_destroy = false
  tags = {
    Name                     = "dns-private-main"
    "clusterctl.dev/address" = "aws_route53_zone.main"
    "clusterctl.dev/cluster" = "dns-private"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }

  vpc {
    vpc_id = aws_vpc.main.id
  }
}
