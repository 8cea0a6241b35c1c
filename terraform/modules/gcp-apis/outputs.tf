output "project_id" {
  description = "The project, once all services are on: what takes the project from here waits for them."
  value       = var.project_id
  depends_on  = [google_project_service.used]
}
