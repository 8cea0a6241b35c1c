mock_provider "azurerm" {}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  name                = "autopr-prod"
}

run "by_default" {
  # only the apps reach database and cache
  assert {
    condition     = toset(keys(azurerm_subnet_network_security_group_association.data)) == toset(["database", "endpoints"]) && alltrue([for association in azurerm_subnet_network_security_group_association.data : association.network_security_group_id == azurerm_network_security_group.data.id])
    error_message = "a subnet with data in it has no rules"
  }
  assert {
    condition     = azurerm_network_security_rule.nobody_else.access == "Deny" && azurerm_network_security_rule.nobody_else.source_address_prefix == "*" && azurerm_network_security_rule.nobody_else.network_security_group_name == azurerm_network_security_group.data.name
    error_message = "others than the apps reach database and cache"
  }
  assert {
    condition     = toset(azurerm_network_security_rule.apps.source_address_prefixes) == toset(["10.30.0.0/24"]) && toset(azurerm_network_security_rule.apps.destination_port_ranges) == toset(["5432", "10000"])
    error_message = "others than the apps reach database and cache, or on other ports"
  }
  assert {
    condition     = alltrue([for rule in [azurerm_network_security_rule.apps, azurerm_network_security_rule.standby] : rule.source_address_prefix == null && !contains(rule.source_address_prefixes, "Internet") && !contains(rule.source_address_prefixes, "*")])
    error_message = "the internet reaches the data"
  }
  assert {
    condition     = length(azurerm_network_security_rule.clients) == 0
    error_message = "somebody reaches the database whom nobody named"
  }
  # GitHub reaches the apps, by HTTPS
  assert {
    condition     = toset(azurerm_network_security_rule.https.destination_port_ranges) == toset(["443", "31443"]) && azurerm_network_security_rule.https.network_security_group_name == azurerm_network_security_group.apps.name
    error_message = "the apps take other than HTTPS from outside"
  }
  # subnets do not share addresses, and belong to whom they should
  assert {
    condition     = length(toset(concat(azurerm_subnet.apps.address_prefixes, azurerm_subnet.database.address_prefixes, azurerm_subnet.endpoints.address_prefixes))) == 3
    error_message = "two subnets have the same addresses"
  }
  assert {
    condition     = azurerm_subnet.database.delegation[0].service_delegation[0].name == "Microsoft.DBforPostgreSQL/flexibleServers" && azurerm_subnet.apps.delegation[0].service_delegation[0].name == "Microsoft.App/environments"
    error_message = "a service can't be put into its subnet"
  }
  # the firewalls of vault and queues know the apps' subnet
  assert {
    condition     = azurerm_subnet.apps.service_endpoints == toset(["Microsoft.KeyVault", "Microsoft.Storage"])
    error_message = "the apps can't reach vault and queues"
  }
  # names are known in this network
  assert {
    condition     = length(azurerm_private_dns_zone_virtual_network_link.this) == 2 && endswith(azurerm_private_dns_zone.this["database"].name, ".postgres.database.azure.com") && azurerm_private_dns_zone.this["cache"].name == "privatelink.redis.azure.net"
    error_message = "the apps don't find database and cache"
  }
}

run "who_dumps_and_private_endpoints" {
  variables {
    database_clients  = { backup = "10.31.0.0/24" }
    private_endpoints = true
  }
  assert {
    condition     = toset(azurerm_network_security_rule.clients[0].source_address_prefixes) == toset(["10.31.0.0/24"]) && toset(azurerm_network_security_rule.clients[0].destination_port_ranges) == toset(["5432"]) && toset(azurerm_network_security_rule.clients[0].destination_address_prefixes) == toset(azurerm_subnet.database.address_prefixes) && azurerm_network_security_rule.clients[0].priority < azurerm_network_security_rule.nobody_else.priority
    error_message = "who dumps does not reach the database, or reaches more"
  }
  assert {
    condition     = toset(azurerm_network_security_rule.apps.destination_port_ranges) == toset(["443", "5432", "10000"]) && output.dns_zones["vault"] != null && azurerm_private_dns_zone.this["vault"].name == "privatelink.vaultcore.azure.net" && azurerm_private_dns_zone.this["queue"].name == "privatelink.queue.core.windows.net" && length(azurerm_private_dns_zone_virtual_network_link.this) == 4
    error_message = "the apps don't find the private endpoints of vault and queues"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    cidr             = "10.0.0.0/24"
    database_clients = { everybody = "0.0.0.0/0" }
  }
  expect_failures = [var.cidr, var.database_clients]
}
