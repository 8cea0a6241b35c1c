locals {
  lambda        = var.runtime == "lambda"
  key_arn       = coalesce(var.key.arn, one(module.key[*].arn))
  secret_prefix = "${var.name}/${var.environment == "production" ? "prod" : var.environment}"
  endpoints     = coalesce(var.network.endpoints, local.lambda ? ["secretsmanager", "sqs"] : ["secretsmanager", "logs", "ecr.api", "ecr.dkr"])

  # What only people know, and who needs it.
  empty_secrets = setunion(
    ["webhook-secret", var.github.use_token ? "github-token" : "github-app-key"],
    var.secrets.api_keys ? ["api-keys"] : [],
    [for provider in var.llm.providers : "${provider}-api-key"],
  )
  secrets = merge(
    module.secrets.secrets,
    { database = module.database.secret },
    { for cache in module.cache : "redis" => cache.secret },
  )

  settings = merge(
    { for name, value in {
      DATABASE_POOLER         = module.database.pooler
      DEFAULT_LLM_PROVIDER    = replace(var.llm.default_provider, "-", "_")
      GITHUB_APP_ID           = var.github.app_id
      AZURE_OPENAI_ENDPOINT   = var.llm.azure_endpoint
      AZURE_OPENAI_DEPLOYMENT = var.llm.azure_deployment
    } : name => value if value != null },
    var.settings,
  )

  # Whom database and cache let in.
  clients = local.lambda ? { functions = module.functions[0].security_group_id } : { service = module.service[0].security_group_id }
}

module "key" {
  source        = "../../modules/aws-key"
  count         = var.key.arn == null ? 1 : 0
  name          = var.name
  deletion_days = var.key.deletion_days
}

module "network" {
  source         = "../../modules/aws-network"
  name           = var.name
  cidr           = var.network.cidr
  zones          = var.network.zones
  nat            = var.network.nat
  endpoints      = local.endpoints
  key_arn        = local.key_arn
  retention_days = var.logs.retention_days
}

module "secrets" {
  source        = "../../modules/aws-secrets"
  prefix        = local.secret_prefix
  names         = local.empty_secrets
  key_arn       = local.key_arn
  recovery_days = var.secrets.recovery_days
}

module "database" {
  source         = "../../modules/aws-database"
  name           = var.name
  database       = var.database
  secret_name    = "${local.secret_prefix}/database"
  recovery_days  = var.secrets.recovery_days
  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.isolated_subnet_ids
  clients        = local.clients
  key_arn        = local.key_arn
  retention_days = var.logs.retention_days
  alarm_topics   = var.alarms.topic_arns
}

module "cache" {
  source        = "../../modules/aws-cache"
  count         = var.cache.enabled ? 1 : 0
  name          = var.name
  cache         = var.cache
  secret_name   = "${local.secret_prefix}/redis"
  recovery_days = var.secrets.recovery_days
  vpc_id        = module.network.vpc_id
  subnet_ids    = module.network.isolated_subnet_ids
  clients       = local.clients
  key_arn       = local.key_arn
  alarm_topics  = var.alarms.topic_arns
}

module "queue" {
  source                       = "../../modules/aws-queue"
  count                        = local.lambda ? 1 : 0
  name                         = var.name
  worker_timeout_seconds       = var.worker.timeout_seconds
  max_receives                 = var.queue.max_receives
  oldest_message_alarm_seconds = var.queue.oldest_message_alarm_seconds
  key_arn                      = local.key_arn
  alarm_topics                 = var.alarms.topic_arns
}

module "functions" {
  source              = "../../modules/aws-functions"
  count               = local.lambda ? 1 : 0
  name                = var.name
  environment         = var.environment
  packages            = var.packages
  worker              = var.worker
  reserve_concurrency = var.worker.reserve_concurrency
  settings            = local.settings
  secrets             = local.secrets
  queue               = { arn = module.queue[0].arn, url = module.queue[0].url }
  network = {
    vpc_id     = module.network.vpc_id
    cidr       = module.network.cidr
    subnet_ids = module.network.private_subnet_ids
    # The API talks to AWS, database and cache only: with endpoints it needs no way out.
    api_subnet_ids = length(setsubtract(["secretsmanager", "sqs"], local.endpoints)) == 0 ? module.network.isolated_subnet_ids : module.network.private_subnet_ids
  }
  key_arn      = local.key_arn
  logs         = var.logs
  alarm_topics = var.alarms.topic_arns
}

module "service" {
  source      = "../../modules/aws-service"
  count       = local.lambda ? 0 : 1
  name        = var.name
  environment = var.environment
  image       = var.image
  service     = var.service
  settings    = local.settings
  secrets     = local.secrets
  network = {
    vpc_id            = module.network.vpc_id
    cidr              = module.network.cidr
    public_subnet_ids = module.network.public_subnet_ids
    subnet_ids        = module.network.private_subnet_ids
  }
  key_arn      = local.key_arn
  logs         = var.logs
  alarm_topics = var.alarms.topic_arns
}
