# The cheapest that works, for a trial or a small team: a burstable database without a standby, no Redis, and no replica while
# nobody opens a pull request. A zone that fails takes it along until Microsoft has it back; what was backed up is not lost.
provider "azurerm" {
  features {}
  # Storage accounts of the stack refuse their keys.
  storage_use_azuread = true
}

module "autopr" {
  source = "../../stacks/azure"

  location      = "westeurope"
  image         = var.version_tag == "" ? null : "ghcr.io/my-company/azure-app:${var.version_tag}"
  migrate_image = var.version_tag == "" ? null : "ghcr.io/my-company/autopr:${var.version_tag}"
  network       = { operator_addresses = var.operator_addresses }
  github        = { use_token = true }
  llm           = { providers = [] }
  database      = { sku = "B_Standard_B1ms", storage_gib = 32, standby = false, backup_days = 7 }
  cache         = { enabled = false }
  queue         = { replication = "LRS" }
  service       = { min = 0, max = 2, cpu = 0.5, memory = "1Gi", zone_redundant = false }
}
