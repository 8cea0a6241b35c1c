# Azure: a public app that takes webhooks and takes their messages from a queue, and what it needs. One program does all, so it
# has one identity; roles.tf of azure-service says what that may do.
locals {
  name = "${var.name}-${var.environment == "production" ? "prod" : var.environment}"

  # Some names nobody else in the world may have. The same subscription gets the same ones again.
  unique = substr(sha256("${data.azurerm_client_config.this.subscription_id}/${local.name}"), 0, 5)
}

data "azurerm_client_config" "this" {}

resource "azurerm_resource_group" "this" {
  name     = local.name
  location = var.location
  tags     = var.tags
}

module "network" {
  source = "../../modules/azure-network"

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  name                = local.name
  cidr                = var.network.cidr
  database_clients    = var.database.clients
  private_endpoints   = var.network.private_endpoints
}

module "logs" {
  source = "../../modules/azure-logs"

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  name                = local.name
  retention_days      = var.logs.retention_days
  daily_gib           = var.logs.daily_gib
}
