output "topic" {
  description = "Full name of the topic, for AUTOPR_QUEUE_URL: projects/P/topics/T."
  value       = google_pubsub_topic.queue.id
}

output "subscription" {
  description = "Name of the subscription that pushes; null when there is none."
  value       = one(google_pubsub_subscription.queue[*].name)
}

output "dead_letters" {
  description = "Name of the subscription that keeps what could not be delivered."
  value       = google_pubsub_subscription.dead_letters.name
}

output "caller" {
  description = "E-mail address of the account in whose name messages are pushed."
  value       = google_service_account.caller.email
}

output "audience" {
  description = "Audience of the token that comes with a push; null when there is no push."
  value       = one([for subscription in google_pubsub_subscription.queue : subscription.push_config[0].oidc_token[0].audience])
}
