# A storage account for queues only. Its keys are refused, so that those which the state holds open nothing.
resource "azurerm_storage_account" "this" {
  #checkov:skip=CKV2_AZURE_33: the apps come by a service endpoint of their subnet, which costs nothing; the firewall refuses all others
  #checkov:skip=CKV_AZURE_33: what happens to the queues is told by the diagnostic setting below, the account's own logs need keys
  #checkov:skip=CKV_AZURE_59: the firewall refuses all but the apps' subnet and named addresses
  #checkov:skip=CKV_AZURE_206: ZRS by default; a trial may take one zone
  #checkov:skip=CKV2_AZURE_38: about blobs, of which there are none
  name                              = var.account_name
  resource_group_name               = var.resource_group_name
  location                          = var.location
  account_kind                      = "StorageV2"
  account_tier                      = "Standard"
  account_replication_type          = var.replication
  min_tls_version                   = "TLS1_2"
  https_traffic_only_enabled        = true
  shared_access_key_enabled         = false
  default_to_oauth_authentication   = true
  allow_nested_items_to_be_public   = false
  cross_tenant_replication_enabled  = false
  local_user_enabled                = false
  public_network_access_enabled     = true
  infrastructure_encryption_enabled = true
  # So that queues too can be under the customer's key; it can't be changed later.
  queue_encryption_key_type = "Account"
  tags                      = var.tags

  network_rules {
    default_action             = "Deny"
    bypass                     = ["AzureServices"]
    ip_rules                   = var.operator_addresses
    virtual_network_subnet_ids = [var.subnet_id]
  }

  sas_policy {
    expiration_period = "00.01:00:00"
    expiration_action = "Block"
  }

  dynamic "customer_managed_key" {
    for_each = var.key == null ? [] : [var.key]

    content {
      key_vault_key_id          = customer_managed_key.value.key_vault_key_id
      user_assigned_identity_id = customer_managed_key.value.identity_id
    }
  }

  dynamic "identity" {
    for_each = var.key == null ? [] : [var.key]

    content {
      type         = "UserAssigned"
      identity_ids = [identity.value.identity_id]
    }
  }
}

resource "azurerm_storage_queue" "queue" {
  name               = var.queue
  storage_account_id = azurerm_storage_account.this.id
}

# What was handed out too often: the engine moves it there itself, because Storage has no dead letters.
resource "azurerm_storage_queue" "poison" {
  name               = "${azurerm_storage_queue.queue.name}-poison"
  storage_account_id = azurerm_storage_account.this.id
}

# The alarm about dead letters hears of them here: Storage counts the messages of a queue once a day only.
# https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-storage-storageaccounts-queueservices-metrics
resource "azurerm_monitor_diagnostic_setting" "queues" {
  name                       = "queues"
  target_resource_id         = "${azurerm_storage_account.this.id}/queueServices/default"
  log_analytics_workspace_id = var.workspace_id

  enabled_log {
    category = "StorageWrite"
  }
}

# Besides the subnet's service endpoint: see "Who may do what" of the stack.
resource "azurerm_private_endpoint" "this" {
  count = var.private_endpoint == null ? 0 : 1

  name                = var.account_name
  resource_group_name = var.resource_group_name
  location            = var.location
  subnet_id           = var.private_endpoint.subnet_id
  tags                = var.tags

  private_service_connection {
    name                           = "queue"
    private_connection_resource_id = azurerm_storage_account.this.id
    subresource_names              = ["queue"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "queue"
    private_dns_zone_ids = [var.private_endpoint.dns_zone_id]
  }
}
