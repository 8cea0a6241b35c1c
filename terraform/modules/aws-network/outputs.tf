output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its addresses."
  value       = var.cidr
}

output "public_subnet_ids" {
  description = "Subnets with a way in: for a load balancer."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "private_subnet_ids" {
  description = "Subnets with a way out by NAT: for what calls GitHub and the models."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "isolated_subnet_ids" {
  description = "Subnets with neither: for the database, the cache, and what talks to nothing else."
  value       = [for subnet in aws_subnet.isolated : subnet.id]
}
