mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name  = "test"
  queue = { arn = "arn:aws:sqs:us-east-1:123456789012:queue", url = "https://sqs/queue" }
  network = {
    vpc_id         = "vpc-0123456789abcdef0"
    cidr           = "10.0.0.0/16"
    subnet_ids     = ["subnet-private"]
    api_subnet_ids = ["subnet-isolated"]
  }
  key_arn      = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  alarm_topics = ["arn:aws:sns:us-east-1:123456789012:alarms"]
  settings     = { DATABASE_POOLER = "rds-proxy", GITHUB_APP_ID = "12345", DEFAULT_LLM_PROVIDER = "openai" }
  secrets = {
    "webhook-secret"    = { arn = "arn:webhook-secret", reference = "aws-sm://autopr/prod/webhook-secret" }
    "database"          = { arn = "arn:database", reference = "aws-sm://autopr/prod/database" }
    "redis"             = { arn = "arn:redis", reference = "aws-sm://autopr/prod/redis" }
    "github-app-key"    = { arn = "arn:github-app-key", reference = "aws-sm://autopr/prod/github-app-key" }
    "api-keys"          = { arn = "arn:api-keys", reference = "aws-sm://autopr/prod/api-keys" }
    "openai-api-key"    = { arn = "arn:openai-api-key", reference = "aws-sm://autopr/prod/openai-api-key" }
    "anthropic-api-key" = { arn = "arn:anthropic-api-key", reference = "aws-sm://autopr/prod/anthropic-api-key" }
  }
}

