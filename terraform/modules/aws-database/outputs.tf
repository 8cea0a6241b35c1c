output "secret" {
  description = "The secret with the database's address: `arn`, for policies and containers, and `reference`, which the functions' settings take."
  value       = { arn = aws_secretsmanager_secret.this.arn, reference = "aws-sm://${aws_secretsmanager_secret.this.name}" }
}

output "pooler" {
  description = "What stands before the database, as DATABASE_POOLER takes it."
  value       = var.database.proxy ? "rds-proxy" : "none"
}

output "server" {
  description = "Name of the server itself, past the proxy: for dumps, restores and people whom `database.clients` lets in."
  value       = aws_db_instance.this.address
}

output "identifier" {
  description = "The instance, for recovery to a point in time."
  value       = aws_db_instance.this.identifier
}
