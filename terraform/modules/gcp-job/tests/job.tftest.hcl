mock_provider "google" {}

variables {
  project_id = "my-project"
  region     = "us-central1"
  name       = "autopr-prod-migrate"
  image      = "us-docker.pkg.dev/my-project/autopr/autopr:1.2.3"
  network    = { network = "projects/p/global/networks/n", subnet = "projects/p/regions/r/subnetworks/s" }
  secrets    = { DATABASE_URL = "projects/p/secrets/database" }
  files      = { database-ca = { secret = "projects/p/secrets/database-ca", file = "/etc/autopr/database/ca.pem" } }
}

run "it_migrates_and_reads_only_the_database_secrets" {
  assert {
    condition     = google_cloud_run_v2_job.this.template[0].template[0].containers[0].args == tolist(["migrate"]) && google_cloud_run_v2_job.this.template[0].template[0].max_retries == 0
    error_message = "it does something else, or again and again"
  }
  assert {
    condition     = toset([for member in google_secret_manager_secret_iam_member.reads : member.secret_id]) == toset(["projects/p/secrets/database", "projects/p/secrets/database-ca"])
    error_message = "it may read other secrets"
  }
  assert {
    condition     = google_cloud_run_v2_job.this.template[0].template[0].service_account == google_service_account.this.email
    error_message = "it runs under the project's own account"
  }
  assert {
    condition     = alltrue([for variable in google_cloud_run_v2_job.this.template[0].template[0].containers[0].env : variable.value == null])
    error_message = "a secret's value stands in the job"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    name            = "m"
    timeout_seconds = 1
  }
  expect_failures = [var.name, var.timeout_seconds]
}