run "by_default" {
  # each role reads what its function needs, and no other secret
  assert {
    condition = { for function, policy in aws_iam_role_policy.this : function => toset(flatten([
      for statement in jsondecode(policy.policy).Statement : statement.Resource if statement.Sid == "ReadSecrets"
      ])) } == {
      webhook = toset(["arn:webhook-secret"])
      worker  = toset(["arn:database", "arn:redis", "arn:github-app-key", "arn:openai-api-key", "arn:anthropic-api-key"])
      sweeper = toset(["arn:database", "arn:redis", "arn:github-app-key"])
      api     = toset(["arn:database", "arn:redis", "arn:api-keys"])
    }
    error_message = "the webhook's role reads neither the App's nor a model's key, and nobody reads more than it needs"
  }
  # no action of a policy that allows has a wildcard, nor a resource but where AWS knows none
  assert {
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_role_policy.this), [aws_iam_role_policy.scheduler]) : [
        for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
        if statement.Effect == "Allow"
      ]
    ]))
    error_message = "no action with a wildcard"
  }
  assert {
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_role_policy.this), [aws_iam_role_policy.scheduler]) : [
        for statement in jsondecode(policy.policy).Statement : contains(["SendTraces", "JoinVpc"], statement.Sid)
        if statement.Effect == "Allow" && contains(flatten([statement.Resource]), "*")
      ]
    ]))
    error_message = "only traces and network interfaces are allowed on every resource"
  }
  # only the worker takes from the queue
  assert {
    condition = toset(flatten([
      for function, policy in aws_iam_role_policy.this : [
        for statement in jsondecode(policy.policy).Statement : function if statement.Sid == "UseQueue" && contains(statement.Action, "sqs:ReceiveMessage")
      ]
    ])) == toset(["worker"])
    error_message = "only the worker receives messages"
  }
  # secrets by reference, under the names that the settings know
  assert {
    condition = alltrue(flatten([
      for function in aws_lambda_function.this : [
        for variable, value in function.environment[0].variables : startswith(value, "aws-sm://autopr/prod/")
        if can(regex("_URL$|_KEY$|_KEYS$|_TOKEN$|_SECRET$", variable)) && variable != "AUTOPR_QUEUE_URL"
      ]
    ]))
    error_message = "no variable holds a secret itself"
  }
  assert {
    condition = aws_lambda_function.this["worker"].environment[0].variables == tomap({
      AUTOPR_ENV             = "production"
      AUTOPR_LOG_LEVEL       = "INFO"
      AUTOPR_QUEUE_URL       = "https://sqs/queue"
      DATABASE_URL           = "aws-sm://autopr/prod/database"
      DATABASE_POOLER        = "rds-proxy"
      REDIS_URL              = "aws-sm://autopr/prod/redis"
      GITHUB_APP_ID          = "12345"
      GITHUB_APP_PRIVATE_KEY = "aws-sm://autopr/prod/github-app-key"
      DEFAULT_LLM_PROVIDER   = "openai"
      OPENAI_API_KEY         = "aws-sm://autopr/prod/openai-api-key"
      ANTHROPIC_API_KEY      = "aws-sm://autopr/prod/anthropic-api-key"
    })
    error_message = "the worker is told all that it needs"
  }
  assert {
    condition     = aws_lambda_function.this["webhook"].environment[0].variables == tomap({ AUTOPR_ENV = "production", AUTOPR_LOG_LEVEL = "INFO", AUTOPR_QUEUE_URL = "https://sqs/queue", GITHUB_WEBHOOK_SECRET = "aws-sm://autopr/prod/webhook-secret" })
    error_message = "the webhook's function is told of nothing but the queue and its secret"
  }
  # the same figures as template.yaml
  assert {
    condition = { for name, function in aws_lambda_function.this : name => [function.timeout, function.memory_size, function.reserved_concurrent_executions] } == {
      webhook = [10, 256, 50], worker = [300, 512, 10], sweeper = [55, 256, 1], api = [29, 256, 10]
    }
    error_message = "time-outs, memory and concurrency are those of template.yaml"
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.runtime == "provided.al2023" && function.architectures == tolist(["arm64"]) && function.tracing_config[0].mode == "Active"])
    error_message = "all functions are programs of ours that send traces"
  }
  assert {
    condition     = aws_lambda_event_source_mapping.messages.batch_size == 10 && aws_lambda_event_source_mapping.messages.function_response_types == toset(["ReportBatchItemFailures"]) && aws_lambda_event_source_mapping.messages.scaling_config[0].maximum_concurrency == 10 && aws_lambda_event_source_mapping.messages.event_source_arn == "arn:aws:sqs:us-east-1:123456789012:queue"
    error_message = "the queue hands on batches of ten, whose messages fail one by one, to a bounded number of workers"
  }
  assert {
    condition     = aws_lambda_function_recursion_config.worker.recursive_loop == "Allow" && aws_lambda_function_recursion_config.worker.function_name == "test-worker"
    error_message = "the worker may send itself messages"
  }
  # network
  assert {
    condition     = length(aws_lambda_function.this["webhook"].vpc_config) == 0 && aws_lambda_function.this["worker"].vpc_config[0].subnet_ids == toset(["subnet-private"]) && aws_lambda_function.this["api"].vpc_config[0].subnet_ids == toset(["subnet-isolated"])
    error_message = "the webhook's function is in no VPC, the API's where no way leads out"
  }
  assert {
    condition     = alltrue([for name, rule in aws_vpc_security_group_egress_rule.this : name == "https" || rule.cidr_ipv4 == "10.0.0.0/16"])
    error_message = "only HTTPS leaves the VPC"
  }
  # routes
  assert {
    condition     = aws_apigatewayv2_route.this["POST /webhooks/github"].target == "integrations/${aws_apigatewayv2_integration.this["webhook"].id}" && aws_apigatewayv2_route.this["$default"].target == "integrations/${aws_apigatewayv2_integration.this["api"].id}" && length(aws_apigatewayv2_route.this) == 3
    error_message = "webhooks go to the webhook's function, the rest to the API's"
  }
  # schedule
  assert {
    condition     = aws_scheduler_schedule.sweep.schedule_expression == "rate(1 minute)" && aws_scheduler_schedule.sweep.target[0].retry_policy[0].maximum_retry_attempts == 0 && aws_scheduler_schedule.sweep.state != "DISABLED"
    error_message = "a sweep each minute, without retries"
  }
  # encryption
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.key_arn && group.retention_in_days == 30]) && alltrue([for function in aws_lambda_function.this : function.kms_key_arn == var.key_arn]) && aws_scheduler_schedule.sweep.kms_key_arn == var.key_arn
    error_message = "logs, variables and schedule are encrypted with the key, and logs end"
  }
  # alarms: errors and throttles of each function, and of the API
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.functions) == 8 && alltrue([for alarm in aws_cloudwatch_metric_alarm.functions : alarm.alarm_actions == toset(var.alarm_topics)]) && aws_cloudwatch_metric_alarm.http.alarm_actions == toset(var.alarm_topics)
    error_message = "somebody hears of each alarm"
  }
  # one failure in five minutes is enough: webhooks do not come each minute
  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.functions : alarm.period == 300 && alarm.evaluation_periods == 1 && alarm.statistic == "Sum" && alarm.threshold == (startswith(name, "sweeper-") ? 2 : 0)])
    error_message = "a failure of a function that is seldom called is heard of; the sweeper may fail twice in five minutes"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.http.period == 300 && aws_cloudwatch_metric_alarm.http.evaluation_periods == 1 && aws_cloudwatch_metric_alarm.http.threshold == 0
    error_message = "one delivery that was answered 5xx is heard of"
  }
}

run "from_a_bucket_without_reserves" {
  command = plan
  variables {
    packages            = { bucket = "releases", prefix = "v1/", architecture = "x86_64" }
    reserve_concurrency = false
  }
  assert {
    condition     = alltrue([for name, function in aws_lambda_function.this : function.s3_key == "v1/aws-${name}.zip" && function.filename == null && function.reserved_concurrent_executions == -1])
    error_message = "zips come from the bucket"
  }
}

run "refuses" {
  command = plan
  variables {
    packages = { architecture = "riscv" }
    worker   = { timeout_seconds = 1000 }
    secrets  = { "webhook-secret" = { arn = "a", reference = "b" }, "github-token" = { arn = "a", reference = "b" } }
  }
  expect_failures = [var.packages, var.worker, var.secrets]
}

run "refuses_a_prefix_without_a_slash_and_little_memory_and_nobody_to_write_as" {
  command = plan
  variables {
    packages = { prefix = "v1" }
    worker   = { memory_mib = 64 }
    secrets  = { "webhook-secret" = { arn = "a", reference = "b" }, "database" = { arn = "a", reference = "b" } }
  }
  expect_failures = [var.packages, var.worker, var.secrets]
}

run "refuses_one_worker" {
  command = plan
  variables {
    worker = { concurrency = 1 }
  }
  expect_failures = [var.worker]
}

run "refuses_long_windows" {
  command = plan
  variables {
    worker = { batch_window_seconds = 301 }
  }
  expect_failures = [var.worker]
}
