data "aws_partition" "current" {}

locals {
  # The environment variable of each secret that the settings know.
  secret_variables = {
    "webhook-secret"       = "GITHUB_WEBHOOK_SECRET"
    "database"             = "DATABASE_URL"
    "redis"                = "REDIS_URL"
    "github-app-key"       = "GITHUB_APP_PRIVATE_KEY"
    "github-token"         = "GITHUB_TOKEN"
    "api-keys"             = "AUTOPR_API_KEYS"
    "openai-api-key"       = "OPENAI_API_KEY"
    "anthropic-api-key"    = "ANTHROPIC_API_KEY"
    "mistral-api-key"      = "MISTRAL_API_KEY"
    "gemini-api-key"       = "GEMINI_API_KEY"
    "azure-openai-api-key" = "AZURE_OPENAI_API_KEY"
  }
  github = ["github-app-key", "github-token"]
  models = [for name in keys(local.secret_variables) : name if endswith(name, "-api-key")]

  send = ["sqs:SendMessage"]

  # What differs between the functions. A role reads exactly the secrets that its function's variables name.
  functions = {
    webhook = {
      description = "Verifies a webhook, puts it on the queue and answers GitHub"
      timeout     = 10
      memory      = 256
      concurrency = 50
      queue       = local.send
      secrets     = ["webhook-secret"]
      settings    = []
      # It talks to SQS and Secrets Manager only, over TLS, and must start quickly.
      subnet_ids = null
    }
    worker = {
      description = "Runs the executions of a batch of messages at once"
      timeout     = var.worker.timeout_seconds
      memory      = var.worker.memory_mib
      concurrency = var.worker.concurrency
      queue       = concat(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"], local.send)
      secrets     = concat(["database", "redis"], local.github, local.models)
      settings    = ["DATABASE_POOLER", "GITHUB_APP_ID", "DEFAULT_LLM_PROVIDER", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT", "WORKFLOW_TIMEOUT", "MAX_CONCURRENT_WORKFLOWS"]
      subnet_ids  = var.network.subnet_ids
    }
    sweeper = {
      description = "Queues again what nobody is at, asks GitHub for missed webhooks, removes what is old"
      timeout     = 55
      memory      = 256
      concurrency = 1
      queue       = local.send
      secrets     = concat(["database", "redis"], local.github)
      settings    = ["DATABASE_POOLER", "GITHUB_APP_ID"]
      subnet_ids  = var.network.subnet_ids
    }
    api = {
      description = "Answers the API and shows the dashboard"
      timeout     = 29
      memory      = 256
      concurrency = 10
      queue       = local.send
      secrets     = ["database", "redis", "api-keys"]
      settings    = ["DATABASE_POOLER"]
      subnet_ids  = var.network.api_subnet_ids
    }
  }

  secrets = { for function, about in local.functions : function => [for name in about.secrets : name if contains(keys(var.secrets), name)] }

  zips = { for function in keys(local.functions) : function => "${var.packages.directory}/aws-${function}.zip" }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116: invoked by the HTTP API, which is told of a failure at once, by the queue, which has dead letters, or each minute
  #checkov:skip=CKV_AWS_117: all but the webhook's are in the VPC; that one uses neither database nor cache and must start quickly
  #checkov:skip=CKV_AWS_115: reserved unless the account has too little (reserve_concurrency)
  #checkov:skip=CKV_AWS_272: signing is for who publishes the zips; whoever applies this has built them
  #checkov:skip=CKV_AWS_173: encrypted with the key; nothing here is secret besides
  for_each      = local.functions
  function_name = "${var.name}-${each.key}"
  description   = each.value.description
  role          = aws_iam_role.this[each.key].arn

  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.packages.architecture]
  timeout       = each.value.timeout
  memory_size   = each.value.memory

  filename = var.packages.bucket == null ? local.zips[each.key] : null
  # A plan may be made before the zips are.
  source_code_hash = var.packages.bucket == null && fileexists(local.zips[each.key]) ? filebase64sha256(local.zips[each.key]) : null
  s3_bucket        = var.packages.bucket
  s3_key           = var.packages.bucket == null ? null : "${var.packages.prefix}aws-${each.key}.zip"

  reserved_concurrent_executions = var.reserve_concurrency ? each.value.concurrency : -1

  kms_key_arn = var.key_arn
  environment {
    variables = merge(
      { AUTOPR_ENV = var.environment, AUTOPR_LOG_LEVEL = var.logs.level, AUTOPR_QUEUE_URL = var.queue.url },
      { for name in each.value.settings : name => var.settings[name] if contains(keys(var.settings), name) },
      { for name in local.secrets[each.key] : local.secret_variables[name] => var.secrets[name].reference },
    )
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this[each.key].name
  }

  dynamic "vpc_config" {
    for_each = each.value.subnet_ids == null ? [] : [each.value.subnet_ids]
    content {
      subnet_ids         = vpc_config.value
      security_group_ids = [aws_security_group.this.id]
    }
  }

  # It can't join the VPC or write its log before it may.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(concat(keys(local.functions), ["http"]))
  name              = "/autopr/${var.name}/${each.key}"
  retention_in_days = var.logs.retention_days #checkov:skip=CKV_AWS_338: how long logs are kept is the operator's choice
  kms_key_id        = var.key_arn
}

# It sends itself what it can't end in time. An execution's own limits end that, not Lambda's count of sixteen.
resource "aws_lambda_function_recursion_config" "worker" {
  function_name  = aws_lambda_function.this["worker"].function_name
  recursive_loop = "Allow"
}

resource "aws_lambda_event_source_mapping" "messages" {
  event_source_arn                   = var.queue.arn
  function_name                      = aws_lambda_function.this["worker"].arn
  batch_size                         = 10
  maximum_batching_window_in_seconds = var.worker.batch_window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.worker.concurrency
  }
}

# What the functions in the VPC may reach: HTTPS anywhere (GitHub, models, AWS), and database and cache.
resource "aws_security_group" "this" {
  name        = "${var.name}-functions"
  description = "Lambda functions"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-functions" }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = {
    https      = { port = 443, cidr = "0.0.0.0/0" }
    postgresql = { port = 5432, cidr = var.network.cidr }
    redis      = { port = 6379, cidr = var.network.cidr }
  }
  security_group_id = aws_security_group.this.id
  description       = each.key
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}
