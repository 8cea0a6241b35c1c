# Made anew at each run and used only where the version below has been raised; in neither plan nor state.
ephemeral "random_password" "this" {
  length  = 40
  special = false # so that it needs no escapes in an address
}

locals {
  host = var.database.proxy ? aws_db_proxy.this[0].endpoint : aws_db_instance.this.address
  # RDS Proxy has certificates of a public authority, RDS one of its own.
  tls = var.database.proxy ? "sslmode=verify-full" : "sslmode=verify-full&sslrootcert=${coalesce(var.database.ca_file, "-")}"
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57: password_version changes it in the database and here in one apply; the proxy keeps open connections
  name                    = var.secret_name
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_days
}

# The keys are those that RDS Proxy reads, and the engine; it takes `url` before the others, which know nothing of TLS.
resource "aws_secretsmanager_secret_version" "this" {
  secret_id = aws_secretsmanager_secret.this.id
  secret_string_wo = jsonencode({
    engine   = "postgres"
    username = local.username
    password = ephemeral.random_password.this.result
    host     = local.host
    port     = local.port
    database = aws_db_instance.this.db_name
    url      = "postgresql://${local.username}:${ephemeral.random_password.this.result}@${local.host}:${local.port}/${aws_db_instance.this.db_name}?${local.tls}"
  })
  secret_string_wo_version = var.database.password_version
}
