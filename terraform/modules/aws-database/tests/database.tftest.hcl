mock_provider "aws" {
  source = "../../mocks/aws"
}

override_resource {
  target = aws_secretsmanager_secret.this
  values = { id = "s", arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:autopr/prod/database-abcdef" }
}

override_resource {
  target = aws_security_group.database
  values = { id = "sg-database" }
}

override_resource {
  target = aws_security_group.proxy
  values = { id = "sg-proxy" }
}

variables {
  name         = "test"
  secret_name  = "autopr/prod/database"
  vpc_id       = "vpc-0123456789abcdef0"
  subnet_ids   = ["subnet-a", "subnet-b"]
  clients      = { functions = "sg-functions" }
  key_arn      = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  alarm_topics = ["arn:aws:sns:us-east-1:123456789012:alarms"]
}

run "by_default" {
  # the guide's server
  assert {
    condition     = aws_db_instance.this.engine == "postgres" && aws_db_instance.this.engine_version == "15" && aws_db_instance.this.instance_class == "db.t3.medium" && aws_db_instance.this.allocated_storage == 100 && aws_db_instance.this.storage_type == "gp3"
    error_message = "the server has the guide's version and size"
  }
  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 7 && aws_db_instance.this.backup_window == "03:00-04:00" && aws_db_instance.this.deletion_protection
    error_message = "there is a standby, seven days of recovery, and protection from deletion"
  }
  # not public
  assert {
    condition     = !aws_db_instance.this.publicly_accessible
    error_message = "the database has no public address"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.referenced_security_group_id == "sg-functions" && rule.security_group_id == "sg-proxy" && rule.cidr_ipv4 == null && rule.to_port == 5432])
    error_message = "only the clients' groups reach the proxy, and no addresses"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.proxy[0].security_group_id == "sg-database" && aws_vpc_security_group_ingress_rule.proxy[0].referenced_security_group_id == "sg-proxy"
    error_message = "only the proxy reaches the server"
  }
  # what is named besides, and nobody else, reaches the server itself
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.server) == 0 && output.server == aws_db_instance.this.address
    error_message = "nobody passes by the proxy unasked, and the server's own name is told"
  }
  # a snapshot of each of 30 days
  assert {
    condition     = one(aws_backup_plan.this[0].rule).lifecycle[0].delete_after == 30 && one(aws_backup_plan.this[0].rule).schedule == "cron(0 12 * * ? *)" && one(aws_backup_plan.this[0].rule).target_vault_name == "test-database" && aws_backup_selection.this[0].resources == toset([aws_db_instance.this.arn])
    error_message = "each day's snapshot of this server is kept for 30 days"
  }
  assert {
    condition     = aws_backup_vault.this[0].kms_key_arn == var.key_arn && aws_backup_vault.this[0].force_destroy == false
    error_message = "snapshots are encrypted with the key and outlive a mistake"
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.backup[0].policy).Statement :
      alltrue([for action in statement.Action : !strcontains(action, "*")]) && (!contains(statement.Resource, "*") || statement.Sid == "LookForTags")
    ])
    error_message = "AWS Backup may do what is named, to this server and its own snapshots"
  }
  # a newer major version is a matter of one number
  assert {
    condition     = aws_db_instance.this.allow_major_version_upgrade && !aws_db_instance.this.apply_immediately
    error_message = "the version can be raised, and what interrupts waits for its window"
  }
  # encrypted, on the disk and on the way
  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == var.key_arn && aws_secretsmanager_secret.this.kms_key_id == var.key_arn && aws_db_instance.this.performance_insights_kms_key_id == var.key_arn
    error_message = "disk, figures and secret are encrypted with the key"
  }
  assert {
    condition     = alltrue([for group in concat(values(aws_cloudwatch_log_group.this), aws_cloudwatch_log_group.proxy) : group.kms_key_id == var.key_arn])
    error_message = "logs are encrypted with the key"
  }
  assert {
    condition     = lookup({ for p in aws_db_parameter_group.this.parameter : p.name => p.value }, "rds.force_ssl", "") == "1" && aws_db_proxy.this[0].require_tls
    error_message = "server and proxy refuse connections without TLS"
  }
  # what docs/aws.md wants of the server behind RDS Proxy
  assert {
    condition     = lookup({ for p in aws_db_parameter_group.this.parameter : p.name => p.value }, "statement_timeout", "") == "8000" && lookup({ for p in aws_db_parameter_group.this.parameter : p.name => p.value }, "idle_in_transaction_session_timeout", "") == "30000"
    error_message = "the server ends long statements and idle transactions"
  }
  assert {
    condition     = output.pooler == "rds-proxy" && output.secret.reference == "aws-sm://autopr/prod/database"
    error_message = "the engine is told of the proxy, and gets the secret by reference"
  }
  # the proxy reads this one secret and nothing else
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.proxy[0].policy).Statement :
      contains(["secretsmanager:GetSecretValue", "kms:Decrypt"], statement.Action) && contains(["arn:aws:secretsmanager:us-east-1:123456789012:secret:autopr/prod/database-abcdef", var.key_arn], statement.Resource)
    ])
    error_message = "the proxy's role reads its secret with its key only"
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.monitoring.policy).Statement : alltrue([for action in statement.Action : !strcontains(action, "*")])
    ])
    error_message = "no action with a wildcard"
  }
  # no value in the state: what could hold one is empty, and write-only arguments never come back
  assert {
    condition     = aws_db_instance.this.password == null && aws_db_instance.this.password_wo_version == 1
    error_message = "the server's password is write-only"
  }
  assert {
    condition     = aws_secretsmanager_secret_version.this.secret_string == null && aws_secretsmanager_secret_version.this.secret_string_wo_version == aws_db_instance.this.password_wo_version
    error_message = "the secret's value is write-only and changes together with the server's password"
  }
}

