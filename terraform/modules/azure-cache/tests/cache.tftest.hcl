mock_provider "azurerm" {}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  cache_name          = "autopr-prod-abcde"
  subnet_id           = "/subscriptions/s/subnets/endpoints"
  dns_zone_id         = "/subscriptions/s/privateDnsZones/z"
  vault_id            = "/subscriptions/s/vaults/v"
}

run "by_default" {
  assert {
    condition     = azurerm_managed_redis.this.default_database[0].client_protocol == "Encrypted"
    error_message = "the cache is talked to in the clear"
  }
  assert {
    condition     = azurerm_managed_redis.this.public_network_access == "Disabled" && azurerm_private_endpoint.this.subnet_id == var.subnet_id && azurerm_private_endpoint.this.private_service_connection[0].private_connection_resource_id == azurerm_managed_redis.this.id
    error_message = "the cache can be reached from the internet, or not from the network"
  }
  assert {
    condition     = azurerm_managed_redis.this.high_availability_enabled && azurerm_managed_redis.this.default_database[0].clustering_policy == "EnterpriseCluster"
    error_message = "the cache goes with its zone, or wants clients that know clusters"
  }
  assert {
    condition     = azurerm_key_vault_secret.url.value == null && azurerm_key_vault_secret.url.value_wo == null && azurerm_key_vault_secret.url.key_vault_id == var.vault_id
    error_message = "the state holds the cache's address with its password a second time"
  }
}

run "a_key_of_the_customers_own" {
  variables { key = { key_vault_key_id = "https://v.vault.azure.net/keys/k", identity_id = "/subscriptions/s/identities/i" } }
  assert {
    condition     = azurerm_managed_redis.this.customer_managed_key[0].key_vault_key_id == var.key.key_vault_key_id
    error_message = "the cache is not encrypted with the customer's key"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    cache_name = "My_Cache"
    sku        = "Standard"
  }
  expect_failures = [var.cache_name, var.sku]
}
