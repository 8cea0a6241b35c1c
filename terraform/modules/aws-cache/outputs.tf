output "secret" {
  description = "The secret with the cache's address: `arn`, for policies and containers, and `reference`, which the functions' settings take."
  value       = { arn = aws_secretsmanager_secret.this.arn, reference = "aws-sm://${aws_secretsmanager_secret.this.name}" }
}
