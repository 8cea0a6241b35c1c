output "webhook_url" {
  description = "What GitHub is given; null until there is an image."
  value       = one([for service in module.service : "${service.url}/webhooks/github"])
}

output "api_url" {
  description = "The API; null until there is an image."
  value       = one(module.service[*].url)
}

output "queue" {
  description = "Topic that messages are published to, as AUTOPR_QUEUE_URL takes it."
  value       = module.queue.topic
}

output "database_secret" {
  description = "Secret that holds the database's address."
  value       = module.database.secret
}

output "database_server" {
  description = "Address of the database server in the network: for dumps and restores."
  value       = module.database.server
}
