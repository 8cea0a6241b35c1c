mock_provider "google" {
  source = "../../mocks/gcp"
}

variables {
  project_id     = "my-project"
  project_number = "123456789012"
  region         = "europe-west1"
  name           = "autopr-prod"
  publishers     = { service = "autopr-prod@my-project.iam.gserviceaccount.com" }
  push           = { endpoint = "https://service.run.app/pubsub/push", audience = "autopr://my-project/autopr-prod" }
}

run "dead_letters_of_its_own_topic" {
  assert {
    condition     = google_pubsub_subscription.queue[0].dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead_letters.id && google_pubsub_topic.dead_letters.id != google_pubsub_topic.queue.id
    error_message = "what can't be delivered does not go to the dead letters"
  }
  assert {
    condition     = google_pubsub_subscription.dead_letters.topic == google_pubsub_topic.dead_letters.id && length(google_pubsub_subscription.dead_letters.push_config) == 0
    error_message = "nothing keeps what is in the dead letters"
  }
  assert {
    condition     = google_pubsub_subscription.queue[0].topic == google_pubsub_topic.queue.id
    error_message = "the service is pushed other messages than those of the queue"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.dead_letters.topic == google_pubsub_topic.dead_letters.name && google_pubsub_topic_iam_member.dead_letters.role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.dead_letters.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "Pub/Sub may not put messages into the dead letters, and would lose none but keep them for ever"
  }
  assert {
    condition     = google_pubsub_subscription_iam_member.queue[0].subscription == google_pubsub_subscription.queue[0].name && google_pubsub_subscription_iam_member.queue[0].role == "roles/pubsub.subscriber"
    error_message = "Pub/Sub may not take messages out of the queue"
  }
}

run "nothing_expires" {
  assert {
    condition     = google_pubsub_subscription.queue[0].expiration_policy[0].ttl == "" && google_pubsub_subscription.dead_letters.expiration_policy[0].ttl == ""
    error_message = "a quiet month removes the subscription"
  }
}

run "pushes_prove_who_they_are" {
  assert {
    condition     = google_pubsub_subscription.queue[0].push_config[0].oidc_token[0].audience == "autopr://my-project/autopr-prod" && google_pubsub_subscription.queue[0].push_config[0].oidc_token[0].service_account_email == google_service_account.caller.email
    error_message = "a push has no token, or that of somebody else"
  }
  assert {
    condition     = google_pubsub_subscription.queue[0].ack_deadline_seconds == 600 && google_pubsub_subscription.queue[0].retry_policy[0].minimum_backoff == "10s" && google_pubsub_subscription.queue[0].retry_policy[0].maximum_backoff == "600s"
    error_message = "a refused message comes back at once, or one under way too early"
  }
}

run "publishers_publish_only" {
  assert {
    condition     = alltrue([for member in google_pubsub_topic_iam_member.publishers : member.role == "roles/pubsub.publisher" && member.topic == google_pubsub_topic.queue.name])
    error_message = "a publisher may do more than publish to the queue"
  }
}

run "messages_stay_in_the_region_under_the_customers_key" {
  variables { kms_key = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k" }
  assert {
    condition     = alltrue([for topic in [google_pubsub_topic.queue, google_pubsub_topic.dead_letters] : topic.kms_key_name == var.kms_key && topic.message_storage_policy[0].allowed_persistence_regions == toset(["europe-west1"])])
    error_message = "a topic keeps messages elsewhere or under another key"
  }
}

run "before_there_is_a_service" {
  variables { push = null }
  assert {
    condition     = length(google_pubsub_subscription.queue) == 0 && output.subscription == null
    error_message = "messages would be pushed nowhere"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    push                 = { endpoint = "http://service", audience = "a" }
    ack_deadline_seconds = 601
    max_receives         = 4
    backoff_seconds      = { min = 60, max = 10 }
  }
  expect_failures = [var.push, var.ack_deadline_seconds, var.max_receives, var.backoff_seconds]
}
