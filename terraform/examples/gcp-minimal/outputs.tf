output "webhook_url" {
  description = "What GitHub is given."
  value       = module.autopr.webhook_url
}

output "api_url" {
  description = "The API."
  value       = module.autopr.api_url
}

output "queue" {
  description = "Topic that messages are published to."
  value       = module.autopr.queue
}

output "database_secret" {
  description = "Secret that holds the database's address."
  value       = module.autopr.database_secret
}

output "database_server" {
  description = "The database server itself, for dumps and restores."
  value       = module.autopr.database_server
}
