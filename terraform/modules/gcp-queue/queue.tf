locals {
  # Who delivers for Pub/Sub. https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
  agent = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "queue" {
  project      = var.project_id
  name         = "${var.name}-messages"
  kms_key_name = var.kms_key

  # Messages hold who did what to which pull request; they stay in the region.
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

# Messages are pushed to the service, which so needs no instance that waits for them. The service is public at the network's
# level: what proves that Pub/Sub calls is the token, whose audience, e-mail and signature the service checks.
resource "google_pubsub_subscription" "queue" {
  count = var.push == null ? 0 : 1

  project                      = var.project_id
  name                         = "${var.name}-messages"
  topic                        = google_pubsub_topic.queue.id
  ack_deadline_seconds         = var.ack_deadline_seconds
  message_retention_duration   = "604800s" # seven days
  enable_message_ordering      = false     # an execution looks at the newest state anyway
  enable_exactly_once_delivery = false     # for pull subscriptions only; the engine counts a delivery once itself

  expiration_policy {
    ttl = "" # never, however long nobody opens a pull request
  }

  push_config {
    push_endpoint = var.push.endpoint

    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = var.push.audience
    }
  }

  retry_policy {
    minimum_backoff = "${var.backoff_seconds.min}s"
    maximum_backoff = "${var.backoff_seconds.max}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = var.max_receives
  }

  # Else the first messages that go there are lost for want of a right.
  depends_on = [google_pubsub_topic_iam_member.dead_letters]
}

# Takes messages away from here once they lie in the other topic.
resource "google_pubsub_subscription_iam_member" "queue" {
  count = var.push == null ? 0 : 1

  project      = var.project_id
  subscription = google_pubsub_subscription.queue[0].name
  role         = "roles/pubsub.subscriber"
  member       = local.agent
}
