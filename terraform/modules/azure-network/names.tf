# Names that only this network knows, so that database and cache need no public ones; with private endpoints vault and queues have
# such names besides.
# https://learn.microsoft.com/azure/private-link/private-endpoint-dns
resource "azurerm_private_dns_zone" "this" {
  for_each = merge(
    {
      database = "${var.name}.private.postgres.database.azure.com"
      cache    = "privatelink.redis.azure.net"
    },
    var.private_endpoints ? {
      vault = "privatelink.vaultcore.azure.net"
      queue = "privatelink.queue.core.windows.net"
    } : {},
  )

  name                = each.value
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  for_each = azurerm_private_dns_zone.this

  name                  = "${var.name}-${each.key}"
  resource_group_name   = var.resource_group_name
  private_dns_zone_name = each.value.name
  virtual_network_id    = azurerm_virtual_network.this.id
  tags                  = var.tags
}
