mock_provider "azurerm" {
  source = "../../mocks/azure"
}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  server_name         = "autopr-prod-abcde"
  subnet_id           = "/subscriptions/s/subnets/database"
  dns_zone_id         = "/subscriptions/s/privateDnsZones/z"
  vault_id            = "/subscriptions/s/vaults/v"
  workspace_id        = "/subscriptions/s/workspaces/w"
}

run "by_default" {
  # inside the network, encrypted on the way
  assert {
    condition     = azurerm_postgresql_flexible_server.this.public_network_access_enabled == false && azurerm_postgresql_flexible_server.this.delegated_subnet_id == var.subnet_id && azurerm_postgresql_flexible_server.this.private_dns_zone_id == var.dns_zone_id
    error_message = "the database can be reached from the internet"
  }
  assert {
    condition     = azurerm_postgresql_flexible_server_configuration.this["require_secure_transport"].value == "ON" && azurerm_postgresql_flexible_server_configuration.this["ssl_min_protocol_version"].value == "TLSv1.2"
    error_message = "the database takes connections in the clear"
  }
  # a zone may fail, and any moment of thirty days comes back
  assert {
    condition     = azurerm_postgresql_flexible_server.this.high_availability[0].mode == "ZoneRedundant" && azurerm_postgresql_flexible_server.this.high_availability[0].standby_availability_zone != azurerm_postgresql_flexible_server.this.zone
    error_message = "the database goes with its zone"
  }
  assert {
    condition     = azurerm_postgresql_flexible_server.this.backup_retention_days == 30 && azurerm_postgresql_flexible_server.this.version == "15"
    error_message = "backups are kept for another time, or the server is another"
  }
  assert {
    condition     = azurerm_management_lock.this[0].lock_level == "CanNotDelete" && azurerm_management_lock.this[0].scope == azurerm_postgresql_flexible_server.this.id
    error_message = "the database can be deleted by mistake"
  }
  # the password is nowhere but in server and vault
  assert {
    condition     = azurerm_postgresql_flexible_server.this.administrator_password == null && azurerm_postgresql_flexible_server.this.administrator_password_wo == null && azurerm_postgresql_flexible_server.this.administrator_password_wo_version == 1
    error_message = "the state holds the password"
  }
  assert {
    condition     = azurerm_key_vault_secret.url.value == null && azurerm_key_vault_secret.url.value_wo == null && azurerm_key_vault_secret.url.key_vault_id == var.vault_id && output.secret == "database"
    error_message = "the state holds the database's address with its password"
  }
  # the log is kept
  assert {
    condition     = azurerm_monitor_diagnostic_setting.this.target_resource_id == azurerm_postgresql_flexible_server.this.id
    error_message = "nobody hears of the database"
  }
}

run "choices" {
  variables {
    password_version    = 2
    standby             = false
    sku                 = "B_Standard_B1ms"
    deletion_protection = false
    max_connections     = 100
    key                 = { key_vault_key_id = "https://v.vault.azure.net/keys/k", identity_id = "/subscriptions/s/identities/i" }
  }
  assert {
    condition     = azurerm_postgresql_flexible_server.this.administrator_password_wo_version == 2 && azurerm_key_vault_secret.url.value_wo_version == 2
    error_message = "server and secret would have different passwords"
  }
  assert {
    condition     = azurerm_postgresql_flexible_server.this.customer_managed_key[0].key_vault_key_id == var.key.key_vault_key_id && azurerm_postgresql_flexible_server.this.identity[0].identity_ids == toset([var.key.identity_id])
    error_message = "the disk is not encrypted with the customer's key"
  }
  assert {
    condition     = length(azurerm_postgresql_flexible_server.this.high_availability) == 0 && length(azurerm_management_lock.this) == 0 && azurerm_postgresql_flexible_server_configuration.this["max_connections"].value == "100"
    error_message = "the choices are not kept"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    server_name      = "My_Server"
    postgres_version = 14
    sku              = "db.t3.medium"
    storage_gib      = 100
    backup_days      = 36
  }
  expect_failures = [var.server_name, var.postgres_version, var.sku, var.storage_gib, var.backup_days]
}

run "a_standby_of_a_burstable_machine" {
  command = plan
  variables { sku = "B_Standard_B1ms" }
  expect_failures = [var.standby]
}
