mock_provider "google" {}

variables {
  project_id      = "my-project"
  region          = "us-central1"
  name            = "autopr-prod"
  endpoint        = "https://service.run.app/sweep"
  service_account = "autopr-prod-caller@my-project.iam.gserviceaccount.com"
  audience        = "autopr://my-project/autopr-prod"
}

run "each_minute_with_a_token" {
  assert {
    condition     = google_cloud_scheduler_job.this.schedule == "* * * * *"
    error_message = "what was forgotten waits for longer than a minute"
  }
  assert {
    condition     = google_cloud_scheduler_job.this.http_target[0].http_method == "POST" && google_cloud_scheduler_job.this.http_target[0].uri == "https://service.run.app/sweep"
    error_message = "something else is called"
  }
  assert {
    condition     = google_cloud_scheduler_job.this.http_target[0].oidc_token[0].service_account_email == var.service_account && google_cloud_scheduler_job.this.http_target[0].oidc_token[0].audience == var.audience
    error_message = "the service would not know who calls"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    schedule        = "every minute"
    endpoint        = "http://service/sweep"
    timeout_seconds = 5
  }
  expect_failures = [var.schedule, var.endpoint, var.timeout_seconds]
}
