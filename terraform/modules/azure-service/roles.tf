# The app's own identity. Each role is for one queue, one secret or one registry; it has none for the account, the vault, the
# resource group or the subscription.
resource "azurerm_user_assigned_identity" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

# Messages are put, taken, hidden for longer (which only this built-in role may) and removed; the scale rule counts them.
# https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-queue-service-operations
resource "azurerm_role_assignment" "queue" {
  scope                = var.queue.id
  role_definition_name = "Storage Queue Data Contributor"
  principal_id         = azurerm_user_assigned_identity.this.principal_id
  principal_type       = "ServicePrincipal"
}

# What could not be delivered is put there by the app, which looks at its start whether there is such a queue, and is taken from
# there by people.
resource "azurerm_role_assignment" "poison" {
  for_each = toset(["Storage Queue Data Message Sender", "Storage Queue Data Reader"])

  scope                = var.queue.poison_id
  role_definition_name = each.value
  principal_id         = azurerm_user_assigned_identity.this.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "secrets" {
  for_each = toset(values(var.secrets))

  scope                = "${var.vault.id}/secrets/${each.value}"
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.this.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "image" {
  count = var.registry == null ? 0 : 1

  scope                = var.registry.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.this.principal_id
  principal_type       = "ServicePrincipal"
}
