mock_provider "azurerm" {}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  name                = "autopr-prod"
}

run "by_default" {
  assert {
    condition     = azurerm_log_analytics_workspace.this.local_authentication_enabled == false
    error_message = "the workspace's keys, which are in the state, open it"
  }
  assert {
    condition     = azurerm_log_analytics_workspace.this.retention_in_days == 30 && azurerm_log_analytics_workspace.this.daily_quota_gb == 5
    error_message = "logs are kept for another time, or without a limit of their cost"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    retention_days = 7
    daily_gib      = 0
  }
  expect_failures = [var.retention_days, var.daily_gib]
}
