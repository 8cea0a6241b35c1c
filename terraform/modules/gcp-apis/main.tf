# The services of Google Cloud that the stack uses. They stay on when the stack is destroyed, since others in the project may
# use them too.
resource "google_project_service" "used" {
  for_each = var.services

  project            = var.project_id
  service            = each.value
  disable_on_destroy = false
}
