locals {
  # What people fill, by the environment variable that gets it.
  people = merge(
    { GITHUB_WEBHOOK_SECRET = "webhook-secret" },
    var.github.use_token ? { GITHUB_TOKEN = "github-token" } : { GITHUB_APP_PRIVATE_KEY = "github-app-key" },
    var.secrets.api_keys ? { AUTOPR_API_KEYS = "api-keys" } : {},
    { for provider in var.llm.providers : "${upper(replace(provider, "-", "_"))}_API_KEY" => "${provider}-api-key" },
  )

  # What modules fill.
  made = concat(["database", "database-ca"], var.cache.enabled ? ["redis", "redis-ca"] : [])
}

module "secrets" {
  source = "../../modules/gcp-secrets"

  project_id    = local.project_id
  region        = var.region
  name          = local.name
  purposes      = setunion(values(local.people), local.made)
  recovery_days = var.secrets.recovery_days
  kms_key       = module.key.kms_key
}
