output "id" {
  description = "The vault, once officers may write into it."
  value       = azurerm_key_vault.this.id
  depends_on  = [azurerm_role_assignment.officers]
}

output "uri" {
  description = "Address of the vault, with a slash at its end."
  value       = azurerm_key_vault.this.vault_uri
}
