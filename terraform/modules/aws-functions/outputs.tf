output "url" {
  description = "The HTTP API's address, without a slash at its end."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "security_group_id" {
  description = "The group of the functions in the VPC, which database and cache let in."
  value       = aws_security_group.this.id
}

output "readable_secrets" {
  description = "Which secrets each function's role may read, by the last part of their names: for whoever looks over who may what."
  value       = local.secrets
}

output "variables" {
  description = "Each function's environment variables. Secrets are references, not values."
  value       = { for name, function in aws_lambda_function.this : name => function.environment[0].variables }
}
