locals {
  balancer = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }
  alarms = {
    "5xx" = {
      description = "The service answers 5xx; GitHub shows such deliveries as failed"
      namespace   = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum"
      dimensions  = local.balancer, operator = "GreaterThanThreshold", threshold = 0, minutes = 3
    }
    healthy = {
      description = "No task answers the load balancer"
      namespace   = "AWS/ApplicationELB", metric = "HealthyHostCount", statistic = "Minimum"
      dimensions  = local.balancer, operator = "LessThanThreshold", threshold = 1, minutes = 2
    }
    memory = {
      description = "Tasks are short of memory: more memory_mib, or less MAX_CONCURRENT_WORKFLOWS"
      namespace   = "AWS/ECS", metric = "MemoryUtilization", statistic = "Average"
      dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = aws_ecs_service.this.name }
      operator    = "GreaterThanThreshold", threshold = 85, minutes = 5
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-service-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.minutes
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  treat_missing_data  = each.key == "healthy" ? "breaching" : "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}
