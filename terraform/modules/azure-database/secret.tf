# The password is made up while Terraform runs and handed to the server and to the vault only: neither the plan nor the state
# has it (write-only arguments, Terraform 1.11). It changes when password_version does.
ephemeral "random_password" "this" {
  length      = 40
  special     = false
  min_lower   = 1
  min_upper   = 1
  min_numeric = 1
}

# The server's certificate is of a public authority. The secret is written after the server, which takes minutes: until then the
# right to write is known everywhere.
resource "azurerm_key_vault_secret" "url" {
  #checkov:skip=CKV_AZURE_41: an address does not become invalid on a day; its password changes with password_version
  name         = "database"
  key_vault_id = var.vault_id
  content_type = "postgresql address"
  value_wo = join("", [
    "postgresql://${var.username}:${ephemeral.random_password.this.result}",
    "@${azurerm_postgresql_flexible_server.this.fqdn}:5432/${var.database}?sslmode=verify-full",
  ])
  value_wo_version = var.password_version
  tags             = var.tags
}
