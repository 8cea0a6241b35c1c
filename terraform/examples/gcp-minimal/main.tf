# The cheapest that works, for a trial or a small team: a small database without a standby, no cache, and no instance while
# nobody opens a pull request. A zone that fails takes it along until Google has it back; nothing that was backed up is lost.
provider "google" {
  project        = var.project_id
  region         = "europe-west1"
  default_labels = { app = "autopr" }
}

locals {
  images = "europe-west1-docker.pkg.dev/${var.project_id}/autopr"
}

module "autopr" {
  source = "../../stacks/gcp"

  project_id    = var.project_id
  region        = "europe-west1"
  image         = var.version_tag == "" ? null : "${local.images}/gcp-service:${var.version_tag}"
  migrate_image = var.version_tag == "" ? null : "${local.images}/autopr:${var.version_tag}"
  github        = { use_token = true }
  llm           = { providers = [] }

  database = {
    tier            = "db-custom-1-3840"
    disk_gb         = 10
    standby         = false
    max_connections = 60
  }

  cache   = { enabled = false }
  service = { min = 0, max = 2, cpu = "1", memory = "1Gi", requests = 20 }
  worker  = { concurrency = 15 }
}
