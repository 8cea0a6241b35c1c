# PostgreSQL in the network, without a public address, with a standby in another zone.
resource "azurerm_postgresql_flexible_server" "this" {
  #checkov:skip=CKV_AZURE_136: copies of backups in another region are a choice (geo_redundant_backups), because law or price may forbid them
  #checkov:skip=CKV2_AZURE_57: it is in a subnet of its own instead, which can't be combined with a private endpoint
  name                          = var.server_name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  version                       = tostring(var.postgres_version)
  sku_name                      = var.sku
  storage_mb                    = var.storage_gib * 1024
  auto_grow_enabled             = true
  zone                          = "1"
  delegated_subnet_id           = var.subnet_id
  private_dns_zone_id           = var.dns_zone_id
  public_network_access_enabled = false
  # Any moment of these days can be restored. https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-backup-restore
  backup_retention_days             = var.backup_days
  geo_redundant_backup_enabled      = var.geo_redundant_backups
  administrator_login               = var.username
  administrator_password_wo         = ephemeral.random_password.this.result
  administrator_password_wo_version = var.password_version
  tags                              = var.tags

  authentication {
    password_auth_enabled         = true
    active_directory_auth_enabled = false
  }

  dynamic "high_availability" {
    for_each = var.standby ? [1] : []

    content {
      mode                      = "ZoneRedundant"
      standby_availability_zone = "2"
    }
  }

  dynamic "customer_managed_key" {
    for_each = var.key == null ? [] : [var.key]

    content {
      key_vault_key_id                  = customer_managed_key.value.key_vault_key_id
      primary_user_assigned_identity_id = customer_managed_key.value.identity_id
    }
  }

  dynamic "identity" {
    for_each = var.key == null ? [] : [var.key]

    content {
      type         = "UserAssigned"
      identity_ids = [identity.value.identity_id]
    }
  }

  maintenance_window {
    day_of_week  = 0
    start_hour   = 4
    start_minute = 0
  }

  lifecycle {
    # A failover swaps the zones; putting them back would be another one.
    ignore_changes = [zone, high_availability[0].standby_availability_zone]
  }
}

# A lock that takes a person to remove: Azure's server has no protection of its own.
resource "azurerm_management_lock" "this" {
  count = var.deletion_protection ? 1 : 0

  name       = "keep"
  scope      = azurerm_postgresql_flexible_server.this.id
  lock_level = "CanNotDelete"
  notes      = "The engine's database. Set database.deletion_protection to false first."
}

resource "azurerm_postgresql_flexible_server_configuration" "this" {
  for_each = merge(
    {
      require_secure_transport            = "ON"
      ssl_min_protocol_version            = "TLSv1.2"
      log_checkpoints                     = "ON"
      log_connections                     = "ON"
      log_disconnections                  = "ON"
      "connection_throttle.enable"        = "ON"
      idle_in_transaction_session_timeout = "30000"
    },
    var.max_connections == null ? {} : { max_connections = tostring(var.max_connections) },
  )

  name      = each.key
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = each.value
}

resource "azurerm_postgresql_flexible_server_database" "this" {
  name      = var.database
  server_id = azurerm_postgresql_flexible_server.this.id
  charset   = "UTF8"
  collation = "en_US.utf8"
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  name                       = "logs"
  target_resource_id         = azurerm_postgresql_flexible_server.this.id
  log_analytics_workspace_id = var.workspace_id

  enabled_log {
    category = "PostgreSQLLogs"
  }
}
