output "job" {
  description = "Name of the job."
  value       = google_cloud_scheduler_job.this.name
}

output "caller" {
  description = "Account and audience of the token that comes with a call."
  value = {
    service_account = google_cloud_scheduler_job.this.http_target[0].oidc_token[0].service_account_email
    audience        = google_cloud_scheduler_job.this.http_target[0].oidc_token[0].audience
  }
}
