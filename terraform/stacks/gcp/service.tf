locals {
  # Where the servers' authorities are found.
  files = merge(
    { database-ca = module.database.ca },
    { for cache in module.cache : "redis-ca" => cache.ca },
  )
}

module "service" {
  source = "../../modules/gcp-service"
  count  = var.image == null ? 0 : 1

  project_id          = local.project_id
  region              = var.region
  name                = local.name
  image               = var.image
  network             = { network = module.network.network, subnet = module.network.subnet, egress = module.network.egress }
  scaling             = { min = var.service.min, max = var.service.max }
  cpu                 = var.service.cpu
  memory              = var.service.memory
  cpu_always          = var.service.cpu_always
  concurrency         = var.service.requests
  timeout_seconds     = var.worker.timeout_seconds
  kms_key             = module.key.kms_key
  deletion_protection = var.service.deletion_protection

  files              = local.files
  secrets_generation = "${var.secrets.generation}-${var.database.password_version}-${var.cache.secret_version}"

  secrets = merge(
    { for variable, purpose in local.people : variable => module.secrets.ids[purpose] },
    { DATABASE_URL = module.database.secret },
    { for cache in module.cache : "REDIS_URL" => cache.secret },
  )

  environment = merge(
    {
      AUTOPR_ENV                  = var.environment
      AUTOPR_LOG_LEVEL            = var.logs.level
      AUTOPR_QUEUE_URL            = module.queue.topic
      AUTOPR_PUSH_AUDIENCE        = local.audience
      AUTOPR_PUSH_SERVICE_ACCOUNT = module.queue.caller
      AUTOPR_PUSH_TIMEOUT         = tostring(var.worker.timeout_seconds)
      DEFAULT_LLM_PROVIDER        = replace(var.llm.default_provider, "-", "_")
      MAX_CONCURRENT_WORKFLOWS    = tostring(var.worker.concurrency)
    },
    var.github.app_id == null ? {} : { GITHUB_APP_ID = tostring(var.github.app_id) },
    contains(var.llm.providers, "azure-openai") ? {
      AZURE_OPENAI_ENDPOINT   = var.llm.azure_endpoint
      AZURE_OPENAI_DEPLOYMENT = var.llm.azure_deployment
    } : {},
    var.variables,
  )
}

module "sweeper" {
  source = "../../modules/gcp-sweeper"
  count  = var.image == null ? 0 : 1

  project_id      = local.project_id
  region          = var.region
  name            = local.name
  schedule        = var.worker.schedule
  endpoint        = "${module.service[0].url}/sweep"
  service_account = module.queue.caller
  audience        = local.audience
}

module "migrate" {
  source = "../../modules/gcp-job"
  count  = var.migrate_image == null ? 0 : 1

  project_id  = local.project_id
  region      = var.region
  name        = "${local.name}-migrate"
  image       = var.migrate_image
  network     = { network = module.network.network, subnet = module.network.subnet }
  secrets     = { DATABASE_URL = module.database.secret }
  files       = { database-ca = module.database.ca }
  environment = { AUTOPR_LOG_LEVEL = var.logs.level }
  kms_key     = module.key.kms_key
}
