mock_provider "azurerm" {
  source = "../../mocks/azure"
}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  account_name        = "autoprprodabcde"
  subnet_id           = "/subscriptions/s/subnets/apps"
  workspace_id        = "/subscriptions/s/workspaces/w"
}

run "by_default" {
  # dead letters of its own queue
  assert {
    condition     = azurerm_storage_queue.poison.name == "${azurerm_storage_queue.queue.name}-poison" && azurerm_storage_queue.poison.storage_account_id == azurerm_storage_queue.queue.storage_account_id
    error_message = "the engine would not find the queue of what can't be delivered"
  }
  assert {
    condition     = output.url == "https://a.queue.core.windows.net/autopr-messages"
    error_message = "the engine would be told another queue"
  }
  # no key opens it, and no public reads
  assert {
    condition     = azurerm_storage_account.this.shared_access_key_enabled == false && azurerm_storage_account.this.local_user_enabled == false
    error_message = "the account's keys, which are in the state, open it"
  }
  assert {
    condition     = azurerm_storage_account.this.allow_nested_items_to_be_public == false && azurerm_storage_account.this.network_rules[0].default_action == "Deny" && azurerm_storage_account.this.network_rules[0].virtual_network_subnet_ids == toset([var.subnet_id])
    error_message = "others than the apps reach the queue"
  }
  # encrypted, in three zones
  assert {
    condition     = azurerm_storage_account.this.https_traffic_only_enabled && azurerm_storage_account.this.min_tls_version == "TLS1_2" && azurerm_storage_account.this.infrastructure_encryption_enabled
    error_message = "messages travel or lie in the clear"
  }
  assert {
    condition     = azurerm_storage_account.this.account_replication_type == "ZRS"
    error_message = "messages go with their zone"
  }
  # the alarm hears of dead letters
  assert {
    condition     = azurerm_monitor_diagnostic_setting.queues.target_resource_id == "${azurerm_storage_account.this.id}/queueServices/default" && contains([for log in azurerm_monitor_diagnostic_setting.queues.enabled_log : log.category], "StorageWrite")
    error_message = "nobody hears of dead letters"
  }
}

run "a_key_of_the_customers_own" {
  variables { key = { key_vault_key_id = "https://v.vault.azure.net/keys/k", identity_id = "/subscriptions/s/identities/i" } }
  assert {
    condition     = azurerm_storage_account.this.customer_managed_key[0].key_vault_key_id == var.key.key_vault_key_id && azurerm_storage_account.this.queue_encryption_key_type == "Account"
    error_message = "messages are not encrypted with the customer's key"
  }
}

run "with_an_address_in_the_network" {
  variables { private_endpoint = { subnet_id = "/subscriptions/s/subnets/endpoints", dns_zone_id = "/subscriptions/s/privateDnsZones/z" } }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].private_connection_resource_id == azurerm_storage_account.this.id && azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names == tolist(["queue"]) && azurerm_private_endpoint.this[0].subnet_id == "/subscriptions/s/subnets/endpoints" && azurerm_private_endpoint.this[0].private_dns_zone_group[0].private_dns_zone_ids == tolist(["/subscriptions/s/privateDnsZones/z"])
    error_message = "the apps don't reach the queues by its address in the network"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    account_name = "autopr-prod"
    queue        = "Messages"
    replication  = "XRS"
  }
  expect_failures = [var.account_name, var.queue, var.replication]
}
