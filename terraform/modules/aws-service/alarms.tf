locals {
  balancer = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }
  alarms = {
    # Webhooks come every few minutes, so that failures rarely lie in adjacent minutes: five minutes are counted together, and one such
    # stretch is enough.
    "5xx" = {
      description = "The service answers 5xx; GitHub shows such deliveries as failed"
      namespace   = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum"
      dimensions  = local.balancer, operator = "GreaterThanThreshold", threshold = 0, period = 300, periods = 1
    }
    balancer-5xx = {
      description = "The load balancer itself answers 5xx: no task took the request, or none answered in time"
      namespace   = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum"
      dimensions  = { LoadBalancer = aws_lb.this.arn_suffix }
      operator    = "GreaterThanThreshold", threshold = 0, period = 300, periods = 1
    }
    healthy = {
      description = "No task answers the load balancer"
      namespace   = "AWS/ApplicationELB", metric = "HealthyHostCount", statistic = "Minimum"
      dimensions  = local.balancer, operator = "LessThanThreshold", threshold = 1, period = 60, periods = 2
    }
    memory = {
      description = "Tasks are short of memory: more memory_mib, or less MAX_CONCURRENT_WORKFLOWS"
      namespace   = "AWS/ECS", metric = "MemoryUtilization", statistic = "Average"
      dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = aws_ecs_service.this.name }
      operator    = "GreaterThanThreshold", threshold = 85, period = 60, periods = 5
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
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  treat_missing_data  = each.key == "healthy" ? "breaching" : "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}
