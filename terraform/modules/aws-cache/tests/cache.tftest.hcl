mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name        = "test"
  secret_name = "autopr/prod/redis"
  vpc_id      = "vpc-0123456789abcdef0"
  subnet_ids  = ["subnet-a", "subnet-b"]
  clients     = { functions = "sg-functions" }
  key_arn     = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "by_default" {
  # the guide's servers
  assert {
    condition     = startswith(aws_elasticache_replication_group.this.engine_version, "7.") && aws_elasticache_replication_group.this.node_type == "cache.t3.medium" && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "two nodes of the guide's size with Redis 7"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "one zone's failure is survived"
  }
  # encrypted
  assert {
    condition     = aws_elasticache_replication_group.this.at_rest_encryption_enabled && aws_elasticache_replication_group.this.kms_key_id == var.key_arn && aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "disk and connections are encrypted, and nothing else is taken"
  }
  assert {
    condition     = aws_secretsmanager_secret.this.kms_key_id == var.key_arn && output.secret.reference == "aws-sm://autopr/prod/redis"
    error_message = "the secret is encrypted with the key and told by reference"
  }
  # who may do what
  assert {
    condition     = strcontains(aws_elasticache_user.engine.access_string, " -@all ") && strcontains(aws_elasticache_user.engine.access_string, "~autopr:1:*") && !strcontains(aws_elasticache_user.engine.access_string, "+@")
    error_message = "the engine's user has its commands on its keys only"
  }
  assert {
    condition     = aws_elasticache_user.default.access_string == "off -@all"
    error_message = "who comes without a name can do nothing"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.referenced_security_group_id == "sg-functions" && rule.cidr_ipv4 == null])
    error_message = "only the clients' groups reach Redis"
  }
  # each node has figures of its own, under its own name
  assert {
    condition     = toset([for alarm in aws_cloudwatch_metric_alarm.memory : jsonencode(alarm.dimensions)]) == toset([jsonencode({ CacheClusterId = "test-001" }), jsonencode({ CacheClusterId = "test-002" })])
    error_message = "each node's memory has an alarm"
  }
  # no value in the state
  assert {
    condition     = aws_elasticache_user.engine.passwords == null && aws_secretsmanager_secret_version.this.secret_string == null && aws_elasticache_replication_group.this.auth_token == null
    error_message = "passwords are write-only"
  }
  assert {
    condition     = aws_elasticache_user.engine.passwords_wo_version == aws_secretsmanager_secret_version.this.secret_string_wo_version
    error_message = "user and secret change together"
  }
}

run "one_node" {
  command = plan
  variables {
    cache = { nodes = 1 }
  }
  assert {
    condition     = !aws_elasticache_replication_group.this.automatic_failover_enabled && !aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.transit_encryption_enabled
    error_message = "one node has no failover, and is encrypted all the same"
  }
}

run "refuses_old_versions" {
  command = plan
  variables {
    cache = { version = "6.2" }
  }
  expect_failures = [var.cache]
}

run "refuses_no_nodes" {
  command = plan
  variables {
    cache = { nodes = 0 }
  }
  expect_failures = [var.cache]
}
