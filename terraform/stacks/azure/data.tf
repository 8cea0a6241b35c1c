module "database" {
  source = "../../modules/azure-database"

  resource_group_name   = azurerm_resource_group.this.name
  location              = azurerm_resource_group.this.location
  tags                  = var.tags
  server_name           = "${local.name}-${local.unique}"
  subnet_id             = module.network.database_subnet
  dns_zone_id           = module.network.dns_zones["database"]
  vault_id              = module.vault.id
  workspace_id          = module.logs.id
  postgres_version      = var.database.version
  sku                   = var.database.sku
  storage_gib           = var.database.storage_gib
  standby               = var.database.standby
  backup_days           = var.database.backup_days
  geo_redundant_backups = var.database.geo_redundant_backups
  max_connections       = var.database.max_connections
  password_version      = var.database.password_version
  deletion_protection   = var.database.deletion_protection
  key                   = var.key
}

module "cache" {
  source = "../../modules/azure-cache"
  count  = var.cache.enabled ? 1 : 0

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  cache_name          = "${local.name}-${local.unique}"
  subnet_id           = module.network.endpoints_subnet
  dns_zone_id         = module.network.dns_zones["cache"]
  vault_id            = module.vault.id
  sku                 = var.cache.sku
  standby             = var.cache.standby
  secret_version      = var.cache.secret_version
  key                 = var.key
}

module "queue" {
  source = "../../modules/azure-queue"

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  account_name        = "${replace(local.name, "-", "")}${local.unique}"
  subnet_id           = module.network.apps_subnet
  private_endpoint    = var.network.private_endpoints ? { subnet_id = module.network.endpoints_subnet, dns_zone_id = module.network.dns_zones["queue"] } : null
  operator_addresses  = var.network.operator_addresses
  workspace_id        = module.logs.id
  replication         = var.queue.replication
  key                 = var.key
}
