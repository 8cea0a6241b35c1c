resource "azurerm_container_app" "this" {
  name                         = var.name
  resource_group_name          = var.resource_group_name
  container_app_environment_id = var.environment_id
  revision_mode                = "Single" # the new revision must be ready before the old one goes
  workload_profile_name        = "Consumption"
  max_inactive_revisions       = 10
  tags                         = var.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this.id]
  }

  # Values stay in the vault: only their addresses are part of the app, which looks for newer versions every half hour.
  # https://learn.microsoft.com/azure/container-apps/manage-secrets#reference-secret-from-key-vault
  dynamic "secret" {
    for_each = toset(values(var.secrets))

    content {
      name                = secret.value
      identity            = azurerm_user_assigned_identity.this.id
      key_vault_secret_id = "${var.vault.uri}secrets/${secret.value}"
    }
  }

  dynamic "registry" {
    for_each = var.registry == null ? [] : [var.registry]

    content {
      server   = registry.value.server
      identity = azurerm_user_assigned_identity.this.id
    }
  }

  # GitHub calls from outside and has no account here; the app checks signatures and keys itself.
  ingress {
    external_enabled           = true
    allow_insecure_connections = false
    target_port                = 8080
    transport                  = "auto"

    traffic_weight {
      latest_revision = true
      percentage      = 100
    }
  }

  template {
    min_replicas = var.scaling.min
    max_replicas = var.scaling.max

    # The app gives back what it can't end in ten seconds; the rest is for slow networks.
    termination_grace_period_seconds = 30

    container {
      name   = var.name
      image  = var.image
      cpu    = var.cpu
      memory = var.memory

      dynamic "env" {
        for_each = merge(var.environment, {
          AUTOPR_QUEUE_URL = var.queue.url
          AZURE_CLIENT_ID  = azurerm_user_assigned_identity.this.client_id
        })

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secrets

        content {
          name        = env.key
          secret_name = env.value
        }
      }

      startup_probe {
        transport               = "HTTP"
        path                    = "/api/health"
        port                    = 8080
        interval_seconds        = 2
        timeout                 = 2
        failure_count_threshold = 30
      }

      # Not /api/ready: a database that is away must not restart every replica.
      liveness_probe {
        transport               = "HTTP"
        path                    = "/api/health"
        port                    = 8080
        interval_seconds        = 10
        timeout                 = 5
        failure_count_threshold = 3
      }

      readiness_probe {
        transport               = "HTTP"
        path                    = "/api/ready"
        port                    = 8080
        interval_seconds        = 5
        timeout                 = 3
        failure_count_threshold = 3
      }
    }

    # As many replicas as the messages that wait need. https://keda.sh/docs/latest/scalers/azure-storage-queue/
    custom_scale_rule {
      name             = "queue"
      custom_rule_type = "azure-queue"
      identity_id      = azurerm_user_assigned_identity.this.id

      metadata = {
        accountName = var.queue.account
        queueName   = var.queue.name
        queueLength = tostring(var.scaling.messages)
        cloud       = "AzurePublicCloud"
      }
    }

    http_scale_rule {
      name                = "requests"
      concurrent_requests = tostring(var.scaling.requests)
    }

    # Upkeep is done by replicas. With none, what waits for its time would wait for the next webhook, so one is woken.
    # https://keda.sh/docs/latest/scalers/cron/
    dynamic "custom_scale_rule" {
      for_each = var.scaling.min == 0 ? [1] : []

      content {
        name             = "upkeep"
        custom_rule_type = "cron"

        metadata = {
          timezone        = "Etc/UTC"
          start           = "0,15,30,45 * * * *"
          end             = "3,18,33,48 * * * *"
          desiredReplicas = "1"
        }
      }
    }
  }

  # An app that may not read its secrets, use its queue or pull its image does not start.
  depends_on = [
    azurerm_role_assignment.image,
    azurerm_role_assignment.poison,
    azurerm_role_assignment.queue,
    azurerm_role_assignment.secrets,
  ]
}
