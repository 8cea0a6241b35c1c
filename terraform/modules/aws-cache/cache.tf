locals {
  failover = var.cache.nodes > 1
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV2_AWS_50: failover is on by default; a trial with one node has nothing to fail over to
  replication_group_id = var.name
  description          = "${var.name}: answers of GitHub and of models"
  engine               = "redis"
  engine_version       = var.cache.version
  node_type            = var.cache.node_type
  parameter_group_name = aws_elasticache_parameter_group.this.name
  port                 = 6379

  num_cache_clusters         = var.cache.nodes
  automatic_failover_enabled = local.failover
  multi_az_enabled           = local.failover

  at_rest_encryption_enabled = true
  kms_key_id                 = var.key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id] #checkov:skip=CKV_AWS_31: users with passwords take the place of the one token

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [aws_security_group.this.id]

  auto_minor_version_upgrade = true
  maintenance_window         = "sun:06:00-sun:07:00"
  # What is lost is fetched again: there is nothing to back up.
  snapshot_retention_limit = 0
}

resource "aws_elasticache_parameter_group" "this" {
  name        = var.name
  family      = "redis7"
  description = "AutoPR"

  # It is a cache: what was not used for longest makes room.
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-cache"
  description = "Redis"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-cache" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each                     = var.clients
  security_group_id            = aws_security_group.this.id
  description                  = "Redis from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

# ElastiCache tells a node's figures under the node's own name, which is the group's with a number; none under the group's.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.html
resource "aws_cloudwatch_metric_alarm" "memory" {
  for_each            = toset([for number in range(1, var.cache.nodes + 1) : format("%03d", number)])
  alarm_name          = "${var.name}-cache-memory-${each.key}"
  alarm_description   = "The cache is full: a larger node_type saves calls to GitHub and models"
  namespace           = "AWS/ElastiCache"
  metric_name         = "DatabaseMemoryUsagePercentage"
  dimensions          = { CacheClusterId = "${aws_elasticache_replication_group.this.replication_group_id}-${each.key}" }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 90
  # Shown as such: a node that tells nothing is away, or has another name.
  treat_missing_data = "missing"
  alarm_actions      = var.alarm_topics
  ok_actions         = var.alarm_topics
}
