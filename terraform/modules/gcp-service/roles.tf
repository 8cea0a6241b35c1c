# The service's own identity. It has no role in the project, only in the secrets below and, from gcp-queue, in its topic.
resource "google_service_account" "this" {
  project      = var.project_id
  account_id   = var.name
  display_name = "AutoPR Engine, service ${var.name}"
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = merge(var.secrets, { for name, file in var.files : name => file.secret })

  project   = var.project_id
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.this.email}"
}

# GitHub has no token of Google's.
resource "google_cloud_run_v2_service_iam_member" "public" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.this.name
  role     = "roles/run.invoker"
  member   = "allUsers"
}
