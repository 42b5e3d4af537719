# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

output "api_endpoint" {
  description = "Host of the Kubernetes API, port 6443."
  value       = "api.dns-private.internal.example.com"
}

output "vpc_id" {
  description = "The network."
  value       = aws_vpc.main.id
}
