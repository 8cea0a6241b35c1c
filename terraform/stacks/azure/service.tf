module "environment" {
  source = "../../modules/azure-environment"

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  name                = local.name
  subnet_id           = module.network.apps_subnet
  workspace_id        = module.logs.id
  zone_redundant      = var.service.zone_redundant
}

module "service" {
  source = "../../modules/azure-service"
  count  = var.image == null ? 0 : 1

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  name                = local.name
  environment_id      = module.environment.id
  image               = var.image
  registry            = var.registry
  cpu                 = var.service.cpu
  memory              = var.service.memory
  vault               = { id = module.vault.id, uri = module.vault.uri }

  queue = {
    url       = module.queue.url
    account   = module.queue.account
    name      = module.queue.queue
    id        = module.queue.id
    poison_id = module.queue.poison_id
  }

  scaling = {
    min      = var.service.min
    max      = var.service.max
    messages = var.worker.messages_per_replica
    requests = var.service.requests
  }

  secrets = merge(
    local.people,
    { DATABASE_URL = module.database.secret },
    { for cache in module.cache : "REDIS_URL" => cache.secret },
  )

  environment = merge(
    {
      AUTOPR_ENV               = var.environment
      AUTOPR_LOG_LEVEL         = var.logs.level
      DEFAULT_LLM_PROVIDER     = replace(var.llm.default_provider, "-", "_")
      MAX_CONCURRENT_WORKFLOWS = tostring(var.worker.concurrency)
    },
    var.github.app_id == null ? {} : { GITHUB_APP_ID = tostring(var.github.app_id) },
    contains(var.llm.providers, "azure-openai") ? {
      AZURE_OPENAI_ENDPOINT   = var.llm.azure_endpoint
      AZURE_OPENAI_DEPLOYMENT = var.llm.azure_deployment
    } : {},
    var.variables,
  )
}

module "migrate" {
  source = "../../modules/azure-job"
  count  = var.migrate_image == null ? 0 : 1

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  name                = "${local.name}-migrate"
  environment_id      = module.environment.id
  image               = var.migrate_image
  registry            = var.registry
  vault               = { id = module.vault.id, uri = module.vault.uri }
  secrets             = { DATABASE_URL = module.database.secret }
  environment         = { AUTOPR_LOG_LEVEL = var.logs.level }
}

module "alarms" {
  source = "../../modules/azure-alarms"

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  name                = local.name
  workspace_id        = module.logs.id
  storage_account     = module.queue.account
  poison              = module.queue.poison
  database_id         = module.database.id
  app                 = one([for service in module.service : { id = service.id, name = service.name }])
  emails              = var.alarms.emails
  webhooks            = var.alarms.webhooks
}
