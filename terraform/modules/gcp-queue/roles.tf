resource "google_pubsub_topic_iam_member" "publishers" {
  for_each = var.publishers

  project = var.project_id
  topic   = google_pubsub_topic.queue.name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${each.value}"
}

# In whose name Pub/Sub and Cloud Scheduler call the service, which knows them by its e-mail address. It has no role anywhere.
resource "google_service_account" "caller" {
  project      = var.project_id
  account_id   = "${var.name}-caller"
  display_name = "AutoPR Engine, Pub/Sub and Cloud Scheduler calling ${var.name}"
}
