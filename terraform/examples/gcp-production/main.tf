# The sizes of the deployment guide: a database and a cache with a copy in another zone, one to ten instances, a key of your own
# for all that is kept, and alarms that reach somebody.
provider "google" {
  project        = var.project_id
  region         = "us-central1"
  default_labels = { app = "autopr", environment = "production" }
}

locals {
  images = "us-central1-docker.pkg.dev/${var.project_id}/autopr"
}

module "autopr" {
  source = "../../stacks/gcp"

  project_id    = var.project_id
  region        = "us-central1"
  image         = var.version_tag == "" ? null : "${local.images}/gcp-service:${var.version_tag}"
  migrate_image = var.version_tag == "" ? null : "${local.images}/autopr:${var.version_tag}"
  github        = { app_id = 123456 }
  llm           = { providers = ["openai", "anthropic", "mistral"] }
  key           = { id = google_kms_crypto_key.autopr.id }
  alarms        = { notification_channels = [google_monitoring_notification_channel.on_call.id] }

  # One address, which our GitHub Enterprise Server's firewall lets in.
  network = { fixed_egress_address = true }

  database = {
    version         = 16
    tier            = "db-custom-4-15360"
    disk_gb         = 100
    backup_location = "us"
  }
}

resource "google_kms_key_ring" "autopr" {
  name     = "autopr"
  location = "us-central1"
}

resource "google_kms_crypto_key" "autopr" {
  name            = "data"
  key_ring        = google_kms_key_ring.autopr.id
  rotation_period = "7776000s" # ninety days

  lifecycle {
    # Whatever it encrypted can't be read without it.
    prevent_destroy = true
  }
}

resource "google_monitoring_notification_channel" "on_call" {
  display_name = "On call"
  type         = "email"
  labels       = { email_address = "on-call@example.com" }
}
