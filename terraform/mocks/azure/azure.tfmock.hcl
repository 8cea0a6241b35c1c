# What Azure would answer, as far as the folders look at it.
mock_data "azurerm_client_config" {
  defaults = {
    subscription_id = "00000000-0000-0000-0000-000000000001"
    tenant_id       = "00000000-0000-0000-0000-000000000002"
    object_id       = "00000000-0000-0000-0000-000000000003"
  }
}

mock_resource "azurerm_key_vault" {
  defaults = {
    id        = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"
    vault_uri = "https://v.vault.azure.net/"
  }
}

mock_resource "azurerm_storage_account" {
  defaults = {
    id                     = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
    primary_queue_endpoint = "https://a.queue.core.windows.net/"
  }
}

mock_resource "azurerm_postgresql_flexible_server" {
  defaults = { fqdn = "server.autopr-prod.private.postgres.database.azure.com" }
}
