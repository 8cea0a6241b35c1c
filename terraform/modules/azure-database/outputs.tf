output "id" {
  description = "The server."
  value       = azurerm_postgresql_flexible_server.this.id
}

output "secret" {
  description = "Name of the secret with the database's address, for DATABASE_URL, once it has a value."
  value       = azurerm_key_vault_secret.url.name
  depends_on  = [azurerm_postgresql_flexible_server_database.this]
}

output "server" {
  description = "Name of the server in the network, for dumps and restores."
  value       = azurerm_postgresql_flexible_server.this.fqdn
}
