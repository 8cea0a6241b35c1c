mock_provider "azurerm" {}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  name                = "autopr-prod"
  subnet_id           = "/subscriptions/s/subnets/apps"
  workspace_id        = "/subscriptions/s/workspaces/w"
}

run "by_default" {
  assert {
    condition     = azurerm_container_app_environment.this.infrastructure_subnet_id == var.subnet_id && azurerm_container_app_environment.this.zone_redundancy_enabled
    error_message = "apps are outside of the network, or go with their zone"
  }
  assert {
    condition     = azurerm_container_app_environment.this.logs_destination == "azure-monitor" && toset([for log in azurerm_monitor_diagnostic_setting.this.enabled_log : log.category]) == toset(["ContainerAppConsoleLogs", "ContainerAppSystemLogs"])
    error_message = "logs go nowhere, or with a key of the workspace"
  }
}
