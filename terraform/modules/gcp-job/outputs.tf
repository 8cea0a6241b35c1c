output "name" {
  description = "Name of the job."
  value       = google_cloud_run_v2_job.this.name
}

output "service_account" {
  description = "E-mail address of the job's identity."
  value       = google_service_account.this.email
}
