locals {
  # What people fill, by the environment variable that gets it. Key Vault has no empty secrets: these exist once they are filled.
  people = merge(
    { GITHUB_WEBHOOK_SECRET = "webhook-secret" },
    var.github.use_token ? { GITHUB_TOKEN = "github-token" } : { GITHUB_APP_PRIVATE_KEY = "github-app-key" },
    var.secrets.api_keys ? { AUTOPR_API_KEYS = "api-keys" } : {},
    { for provider in var.llm.providers : "${upper(replace(provider, "-", "_"))}_API_KEY" => "${provider}-api-key" },
  )
}

module "vault" {
  source = "../../modules/azure-vault"

  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
  vault_name          = "${local.name}-${local.unique}"
  tenant_id           = data.azurerm_client_config.this.tenant_id
  officers            = merge(var.secrets.officers, { this = data.azurerm_client_config.this.object_id })
  operator_addresses  = var.network.operator_addresses
  subnet_id           = module.network.apps_subnet
  private_endpoint    = var.network.private_endpoints ? { subnet_id = module.network.endpoints_subnet, dns_zone_id = module.network.dns_zones["vault"] } : null
  workspace_id        = module.logs.id
  recovery_days       = var.secrets.recovery_days
}
