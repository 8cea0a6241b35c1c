resource "azurerm_monitor_action_group" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  short_name          = substr(replace(var.name, "-", ""), 0, 12)
  tags                = var.tags

  dynamic "email_receiver" {
    for_each = var.emails

    content {
      name                    = email_receiver.key
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }

  dynamic "webhook_receiver" {
    for_each = var.webhooks

    content {
      name                    = webhook_receiver.key
      service_uri             = webhook_receiver.value
      use_common_alert_schema = true
    }
  }
}

# Storage counts messages once a day, so what counts is that one was put there.
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "dead_letters" {
  name                 = "${var.name}-dead-letters"
  resource_group_name  = var.resource_group_name
  location             = var.location
  display_name         = "${var.name}: dead letters"
  description          = "A message could not be delivered: the database was away for long, or there is a bug. Read the app's log, then put it back from the queue ${var.poison}."
  severity             = 1
  scopes               = [var.workspace_id]
  evaluation_frequency = "PT5M"
  window_duration      = "PT15M"
  # The table is there once something was written to it.
  skip_query_validation = true
  tags                  = var.tags

  criteria {
    query                   = <<-EOT
      StorageQueueLogs
      | where AccountName == "${var.storage_account}"
      | where OperationName == "PutMessage" and StatusCode == "201"
      | where Uri has "/${var.poison}/messages"
    EOT
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }

  action {
    action_groups = [azurerm_monitor_action_group.this.id]
  }
}

# Storage tells no message's age. The engine does, in the metric autopr_queue_oldest_message_age_seconds, and an app whose queue
# stands still shows it by what it logs.
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "errors" {
  count = var.app == null ? 0 : 1

  name                  = "${var.name}-errors"
  resource_group_name   = var.resource_group_name
  location              = var.location
  display_name          = "${var.name}: errors"
  description           = "The app logs errors: messages are not taken, or executions fail for other reasons than the pull requests'."
  severity              = 2
  scopes                = [var.workspace_id]
  evaluation_frequency  = "PT5M"
  window_duration       = "PT15M"
  skip_query_validation = true
  tags                  = var.tags

  criteria {
    query                   = <<-EOT
      ContainerAppConsoleLogs
      | where ContainerAppName == "${var.app.name}"
      | extend line = parse_json(Log)
      | where tostring(line.level) == "ERROR"
    EOT
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = var.errors
  }

  action {
    action_groups = [azurerm_monitor_action_group.this.id]
  }
}

# https://learn.microsoft.com/azure/container-apps/metrics
resource "azurerm_monitor_metric_alert" "restarts" {
  count = var.app == null ? 0 : 1

  name                = "${var.name}-restarts"
  resource_group_name = var.resource_group_name
  description         = "Replicas start again and again: a secret or the database is missing. Read the app's log."
  severity            = 1
  scopes              = [var.app.id]
  frequency           = "PT5M"
  window_size         = "PT15M"
  tags                = var.tags

  criteria {
    metric_namespace = "Microsoft.App/containerapps"
    metric_name      = "RestartCount"
    aggregation      = "Maximum"
    operator         = "GreaterThan"
    threshold        = 3
  }

  action {
    action_group_id = azurerm_monitor_action_group.this.id
  }
}

resource "azurerm_monitor_metric_alert" "storage" {
  name                = "${var.name}-database-storage"
  resource_group_name = var.resource_group_name
  description         = "The database's disk is nearly full. It grows by itself, unless it may not any more."
  severity            = 2
  scopes              = [var.database_id]
  frequency           = "PT15M"
  window_size         = "PT1H"
  tags                = var.tags

  criteria {
    metric_namespace = "Microsoft.DBforPostgreSQL/flexibleServers"
    metric_name      = "storage_percent"
    aggregation      = "Average"
    operator         = "GreaterThan"
    threshold        = 85
  }

  action {
    action_group_id = azurerm_monitor_action_group.this.id
  }
}
