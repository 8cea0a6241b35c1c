output "url" {
  description = "The service's address, without a slash at its end."
  value       = "https://${var.service.domain}"
}

output "security_group_id" {
  description = "The group of the tasks, which database and cache let in."
  value       = aws_security_group.tasks.id
}

output "balancer_dns_name" {
  description = "The load balancer's own name, to which the domain must lead."
  value       = aws_lb.this.dns_name
}
