output "url" {
  description = "Address of the service."
  value       = google_cloud_run_v2_service.this.uri
}

output "name" {
  description = "Name of the service."
  value       = google_cloud_run_v2_service.this.name
}

output "service_account" {
  description = "E-mail address of the service's identity."
  value       = google_service_account.this.email
}

output "environment" {
  description = "What each environment variable of the service is: its value, or the secret that has it."
  value = {
    for variable in google_cloud_run_v2_service.this.template[0].containers[0].env :
    variable.name => length(variable.value_source) == 0 ? variable.value : variable.value_source[0].secret_key_ref[0].secret
  }
}
