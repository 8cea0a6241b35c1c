# Without these, instances reach the internet by Google's own addresses, which change. With them all traffic leaves by one
# address, which a GitHub Enterprise Server or a database elsewhere can be told to let in.
resource "google_compute_address" "egress" {
  count = var.fixed_egress_address ? 1 : 0

  project = var.project_id
  name    = "${var.name}-egress"
  region  = var.region
}

resource "google_compute_router" "egress" {
  count = var.fixed_egress_address ? 1 : 0

  project = var.project_id
  name    = "${var.name}-egress"
  region  = var.region
  network = google_compute_network.this.id
}

resource "google_compute_router_nat" "egress" {
  count = var.fixed_egress_address ? 1 : 0

  project                            = var.project_id
  name                               = "${var.name}-egress"
  region                             = var.region
  router                             = google_compute_router.egress[0].name
  nat_ip_allocate_option             = "MANUAL_ONLY"
  nat_ips                            = [google_compute_address.egress[0].self_link]
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.service.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
