output "webhook_url" {
  description = "What GitHub is given."
  value       = module.autopr.webhook_url
}

output "api_url" {
  description = "The API."
  value       = module.autopr.api_url
}

output "queue" {
  description = "Address of the queue."
  value       = module.autopr.queue
}

output "database_secret" {
  description = "Address of the secret that holds the database's address."
  value       = module.autopr.database_secret
}

output "database_server" {
  description = "The database server itself, for dumps and restores."
  value       = module.autopr.database_server
}
