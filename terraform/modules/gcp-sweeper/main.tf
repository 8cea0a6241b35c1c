# Queues what is due and was forgotten, frees what dead instances held, and asks GitHub for missed deliveries.
resource "google_cloud_scheduler_job" "this" {
  project          = var.project_id
  region           = var.region
  name             = "${var.name}-sweep"
  description      = "Calls the sweep of ${var.name}"
  schedule         = var.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "${var.timeout_seconds}s"

  # The next call is as good as another attempt.
  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = var.endpoint

    oidc_token {
      service_account_email = var.service_account
      audience              = var.audience
    }
  }
}
