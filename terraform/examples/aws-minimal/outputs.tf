output "webhook_url" {
  description = "What the GitHub App or the repository's webhook is given."
  value       = module.autopr.webhook_url
}

output "api_url" {
  description = "The API."
  value       = module.autopr.api_url
}

output "queue" {
  description = "The queue."
  value       = module.autopr.queue
}

output "database_secret" {
  description = "Reference of the secret with the database's address."
  value       = module.autopr.database_secret
}

output "database_server" {
  description = "The database server itself, for dumps and restores."
  value       = module.autopr.database_server
}
