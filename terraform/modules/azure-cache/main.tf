# Azure Managed Redis, which follows Azure Cache for Redis: that one ends in September 2028 and is not made for new customers
# any more. https://learn.microsoft.com/azure/azure-cache-for-redis/retirement-faq
resource "azurerm_managed_redis" "this" {
  name                      = var.cache_name
  resource_group_name       = var.resource_group_name
  location                  = var.location
  sku_name                  = var.sku
  high_availability_enabled = var.standby
  public_network_access     = "Disabled"
  tags                      = var.tags

  default_database {
    client_protocol   = "Encrypted"
    clustering_policy = "EnterpriseCluster" # one address; the engine's client knows nothing of clusters
    eviction_policy   = "AllKeysLRU"        # old entries make room for new ones

    # The engine knows passwords only. The provider reads the key back: this is the one secret that the state holds. Without it
    # nothing could use the cache.
    access_keys_authentication_enabled = true
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

resource "azurerm_private_endpoint" "this" {
  name                = var.cache_name
  resource_group_name = var.resource_group_name
  location            = var.location
  subnet_id           = var.subnet_id
  tags                = var.tags

  private_service_connection {
    name                           = "redis"
    private_connection_resource_id = azurerm_managed_redis.this.id
    subresource_names              = ["redisEnterprise"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "redis"
    private_dns_zone_ids = [var.dns_zone_id]
  }
}

resource "azurerm_key_vault_secret" "url" {
  #checkov:skip=CKV_AZURE_41: an address does not become invalid on a day; it is written anew with secret_version
  name         = "redis"
  key_vault_id = var.vault_id
  content_type = "redis address"
  value_wo = join("", [
    "rediss://:${urlencode(azurerm_managed_redis.this.default_database[0].primary_access_key)}",
    "@${azurerm_managed_redis.this.hostname}:${azurerm_managed_redis.this.default_database[0].port}/0",
  ])
  value_wo_version = var.secret_version
  tags             = var.tags
}
