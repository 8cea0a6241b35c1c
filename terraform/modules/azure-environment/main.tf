# Where apps run: in the network, in all zones.
resource "azurerm_container_app_environment" "this" {
  name                     = var.name
  resource_group_name      = var.resource_group_name
  location                 = var.location
  infrastructure_subnet_id = var.subnet_id
  zone_redundancy_enabled  = var.zone_redundant
  logs_destination         = "azure-monitor" # by the setting below, which needs no key of the workspace
  tags                     = var.tags

  # Takes a front with a public address, because GitHub calls from outside.
  internal_load_balancer_enabled = false

  workload_profile {
    name                  = "Consumption"
    workload_profile_type = "Consumption"
  }

  lifecycle {
    # Azure makes the name up, and another one would be another environment.
    ignore_changes = [infrastructure_resource_group_name]
  }
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  name                       = "logs"
  target_resource_id         = azurerm_container_app_environment.this.id
  log_analytics_workspace_id = var.workspace_id

  enabled_log {
    category = "ContainerAppConsoleLogs"
  }

  enabled_log {
    category = "ContainerAppSystemLogs"
  }
}
