mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  github = { app_id = "12345" }
}

run "lambda_by_default" {
  # what comes after finds the same outputs as in the other clouds
  assert {
    condition     = output.webhook_url == "https://mock.execute-api.us-east-1.amazonaws.com/webhooks/github" && output.api_url == "https://mock.execute-api.us-east-1.amazonaws.com"
    error_message = "GitHub is given the HTTP API's address"
  }
  assert {
    condition     = output.queue == module.queue[0].url && output.database_secret == "aws-sm://autopr/prod/database" && output.database_server == "db.example.internal"
    error_message = "queue and database's secret are told by reference"
  }
  # secrets: the guide's names, empty where only people know the value
  assert {
    condition     = toset(keys(module.secrets.secrets)) == toset(["webhook-secret", "github-app-key", "api-keys", "openai-api-key"])
    error_message = "there is a secret for each value that only people know"
  }
  assert {
    condition     = module.secrets.secrets["openai-api-key"].reference == "aws-sm://autopr/prod/openai-api-key"
    error_message = "secrets have the guide's names"
  }
  # the webhook's role can't read the App's or a model's key
  assert {
    condition     = module.functions[0].readable_secrets.webhook == ["webhook-secret"]
    error_message = "the webhook's function reads its own secret only"
  }
  assert {
    condition     = toset(module.functions[0].readable_secrets.worker) == toset(["database", "redis", "github-app-key", "openai-api-key"])
    error_message = "the worker reads what it works with, and neither the webhook's secret nor the API's keys"
  }
  assert {
    condition     = module.functions[0].variables.worker["DATABASE_URL"] == "aws-sm://autopr/prod/database" && module.functions[0].variables.worker["DATABASE_POOLER"] == "rds-proxy"
    error_message = "the worker reaches the database by the proxy, and knows that it does"
  }
  assert {
    condition     = length(module.service) == 0 && module.database.pooler == "rds-proxy"
    error_message = "functions share connections by RDS Proxy, and there is no service"
  }
}

run "staging_with_a_token_and_no_models_or_cache" {
  command = plan
  variables {
    environment = "staging"
    github      = { use_token = true }
    llm         = { providers = [] }
    cache       = { enabled = false }
    network     = { endpoints = [], nat = "single" }
    key         = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111" }
  }
  assert {
    condition     = toset(module.functions[0].readable_secrets.worker) == toset(["database", "github-token"]) && output.database_secret == "aws-sm://autopr/staging/database"
    error_message = "what there is not is not read"
  }
  assert {
    condition     = length(module.key) == 0 && length(module.cache) == 0
    error_message = "a key of the operator's takes the place of ours"
  }
}

run "ecs" {
  command = plan
  variables {
    runtime = "ecs"
    image   = "123456789012.dkr.ecr.us-east-1.amazonaws.com/autopr:1.0.0"
    service = {
      domain          = "autopr.example.com"
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
    }
  }
  assert {
    condition     = output.webhook_url == "https://autopr.example.com/webhooks/github" && output.api_url == "https://autopr.example.com" && output.queue == "store" && output.database_secret == "aws-sm://autopr/prod/database"
    error_message = "the outputs are the same, with the database as the queue"
  }
  assert {
    condition     = length(module.functions) == 0 && length(module.queue) == 0
    error_message = "there are no functions and no queue"
  }
}

run "refuses" {
  command = plan
  variables {
    name        = "AutoPR"
    environment = "prod"
    runtime     = "ec2"
    github      = { app_id = "12345", use_token = true }
    llm         = { providers = ["skynet"], default_provider = "skynet" }
    settings    = { OPENAI_API_KEY = "no" }
    logs        = { level = "loud" }
    alarms      = { topic_arns = ["me@example.com"] }
    key         = { arn = "alias/mine" }
  }
  expect_failures = [var.name, var.environment, var.runtime, var.github, var.llm, var.settings, var.logs, var.alarms, var.key]
}

run "refuses_more" {
  command = plan
  variables {
    name    = "autopr-production-in-the-west"
    runtime = "ecs"
    github  = { app_id = "my-app" }
    llm     = { providers = ["anthropic"] }
    logs    = { retention_days = 31 }
  }
  expect_failures = [var.name, var.image, var.service, var.github, var.llm, var.logs]
}

run "refuses_azure_without_its_address_and_nobody_to_write_as" {
  command = plan
  variables {
    github = {}
    llm    = { providers = ["azure-openai"], default_provider = "azure-openai" }
  }
  expect_failures = [var.github, var.llm]
}
