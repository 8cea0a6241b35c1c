# Where secrets lie. Who may read one is said where an app is made, secret by secret; who may write them stands here. The
# firewall lets in the apps' subnet and the addresses of those who write.
resource "azurerm_key_vault" "this" {
  #checkov:skip=CKV2_AZURE_32: the apps come by a service endpoint of their subnet, which costs nothing; the firewall refuses all others
  #checkov:skip=CKV_AZURE_189: whoever applies this writes secrets from outside the network; the firewall lets only named addresses in
  name                          = var.vault_name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  tenant_id                     = var.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = var.recovery_days
  public_network_access_enabled = true
  tags                          = var.tags

  network_acls {
    default_action             = "Deny"
    bypass                     = "AzureServices"
    ip_rules                   = var.operator_addresses
    virtual_network_subnet_ids = [var.subnet_id]
  }
}

resource "azurerm_role_assignment" "officers" {
  for_each = var.officers

  scope                = azurerm_key_vault.this.id
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = each.value
}

# Who read or wrote what.
resource "azurerm_monitor_diagnostic_setting" "this" {
  name                       = "audit"
  target_resource_id         = azurerm_key_vault.this.id
  log_analytics_workspace_id = var.workspace_id

  enabled_log {
    category = "AuditEvent"
  }
}

# Besides the subnet's service endpoint: see "Who may do what" of the stack.
resource "azurerm_private_endpoint" "this" {
  count = var.private_endpoint == null ? 0 : 1

  name                = var.vault_name
  resource_group_name = var.resource_group_name
  location            = var.location
  subnet_id           = var.private_endpoint.subnet_id
  tags                = var.tags

  private_service_connection {
    name                           = "vault"
    private_connection_resource_id = azurerm_key_vault.this.id
    subresource_names              = ["vault"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "vault"
    private_dns_zone_ids = [var.private_endpoint.dns_zone_id]
  }
}
