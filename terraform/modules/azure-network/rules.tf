# Only the apps, and database_clients, reach database and cache; nothing comes in from outside but what the environment's own front takes.
resource "azurerm_network_security_group" "data" {
  name                = "${var.name}-data"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

resource "azurerm_network_security_rule" "apps" {
  name                         = "apps"
  description                  = "The apps to PostgreSQL and Redis, and to what has a private endpoint"
  resource_group_name          = var.resource_group_name
  network_security_group_name  = azurerm_network_security_group.data.name
  direction                    = "Inbound"
  priority                     = 100
  access                       = "Allow"
  protocol                     = "Tcp"
  source_address_prefixes      = azurerm_subnet.apps.address_prefixes
  source_port_range            = "*"
  destination_address_prefixes = concat(azurerm_subnet.database.address_prefixes, azurerm_subnet.endpoints.address_prefixes)
  destination_port_ranges      = concat(["5432", "10000"], var.private_endpoints ? ["443"] : [])
}

# Who dumps or restores from elsewhere than the apps' subnet.
resource "azurerm_network_security_rule" "clients" {
  count = length(var.database_clients) == 0 ? 0 : 1

  name                         = "clients"
  description                  = "PostgreSQL from ${join(", ", keys(var.database_clients))}"
  resource_group_name          = var.resource_group_name
  network_security_group_name  = azurerm_network_security_group.data.name
  direction                    = "Inbound"
  priority                     = 120
  access                       = "Allow"
  protocol                     = "Tcp"
  source_address_prefixes      = values(var.database_clients)
  source_port_range            = "*"
  destination_address_prefixes = azurerm_subnet.database.address_prefixes
  destination_port_ranges      = ["5432"]
}

# The server and its standby talk to each other.
resource "azurerm_network_security_rule" "standby" {
  name                         = "standby"
  description                  = "The database to its standby"
  resource_group_name          = var.resource_group_name
  network_security_group_name  = azurerm_network_security_group.data.name
  direction                    = "Inbound"
  priority                     = 110
  access                       = "Allow"
  protocol                     = "Tcp"
  source_address_prefixes      = azurerm_subnet.database.address_prefixes
  source_port_range            = "*"
  destination_address_prefixes = azurerm_subnet.database.address_prefixes
  destination_port_ranges      = ["5432", "6432"]
}

resource "azurerm_network_security_rule" "nobody_else" {
  name                        = "nobody-else"
  description                 = "Nothing else, not even from this network"
  resource_group_name         = var.resource_group_name
  network_security_group_name = azurerm_network_security_group.data.name
  direction                   = "Inbound"
  priority                    = 4096
  access                      = "Deny"
  protocol                    = "*"
  source_address_prefix       = "*"
  source_port_range           = "*"
  destination_address_prefix  = "*"
  destination_port_range      = "*"
}

resource "azurerm_subnet_network_security_group_association" "data" {
  for_each = { database = azurerm_subnet.database.id, endpoints = azurerm_subnet.endpoints.id }

  subnet_id                 = each.value
  network_security_group_id = azurerm_network_security_group.data.id
}

# Container Apps' own front takes HTTPS, and HTTP to send it on to HTTPS; its load balancer asks whether it lives.
# https://learn.microsoft.com/azure/container-apps/firewall-integration
resource "azurerm_network_security_group" "apps" {
  name                = "${var.name}-apps"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

resource "azurerm_network_security_rule" "https" {
  name                         = "https"
  description                  = "GitHub's webhooks and the API"
  resource_group_name          = var.resource_group_name
  network_security_group_name  = azurerm_network_security_group.apps.name
  direction                    = "Inbound"
  priority                     = 100
  access                       = "Allow"
  protocol                     = "Tcp"
  source_address_prefix        = "Internet"
  source_port_range            = "*"
  destination_address_prefixes = azurerm_subnet.apps.address_prefixes
  destination_port_ranges      = ["443", "31443"]
}

resource "azurerm_subnet_network_security_group_association" "apps" {
  subnet_id                 = azurerm_subnet.apps.id
  network_security_group_id = azurerm_network_security_group.apps.id
}
