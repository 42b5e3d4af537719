# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_route53_record" "api" {
  zone_id = data.aws_route53_zone.main.zone_id
  name    = "api.dns-public.example.com"
  type    = "A"

  alias {
    name                   = aws_lb.api.dns_name
    zone_id                = aws_lb.api.zone_id
    evaluate_target_health = false
  }
}

data "aws_route53_zone" "main" {
  name         = "example.com"
  private_zone = false
}
