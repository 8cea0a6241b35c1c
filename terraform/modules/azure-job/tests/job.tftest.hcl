mock_provider "azurerm" {
  source = "../../mocks/azure"
}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  name                = "autopr-prod-migrate"
  environment_id      = "/subscriptions/s/managedEnvironments/e"
  image               = "autopr.azurecr.io/autopr:1.2.3"
  registry            = { server = "autopr.azurecr.io", id = "/subscriptions/s/registries/autopr" }
  vault               = { id = "/subscriptions/s/vaults/v", uri = "https://v.vault.azure.net/" }
  secrets             = { DATABASE_URL = "database" }
}

run "by_default" {
  assert {
    condition     = azurerm_container_app_job.this.template[0].container[0].args == tolist(["migrate"]) && azurerm_container_app_job.this.replica_retry_limit == 0 && length(azurerm_container_app_job.this.schedule_trigger_config) == 0
    error_message = "it does something else, or again and again"
  }
  assert {
    condition     = { for name, role in azurerm_role_assignment.secrets : name => "${role.role_definition_name} ${role.scope}" } == { database = "Key Vault Secrets User /subscriptions/s/vaults/v/secrets/database" }
    error_message = "it may read other secrets"
  }
  assert {
    condition     = alltrue([for secret in azurerm_container_app_job.this.secret : secret.value == null && secret.key_vault_secret_id == "https://v.vault.azure.net/secrets/database"])
    error_message = "a secret's value stands in the job"
  }
  assert {
    condition     = azurerm_role_assignment.image[0].role_definition_name == "AcrPull" && azurerm_container_app_job.this.identity[0].identity_ids == toset([azurerm_user_assigned_identity.this.id])
    error_message = "it has another identity, or may push images"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    name            = "Migrate"
    timeout_seconds = 1
  }
  expect_failures = [var.name, var.timeout_seconds]
}
