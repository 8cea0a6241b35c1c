module "database" {
  source = "../../modules/gcp-database"

  project_id          = local.project_id
  region              = var.region
  name                = local.name
  network             = module.network.services_network
  network_range       = module.network.services_range
  secret              = module.secrets.ids["database"]
  ca_secret           = module.secrets.ids["database-ca"]
  postgres_version    = "POSTGRES_${var.database.version}"
  tier                = var.database.tier
  disk_size_gb        = var.database.disk_gb
  high_availability   = var.database.standby
  max_connections     = var.database.max_connections
  backup              = { retained = var.database.backups, log_days = var.database.log_days, location = var.database.backup_location }
  password_version    = var.database.password_version
  kms_key             = module.key.kms_key
  deletion_protection = var.database.deletion_protection
}

module "cache" {
  source = "../../modules/gcp-cache"
  count  = var.cache.enabled ? 1 : 0

  project_id        = local.project_id
  region            = var.region
  name              = local.name
  network           = module.network.services_network
  network_range     = module.network.services_range
  secret            = module.secrets.ids["redis"]
  ca_secret         = module.secrets.ids["redis-ca"]
  memory_gb         = var.cache.memory_gb
  redis_version     = "REDIS_${var.cache.version}"
  high_availability = var.cache.standby
  secret_version    = var.cache.secret_version
  kms_key           = module.key.kms_key
}

module "queue" {
  source = "../../modules/gcp-queue"

  project_id      = local.project_id
  project_number  = data.google_project.this.number
  region          = var.region
  name            = local.name
  publishers      = { for service in module.service : "service" => service.service_account }
  max_receives    = var.queue.max_receives
  backoff_seconds = { min = var.queue.min_backoff_seconds, max = var.queue.max_backoff_seconds }
  kms_key         = module.key.kms_key

  push = one([for service in module.service : {
    endpoint = "${service.url}/pubsub/push"
    audience = local.audience
  }])
}

module "alarms" {
  source = "../../modules/gcp-alarms"

  project_id                   = local.project_id
  name                         = local.name
  queue                        = module.queue.subscription
  dead_letters                 = module.queue.dead_letters
  oldest_message_alarm_seconds = var.queue.oldest_message_alarm_seconds
  notification_channels        = var.alarms.notification_channels
}
