# A network of the engine's own: one subnet for the apps, one that belongs to the database, one for private endpoints.
resource "azurerm_virtual_network" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  address_space       = [var.cidr]
  tags                = var.tags
}

# An environment with workload profiles takes at least a /27; this is a /24 of the default's /16, for replicas that are replaced.
# https://learn.microsoft.com/azure/container-apps/custom-virtual-networks#subnet
resource "azurerm_subnet" "apps" {
  name                 = "apps"
  resource_group_name  = var.resource_group_name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [cidrsubnet(var.cidr, 8, 0)]

  # The firewalls of vault and storage account know the apps by these.
  service_endpoints = ["Microsoft.KeyVault", "Microsoft.Storage"]

  delegation {
    name = "apps"

    service_delegation {
      name    = "Microsoft.App/environments"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_subnet" "database" {
  name                            = "database"
  resource_group_name             = var.resource_group_name
  virtual_network_name            = azurerm_virtual_network.this.name
  address_prefixes                = [cidrsubnet(var.cidr, 8, 1)]
  default_outbound_access_enabled = false

  # Backups and the log of changes go to a storage account of the service.
  # https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-networking-private#virtual-network-concepts
  service_endpoints = ["Microsoft.Storage"]

  delegation {
    name = "database"

    service_delegation {
      name    = "Microsoft.DBforPostgreSQL/flexibleServers"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_subnet" "endpoints" {
  name                              = "endpoints"
  resource_group_name               = var.resource_group_name
  virtual_network_name              = azurerm_virtual_network.this.name
  address_prefixes                  = [cidrsubnet(var.cidr, 8, 2)]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "Enabled"
}
