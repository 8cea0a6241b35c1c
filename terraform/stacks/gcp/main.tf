# Google Cloud: a public service that takes webhooks and is pushed their messages, and what it needs. One program does all,
# so it has one identity; roles.tf of gcp-service says what that may do.
locals {
  # What installations of one project are told apart by, also in the names of secrets.
  name = "${var.name}-${var.environment == "production" ? "prod" : var.environment}"

  # The service checks it; nobody else reads it.
  audience = "autopr://${var.project_id}/${local.name}"
}

data "google_project" "this" {
  project_id = var.project_id
}

module "apis" {
  source = "../../modules/gcp-apis"
  count  = var.apis ? 1 : 0

  project_id = var.project_id
}

locals {
  project_id = var.apis ? module.apis[0].project_id : var.project_id
}

module "key" {
  source = "../../modules/gcp-key"

  project_number = data.google_project.this.number
  key            = var.key
}

module "network" {
  source = "../../modules/gcp-network"

  project_id           = local.project_id
  region               = var.region
  name                 = local.name
  subnet_cidr          = var.network.cidr
  services_cidr        = var.network.services_cidr
  fixed_egress_address = var.network.fixed_egress_address
}
