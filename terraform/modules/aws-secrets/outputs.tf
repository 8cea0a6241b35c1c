output "secrets" {
  description = "By the last part of the name: `arn`, for policies and containers, and `reference`, which the functions' settings take."
  value = {
    for name, secret in aws_secretsmanager_secret.this : name => { arn = secret.arn, reference = "aws-sm://${secret.name}" }
  }
}
