locals {
  url = local.lambda ? module.functions[0].url : module.service[0].url
}

output "webhook_url" {
  description = "What the GitHub App or the repository's webhook is given."
  value       = "${local.url}/webhooks/github"
}

output "api_url" {
  description = "The API."
  value       = local.url
}

output "queue" {
  description = "The queue's URL, as AUTOPR_QUEUE_URL takes it; `store` where the database is the queue (ECS)."
  value       = local.lambda ? module.queue[0].url : "store"
}

output "database_secret" {
  description = "Reference of the secret with the database's address, as DATABASE_URL of the functions takes it."
  value       = module.database.secret.reference
}

output "database_server" {
  description = "Name of the database server itself, past the proxy: for dumps and restores, by whom `database.clients` lets in."
  value       = module.database.server
}
