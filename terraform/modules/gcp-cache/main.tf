# Redis with a copy in another zone, TLS and a password. What it holds can be got again, so nothing is backed up.
resource "google_redis_instance" "this" {
  project                 = var.project_id
  name                    = var.name
  region                  = var.region
  tier                    = var.high_availability ? "STANDARD_HA" : "BASIC"
  memory_size_gb          = var.memory_gb
  redis_version           = var.redis_version
  authorized_network      = var.network
  connect_mode            = "PRIVATE_SERVICE_ACCESS"
  reserved_ip_range       = var.network_range
  transit_encryption_mode = "SERVER_AUTHENTICATION"
  customer_managed_key    = var.kms_key

  # Google makes the password up and its provider reads it back: this is the one secret that the state holds. Without a
  # password everything in the network could use the cache, so that having it there takes nothing away.
  auth_enabled = true

  redis_configs = {
    # Old entries make room for new ones.
    maxmemory-policy = "allkeys-lru"
  }

  maintenance_policy {
    weekly_maintenance_window {
      day = "SUNDAY"

      start_time {
        hours = 4
      }
    }
  }
}

resource "google_secret_manager_secret_version" "url" {
  secret = var.secret
  secret_data_wo = join("", [
    "rediss://:${google_redis_instance.this.auth_string}",
    "@${google_redis_instance.this.host}:${google_redis_instance.this.port}/0?sslrootcert=${var.ca_file}",
  ])
  secret_data_wo_version = var.secret_version
}

locals {
  ca = join("\n", google_redis_instance.this.server_ca_certs[*].cert)
}

# Public, like that of the database. There are two for the years in which one follows the other.
# https://cloud.google.com/memorystore/docs/redis/about-in-transit-encryption
resource "google_secret_manager_secret_version" "ca" {
  secret                 = var.ca_secret
  secret_data_wo         = local.ca
  secret_data_wo_version = parseint(substr(sha256(local.ca), 0, 8), 16) # another certificate, another version
}
