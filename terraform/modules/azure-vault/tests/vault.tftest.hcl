mock_provider "azurerm" {
  source = "../../mocks/azure"
}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  vault_name          = "autopr-prod-abcde"
  tenant_id           = "00000000-0000-0000-0000-000000000002"
  officers            = { this = "00000000-0000-0000-0000-000000000003" }
  operator_addresses  = ["203.0.113.7"]
  subnet_id           = "/subscriptions/s/subnets/apps"
  workspace_id        = "/subscriptions/s/workspaces/w"
}

run "by_default" {
  # roles, not lists of the vault's own
  assert {
    condition     = azurerm_key_vault.this.rbac_authorization_enabled && length(azurerm_key_vault.this.access_policy) == 0
    error_message = "who may read is not decided by roles"
  }
  assert {
    condition     = alltrue([for officer in azurerm_role_assignment.officers : officer.role_definition_name == "Key Vault Secrets Officer" && officer.scope == azurerm_key_vault.this.id])
    error_message = "an officer may do more than write secrets of this vault"
  }
  # named addresses and the apps only
  assert {
    condition     = azurerm_key_vault.this.network_acls[0].default_action == "Deny" && azurerm_key_vault.this.network_acls[0].ip_rules == toset(["203.0.113.7"]) && azurerm_key_vault.this.network_acls[0].virtual_network_subnet_ids == toset([var.subnet_id])
    error_message = "everybody reaches the vault"
  }
  # nothing is lost by mistake, and who did what is known
  assert {
    condition     = azurerm_key_vault.this.purge_protection_enabled && azurerm_key_vault.this.soft_delete_retention_days == 30
    error_message = "a deleted secret is gone"
  }
  assert {
    condition     = azurerm_monitor_diagnostic_setting.this.target_resource_id == azurerm_key_vault.this.id && contains([for log in azurerm_monitor_diagnostic_setting.this.enabled_log : log.category], "AuditEvent")
    error_message = "nobody knows who read a secret"
  }
}

run "with_an_address_in_the_network" {
  variables { private_endpoint = { subnet_id = "/subscriptions/s/subnets/endpoints", dns_zone_id = "/subscriptions/s/privateDnsZones/z" } }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].private_connection_resource_id == azurerm_key_vault.this.id && azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names == tolist(["vault"]) && azurerm_private_endpoint.this[0].subnet_id == "/subscriptions/s/subnets/endpoints" && azurerm_private_endpoint.this[0].private_dns_zone_group[0].private_dns_zone_ids == tolist(["/subscriptions/s/privateDnsZones/z"])
    error_message = "the apps don't reach the vault by its address in the network"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    vault_name         = "my_vault"
    operator_addresses = ["everybody"]
    recovery_days      = 3
  }
  expect_failures = [var.vault_name, var.operator_addresses, var.recovery_days]
}

run "everybody_is_no_operator" {
  command = plan
  variables { operator_addresses = ["0.0.0.0/0"] }
  expect_failures = [var.operator_addresses]
}
