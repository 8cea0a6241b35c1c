mock_provider "google" {
  source = "../../mocks/gcp"
}

variables {
  project_id = "my-project"
  region     = "us-central1"
  name       = "autopr-prod"
  network    = "projects/p/global/networks/n"
  secret     = "projects/p/secrets/autopr-prod-redis"
  ca_secret  = "projects/p/secrets/autopr-prod-redis-ca"
}

run "tls_password_and_the_network_only" {
  assert {
    condition     = google_redis_instance.this.transit_encryption_mode == "SERVER_AUTHENTICATION"
    error_message = "the cache is talked to in the clear"
  }
  assert {
    condition     = google_redis_instance.this.auth_enabled
    error_message = "the cache lets everybody in the network in"
  }
  assert {
    condition     = google_redis_instance.this.authorized_network == var.network && google_redis_instance.this.connect_mode == "PRIVATE_SERVICE_ACCESS"
    error_message = "the cache is not in the network"
  }
}

run "a_zone_may_fail" {
  assert {
    condition     = google_redis_instance.this.tier == "STANDARD_HA" && google_redis_instance.this.redis_version == "REDIS_7_0"
    error_message = "the cache goes with its zone, or is older than 7"
  }
}

run "the_address_is_not_in_the_state_a_second_time" {
  assert {
    condition     = google_secret_manager_secret_version.url.secret_data == null && google_secret_manager_secret_version.url.secret_data_wo == null && google_secret_manager_secret_version.url.secret == var.secret
    error_message = "the state holds the cache's address with its password"
  }
  assert {
    condition     = local.ca == "-----BEGIN CERTIFICATE-----redis" && google_secret_manager_secret_version.ca.secret_data_wo_version == parseint(substr(sha256("-----BEGIN CERTIFICATE-----redis"), 0, 8), 16) && google_secret_manager_secret_version.ca.secret == var.ca_secret
    error_message = "the service can't know the server"
  }
}

run "a_key_of_the_customers_own" {
  variables { kms_key = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k" }
  assert {
    condition     = google_redis_instance.this.customer_managed_key == var.kms_key
    error_message = "the cache is not encrypted with the customer's key"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    redis_version = "REDIS_6_X"
    memory_gb     = 0
  }
  expect_failures = [var.redis_version, var.memory_gb]
}
