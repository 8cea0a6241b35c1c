locals {
  alarms = {
    storage = {
      description = "Little of the disk is left, and it has grown as far as it may (max_storage_gib)"
      metric      = "FreeStorageSpace"
      operator    = "LessThanThreshold"
      threshold   = 5 * 1024 * 1024 * 1024
    }
    cpu = {
      description = "The database's processor is busy: a larger instance_class, or fewer workers"
      metric      = "CPUUtilization"
      operator    = "GreaterThanThreshold"
      threshold   = 85
    }
    memory = {
      description = "The database's memory is short: a larger instance_class, or fewer connections"
      metric      = "FreeableMemory"
      operator    = "LessThanThreshold"
      threshold   = 128 * 1024 * 1024
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-database-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = aws_db_instance.this.identifier }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}
