output "network" {
  description = "The network."
  value       = google_compute_network.this.id
}

output "services_network" {
  description = "The network, once database and cache can be put into it."
  value       = google_compute_network.this.id
  depends_on  = [google_service_networking_connection.services]
}

output "services_range" {
  description = "Name of the addresses that database and cache take theirs from."
  value       = google_compute_global_address.services.name
}

output "subnet" {
  description = "Subnet of the service's instances."
  value       = google_compute_subnetwork.service.id
}

output "egress" {
  description = "Which traffic the service sends through the network: all of it with an address of its own, else only what stays inside."
  value       = var.fixed_egress_address ? "ALL_TRAFFIC" : "PRIVATE_RANGES_ONLY"
}

output "egress_address" {
  description = "The address by which all traffic leaves; null when there is none of its own."
  value       = one(google_compute_address.egress[*].address)
}
