# Webhooks come every few minutes, so that failures rarely lie in adjacent minutes: five minutes are counted together, and one such
# stretch is enough.
locals {
  # The sweeper may fail now and then, or still be at the last sweep: the next minute makes it good. It is called each minute, and three
  # of five are too many.
  tolerated = { sweeper = 2 }

  function_alarms = merge(
    { for function in keys(local.functions) : "${function}-errors" => {
      function = function, metric = "Errors", description = "Invocations of the ${function} function fail"
    } },
    { for function in keys(local.functions) : "${function}-throttles" => {
      function = function, metric = "Throttles", description = "The ${function} function has reached its concurrency"
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "functions" {
  for_each            = local.function_alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = aws_lambda_function.this[each.value.function].function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = lookup(local.tolerated, each.value.function, 0)
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}

resource "aws_cloudwatch_metric_alarm" "http" {
  alarm_name          = "${var.name}-http-errors"
  alarm_description   = "The HTTP API answers 5xx; GitHub shows such deliveries as failed"
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.this.id }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}
