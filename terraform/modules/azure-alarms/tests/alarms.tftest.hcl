mock_provider "azurerm" {}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  name                = "autopr-prod"
  workspace_id        = "/subscriptions/s/workspaces/w"
  storage_account     = "autoprprodabcde"
  poison              = "autopr-messages-poison"
  database_id         = "/subscriptions/s/flexibleServers/d"
  app                 = { id = "/subscriptions/s/containerApps/autopr-prod", name = "autopr-prod" }
  emails              = { on-call = "on-call@example.com" }
}

run "by_default" {
  # one dead letter is told of
  assert {
    condition     = strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.dead_letters.criteria[0].query, "Uri has \"/autopr-messages-poison/messages\"") && strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.dead_letters.criteria[0].query, "AccountName == \"autoprprodabcde\"") && azurerm_monitor_scheduled_query_rules_alert_v2.dead_letters.criteria[0].threshold == 0 && azurerm_monitor_scheduled_query_rules_alert_v2.dead_letters.criteria[0].operator == "GreaterThan"
    error_message = "a dead letter is told to nobody"
  }
  # somebody hears of each
  assert {
    condition     = alltrue([for rule in [azurerm_monitor_scheduled_query_rules_alert_v2.dead_letters, azurerm_monitor_scheduled_query_rules_alert_v2.errors[0]] : rule.action[0].action_groups == tolist([azurerm_monitor_action_group.this.id])])
    error_message = "an alarm of the logs is told to nobody"
  }
  assert {
    condition     = alltrue([for rule in [azurerm_monitor_metric_alert.restarts[0], azurerm_monitor_metric_alert.storage] : one([for action in rule.action : action.action_group_id]) == azurerm_monitor_action_group.this.id])
    error_message = "an alarm of a metric is told to nobody"
  }
  assert {
    condition     = azurerm_monitor_action_group.this.email_receiver[0].email_address == "on-call@example.com" && length(azurerm_monitor_action_group.this.short_name) <= 12
    error_message = "nobody gets mail"
  }
}

run "before_there_is_an_app" {
  variables { app = null }
  assert {
    condition     = length(azurerm_monitor_metric_alert.restarts) == 0 && length(azurerm_monitor_scheduled_query_rules_alert_v2.errors) == 0
    error_message = "an alarm watches what there is not"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    errors   = -1
    emails   = { a = "on-call" }
    webhooks = { a = "http://example.com" }
  }
  expect_failures = [var.errors, var.emails, var.webhooks]
}