run "for_a_trial" {
  command = plan
  variables {
    database = { multi_az = false, deletion_protection = false, proxy = false, ca_file = "/var/task/ca.pem", password_version = 2, version = "17" }
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.security_group_id == "sg-database"]) && length(aws_db_proxy.this) == 0 && output.pooler == "none"
    error_message = "without a proxy clients reach the server"
  }
  assert {
    condition     = aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.backup_retention_period == 7
    error_message = "a trial is encrypted, private and backed up all the same"
  }
  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17"
    error_message = "parameters are of the server's version"
  }
  assert {
    condition     = aws_db_instance.this.password_wo_version == 2 && aws_secretsmanager_secret_version.this.secret_string_wo_version == 2
    error_message = "a raised version changes both passwords"
  }
}

run "who_dumps_reaches_the_server" {
  command = plan
  variables {
    database = { clients = { backup = "sg-backup" }, backup_days = 14, apply_immediately = true }
  }
  assert {
    condition     = [for name, rule in aws_vpc_security_group_ingress_rule.server : "${name} ${rule.referenced_security_group_id} ${rule.security_group_id} ${rule.from_port}-${rule.to_port}"] == ["backup sg-backup sg-database 5432-5432"]
    error_message = "the group that is named reaches the server, not the proxy"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.server : rule.cidr_ipv4 == null]) && alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.security_group_id == "sg-proxy"])
    error_message = "no addresses, and the engine goes on by the proxy"
  }
  assert {
    condition     = aws_db_instance.this.apply_immediately
    error_message = "changes are made at once where that is asked for"
  }
}

run "without_snapshots" {
  command = plan
  variables {
    database = { snapshot_days = 0 }
  }
  assert {
    condition     = length(aws_backup_plan.this) == 0 && length(aws_backup_vault.this) == 0 && length(aws_iam_role.backup) == 0
    error_message = "0 means none"
  }
}

run "refuses_snapshots_that_end_before_recovery_does" {
  command = plan
  variables {
    database = { snapshot_days = 5 }
  }
  expect_failures = [var.database]
}

run "refuses_addresses" {
  command = plan
  variables {
    database = { clients = { everybody = "0.0.0.0/0" } }
  }
  expect_failures = [var.database]
}

run "refuses_old_versions_and_one_subnet" {
  command = plan
  variables {
    database   = { version = "14" }
    subnet_ids = ["subnet-a"]
  }
  expect_failures = [var.database, var.subnet_ids]
}

run "refuses_no_backups" {
  command = plan
  variables {
    database = { backup_days = 0 }
  }
  expect_failures = [var.database]
}

run "refuses_a_limit_below_the_size" {
  command = plan
  variables {
    database = { max_storage_gib = 50 }
  }
  expect_failures = [var.database]
}

run "refuses_an_unchecked_server" {
  command = plan
  variables {
    database = { proxy = false }
  }
  expect_failures = [var.database]
}
