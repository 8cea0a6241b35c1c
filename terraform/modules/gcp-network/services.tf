# The addresses that Cloud SQL and Memorystore take theirs from.
resource "google_compute_global_address" "services" {
  project       = var.project_id
  name          = "${var.name}-services"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  network       = google_compute_network.this.id
  address       = cidrhost(var.services_cidr, 0)
  prefix_length = tonumber(split("/", var.services_cidr)[1])
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]

  # The peering can't be removed for days after the database is gone, and goes with the network.
  # https://cloud.google.com/vpc/docs/configure-private-services-access#removing-connection
  deletion_policy = "ABANDON"
}
