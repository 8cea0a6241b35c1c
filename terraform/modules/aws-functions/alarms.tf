locals {
  # The sweeper may fail now and then: the next minute makes it good.
  error_minutes = { webhook = 2, worker = 2, sweeper = 3, api = 2 }

  function_alarms = merge(
    { for function, minutes in local.error_minutes : "${function}-errors" => {
      function = function, metric = "Errors", minutes = minutes, description = "Invocations of the ${function} function fail"
    } },
    { for function in keys(local.functions) : "${function}-throttles" => {
      function = function, metric = "Throttles", minutes = 5, description = "The ${function} function has reached its concurrency"
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
  period              = 60
  evaluation_periods  = each.value.minutes
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
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
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}
