mock_provider "azurerm" {
  source = "../../mocks/azure"
}

variables {
  resource_group_name = "autopr-prod"
  location            = "westeurope"
  name                = "autopr-prod"
  environment_id      = "/subscriptions/s/managedEnvironments/e"
  image               = "autopr.azurecr.io/azure-app:1.2.3"
  registry            = { server = "autopr.azurecr.io", id = "/subscriptions/s/registries/autopr" }
  environment         = { AUTOPR_ENV = "production" }
  vault               = { id = "/subscriptions/s/vaults/v", uri = "https://v.vault.azure.net/" }
  secrets             = { DATABASE_URL = "database", GITHUB_WEBHOOK_SECRET = "webhook-secret" }
  queue = {
    url       = "https://a.queue.core.windows.net/autopr-messages"
    account   = "a"
    name      = "autopr-messages"
    id        = "/subscriptions/s/storageAccounts/a/queueServices/default/queues/autopr-messages"
    poison_id = "/subscriptions/s/storageAccounts/a/queueServices/default/queues/autopr-messages-poison"
  }
}

run "by_default" {
  # secrets by reference
  assert {
    condition     = alltrue([for secret in azurerm_container_app.this.secret : secret.value == null && secret.key_vault_secret_id == "https://v.vault.azure.net/secrets/${secret.name}" && secret.identity == azurerm_user_assigned_identity.this.id]) && length(azurerm_container_app.this.secret) == 2
    error_message = "a secret's value stands in the app"
  }
  assert {
    condition     = { for variable in azurerm_container_app.this.template[0].container[0].env : variable.name => variable.secret_name if variable.secret_name != null } == { DATABASE_URL = "database", GITHUB_WEBHOOK_SECRET = "webhook-secret" }
    error_message = "a variable has another secret, or the secret itself"
  }
  # roles of one queue, one secret or one registry
  assert {
    condition     = azurerm_role_assignment.queue.scope == var.queue.id && azurerm_role_assignment.queue.role_definition_name == "Storage Queue Data Contributor"
    error_message = "the app may do more than use its queue, or less"
  }
  assert {
    condition     = toset([for role in azurerm_role_assignment.poison : role.role_definition_name]) == toset(["Storage Queue Data Message Sender", "Storage Queue Data Reader"]) && alltrue([for role in azurerm_role_assignment.poison : role.scope == var.queue.poison_id])
    error_message = "the app may do more with dead letters than put them away"
  }
  assert {
    condition     = { for name, role in azurerm_role_assignment.secrets : name => "${role.role_definition_name} ${role.scope}" } == { database = "Key Vault Secrets User /subscriptions/s/vaults/v/secrets/database", webhook-secret = "Key Vault Secrets User /subscriptions/s/vaults/v/secrets/webhook-secret" }
    error_message = "the app may read other secrets than its own, or write them"
  }
  assert {
    condition     = azurerm_role_assignment.image[0].role_definition_name == "AcrPull" && azurerm_role_assignment.image[0].scope == var.registry.id && alltrue([for registry in azurerm_container_app.this.registry : registry.password_secret_name == null || registry.password_secret_name == ""])
    error_message = "the image needs a password, or its puller may push"
  }
  assert {
    condition     = azurerm_container_app.this.identity[0].type == "UserAssigned" && azurerm_container_app.this.identity[0].identity_ids == toset([azurerm_user_assigned_identity.this.id])
    error_message = "the app has another identity than that which has the roles"
  }
  # more replicas for more messages, told by identity
  assert {
    condition     = azurerm_container_app.this.template[0].custom_scale_rule[0].custom_rule_type == "azure-queue" && azurerm_container_app.this.template[0].custom_scale_rule[0].identity_id == azurerm_user_assigned_identity.this.id && azurerm_container_app.this.template[0].custom_scale_rule[0].metadata["queueName"] == "autopr-messages" && azurerm_container_app.this.template[0].custom_scale_rule[0].metadata["accountName"] == "a"
    error_message = "replicas don't follow the queue"
  }
  assert {
    condition     = azurerm_container_app.this.template[0].min_replicas == 1 && azurerm_container_app.this.template[0].max_replicas == 10 && azurerm_container_app.this.template[0].container[0].cpu == 2 && azurerm_container_app.this.template[0].container[0].memory == "4Gi" && length(azurerm_container_app.this.template[0].custom_scale_rule) == 1
    error_message = "not the sizes of the guide"
  }
  # HTTPS, and health is not readiness
  assert {
    condition     = azurerm_container_app.this.ingress[0].external_enabled && azurerm_container_app.this.ingress[0].allow_insecure_connections == false && azurerm_container_app.this.ingress[0].target_port == 8080
    error_message = "GitHub can't reach the app, or in the clear"
  }
  assert {
    condition     = azurerm_container_app.this.template[0].container[0].liveness_probe[0].path == "/api/health" && azurerm_container_app.this.template[0].container[0].readiness_probe[0].path == "/api/ready"
    error_message = "a database that is away would restart every replica"
  }
}

run "none_while_nothing_happens" {
  variables {
    scaling  = { min = 0 }
    registry = null
  }
  assert {
    condition     = [for rule in azurerm_container_app.this.template[0].custom_scale_rule : rule.custom_rule_type] == ["azure-queue", "cron"]
    error_message = "what waits for its time waits for the next webhook"
  }
  assert {
    condition     = length(azurerm_role_assignment.image) == 0 && length(azurerm_container_app.this.registry) == 0
    error_message = "a public image needs a role"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    name    = "autopr--prod"
    image   = "autopr.azurecr.io/azure-app:latest"
    secrets = { DATABASE_URL = "https://elsewhere/secret" }
    scaling = { min = 5, max = 2 }
    memory  = "8Gi"
  }
  expect_failures = [var.name, var.image, var.secrets, var.scaling, var.memory]
}

run "a_replica_for_no_message" {
  command = plan
  variables { scaling = { messages = 0 } }
  expect_failures = [var.scaling]
}
