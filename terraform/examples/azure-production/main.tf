# The sizes of the deployment guide: a database and a Redis with a copy in another zone, one to ten replicas in all zones, a key
# of your own for all that is kept, images of a registry of your own, and alarms that reach somebody.
provider "azurerm" {
  features {}
  # Storage accounts of the stack refuse their keys.
  storage_use_azuread = true
}

module "autopr" {
  source = "../../stacks/azure"

  location      = "westeurope"
  tags          = { app = "autopr", environment = "production" }
  image         = var.version_tag == "" ? null : "${var.registry.server}/azure-app:${var.version_tag}"
  migrate_image = var.version_tag == "" ? null : "${var.registry.server}/autopr:${var.version_tag}"
  registry      = var.registry
  key           = var.key
  network       = { operator_addresses = var.operator_addresses }
  github        = { app_id = 123456 }
  llm           = { providers = ["openai", "anthropic", "mistral"] }
  database      = { version = 16, sku = "GP_Standard_D4ds_v5", storage_gib = 128, geo_redundant_backups = false }
  service       = { min = 2 }
  alarms        = { emails = { on-call = "on-call@example.com" } }
  logs          = { retention_days = 90 }
}
