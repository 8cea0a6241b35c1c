output "secret" {
  description = "Name of the secret with the cache's address, for REDIS_URL, once it has a value and the cache can be reached."
  value       = azurerm_key_vault_secret.url.name
  depends_on  = [azurerm_private_endpoint.this]
}
