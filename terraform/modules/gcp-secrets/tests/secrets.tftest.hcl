mock_provider "google" {}

variables {
  project_id = "my-project"
  region     = "europe-west1"
  name       = "autopr-prod"
  purposes   = ["webhook-secret", "openai-api-key"]
}

run "secrets_stay_in_the_region" {
  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.this : length(secret.replication[0].auto) == 0 && secret.replication[0].user_managed[0].replicas[0].location == "europe-west1"])
    error_message = "a secret leaves the region"
  }
  assert {
    condition     = google_secret_manager_secret.this["webhook-secret"].secret_id == "autopr-prod-webhook-secret"
    error_message = "people would look for the secret under another name"
  }
}

run "a_key_of_the_customers_own" {
  variables { kms_key = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k" }
  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.this : secret.replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name == var.kms_key])
    error_message = "a secret is not encrypted with the customer's key"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    purposes      = ["Webhook Secret"]
    recovery_days = 0
  }
  expect_failures = [var.purposes, var.recovery_days]
}
