output "url" {
  description = "The HTTP API's address, without a slash at its end."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "security_group_id" {
  description = "The group of the functions in the VPC, which database and cache let in."
  value       = aws_security_group.this.id
}
