output "apps_subnet" {
  description = "Subnet of the apps."
  value       = azurerm_subnet.apps.id
  depends_on  = [azurerm_subnet_network_security_group_association.apps]
}

output "database_subnet" {
  description = "Subnet of the database."
  value       = azurerm_subnet.database.id
  depends_on  = [azurerm_subnet_network_security_group_association.data]
}

output "endpoints_subnet" {
  description = "Subnet of private endpoints."
  value       = azurerm_subnet.endpoints.id
  depends_on  = [azurerm_subnet_network_security_group_association.data]
}

output "dns_zones" {
  description = "Private zones of `database` and `cache`, and with private endpoints of `vault` and `queue`, once the network knows them."
  value       = { for purpose, zone in azurerm_private_dns_zone.this : purpose => zone.id }
  depends_on  = [azurerm_private_dns_zone_virtual_network_link.this]
}
