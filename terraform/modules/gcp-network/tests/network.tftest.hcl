mock_provider "google" {}

variables {
  project_id = "my-project"
  region     = "us-central1"
  name       = "autopr-prod"
}

run "nobody_comes_in" {
  assert {
    condition     = google_compute_firewall.no_ingress.direction == "INGRESS" && one(google_compute_firewall.no_ingress.deny).protocol == "all" && contains(google_compute_firewall.no_ingress.source_ranges, "0.0.0.0/0")
    error_message = "something may open connections into the network"
  }
  assert {
    condition     = google_compute_network.this.auto_create_subnetworks == false
    error_message = "Google makes subnets of its own"
  }
}

run "database_and_cache_have_private_addresses" {
  assert {
    condition     = google_compute_global_address.services.address_type == "INTERNAL" && google_compute_global_address.services.purpose == "VPC_PEERING" && google_compute_global_address.services.prefix_length == 20
    error_message = "the addresses of database and cache are not kept inside"
  }
  assert {
    condition     = google_service_networking_connection.services.reserved_peering_ranges == tolist(["autopr-prod-services"])
    error_message = "the peering has other addresses than those kept for it"
  }
}

run "traffic_to_the_internet_does_not_pass_by_default" {
  assert {
    condition     = output.egress == "PRIVATE_RANGES_ONLY" && length(google_compute_router_nat.egress) == 0
    error_message = "a gateway is paid that nobody asked for"
  }
}

run "a_fixed_address" {
  variables { fixed_egress_address = true }
  assert {
    condition     = output.egress == "ALL_TRAFFIC" && google_compute_router_nat.egress[0].nat_ip_allocate_option == "MANUAL_ONLY"
    error_message = "traffic would leave by other addresses"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    subnet_cidr   = "10.0.0.0/27"
    services_cidr = "10.0.0.0/28"
  }
  expect_failures = [var.subnet_cidr, var.services_cidr]
}
