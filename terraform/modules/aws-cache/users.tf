# Made anew at each run and used only where the version below has been raised; in neither plan nor state.
ephemeral "random_password" "this" {
  length  = 40
  special = false # so that it needs no escapes in an address
}

# The engine's user has the commands that the engine sends, on the keys that it makes.
resource "aws_elasticache_user" "engine" {
  user_id              = "${var.name}-engine"
  user_name            = "autopr"
  engine               = "redis"
  access_string        = "on ~autopr:1:* -@all +getrange +set +del +ping"
  passwords_wo         = ephemeral.random_password.this.result
  passwords_wo_version = var.cache.password_version
}

# Each group must have a user called default, which is who comes without a name. It can do nothing.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = "redis"
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = "redis"
  user_ids      = [aws_elasticache_user.default.user_id, aws_elasticache_user.engine.user_id]
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57: password_version changes it in the cache and here in one apply
  name                    = var.secret_name
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id                = aws_secretsmanager_secret.this.id
  secret_string_wo         = "rediss://${aws_elasticache_user.engine.user_name}:${ephemeral.random_password.this.result}@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379/0"
  secret_string_wo_version = var.cache.password_version
}
