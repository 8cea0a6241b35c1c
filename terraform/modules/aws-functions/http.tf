resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "${var.name}: webhooks and API"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_burst_limit = 200
    throttling_rate_limit  = 100
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.this["http"].arn
    # No header, query or body is logged.
    format = jsonencode({
      request_id        = "$context.requestId"
      method            = "$context.httpMethod"
      route             = "$context.routeKey"
      status            = "$context.status"
      latency_ms        = "$context.responseLatency"
      integration_error = "$context.integrationErrorMessage"
    })
  }
}

locals {
  routes = {
    "POST /webhooks/github" = "webhook"
    "GET /api/health"       = "webhook"
    "$default"              = "api"
  }
}

resource "aws_apigatewayv2_integration" "this" {
  for_each               = toset(values(local.routes))
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this[each.key].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309: webhooks carry a signature and the API wants a key; the functions check both
  for_each           = local.routes
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this[each.value].id}"
  authorization_type = "NONE"
}

resource "aws_lambda_permission" "http" {
  for_each      = toset(values(local.routes))
  statement_id  = "http"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.key].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*"
}
