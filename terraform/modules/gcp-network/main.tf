# A network of the engine's own. Instances of Cloud Run get addresses of the subnet and reach the database and the cache in the
# peered network of Google's services; nothing listens in the subnet.
resource "google_compute_network" "this" {
  project                         = var.project_id
  name                            = var.name
  auto_create_subnetworks         = false
  delete_default_routes_on_create = false
}

# Direct VPC egress takes at least a /26; twice as many addresses as instances are in use while a revision is replaced.
# https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#ip-address-allocation
resource "google_compute_subnetwork" "service" {
  project                  = var.project_id
  name                     = "${var.name}-service"
  region                   = var.region
  network                  = google_compute_network.this.id
  ip_cidr_range            = var.subnet_cidr
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# Nothing may open a connection to what is in the subnet. Google's default says so too; here it can be seen.
resource "google_compute_firewall" "no_ingress" {
  project       = var.project_id
  name          = "${var.name}-no-ingress"
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  priority      = 65534
  source_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "EXCLUDE_ALL_METADATA"
  }
}
