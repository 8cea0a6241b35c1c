resource "azurerm_log_analytics_workspace" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  sku                 = "PerGB2018"
  retention_in_days   = var.retention_days
  daily_quota_gb      = var.daily_gib
  tags                = var.tags

  # What writes here has an identity. The workspace's keys, which the state holds, so open nothing.
  local_authentication_enabled = false
}
