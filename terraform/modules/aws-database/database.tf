locals {
  username = "autopr_admin"
  # In the VPC PostgreSQL listens where it always does.
  port = 5432
}

resource "aws_db_instance" "this" {
  identifier     = var.name
  engine         = "postgres"
  engine_version = var.database.version
  instance_class = var.database.instance_class
  db_name        = "autopr"
  port           = local.port

  # Whoever raises database.version means it.
  allow_major_version_upgrade = true
  apply_immediately           = var.database.apply_immediately

  username            = local.username
  password_wo         = ephemeral.random_password.this.result
  password_wo_version = var.database.password_version
  # For people; the engine has its password.
  iam_database_authentication_enabled = true

  storage_type          = "gp3"
  allocated_storage     = var.database.storage_gib
  max_allocated_storage = var.database.max_storage_gib
  storage_encrypted     = true
  kms_key_id            = var.key_arn

  multi_az               = var.database.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  # With snapshots come the transaction logs, by which RDS goes back to any second of these days (RPO of minutes).
  backup_retention_period   = var.database.backup_days
  backup_window             = var.database.backup_window
  maintenance_window        = "sun:05:00-sun:06:00"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = !var.database.deletion_protection
  deletion_protection       = var.database.deletion_protection #checkov:skip=CKV_AWS_293: on by default; a trial may switch it off
  skip_final_snapshot       = !var.database.deletion_protection
  final_snapshot_identifier = var.database.deletion_protection ? "${var.name}-final" : null

  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  # Logs lie in groups that are encrypted and end, not in those that RDS would make.
  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  # A new major version needs another group before the old one can go.
  name_prefix = "${var.name}-${var.database.version}-"
  family      = "postgres${var.database.version}"
  description = "AutoPR"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  # What the engine sets itself without a proxy (docs/postgresql.md), in milliseconds: RDS Proxy refuses settings that come
  # with a connection.
  parameter {
    name  = "statement_timeout"
    value = "8000"
  }
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "30000"
  }
  # Waits for locks, and what takes more than a second. Statements carry no values.
  parameter {
    name  = "log_lock_waits"
    value = "1"
  }
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(["postgresql", "upgrade"])
  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.retention_days #checkov:skip=CKV_AWS_338: how long logs are kept is the operator's choice
  kms_key_id        = var.key_arn
}

resource "aws_iam_role" "monitoring" {
  name = "${var.name}-database-monitoring"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "monitoring.rds.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "monitoring" {
  name = "monitoring"
  role = aws_iam_role.monitoring.id
  # The log group that RDS writes the machine's figures to has this name and no other.
  # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "WriteFigures"
      Effect = "Allow"
      Action = [
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents",
        "logs:PutRetentionPolicy",
      ]
      Resource = [
        "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:RDSOSMetrics",
        "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:RDSOSMetrics:log-stream:*",
      ]
    }]
  })
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
}
