output "webhook_url" {
  description = "What GitHub is given; null until there is an image."
  value       = one([for service in module.service : "${service.url}/webhooks/github"])
}

output "api_url" {
  description = "The API; null until there is an image."
  value       = one(module.service[*].url)
}

output "queue" {
  description = "Address of the queue, as AUTOPR_QUEUE_URL takes it."
  value       = module.queue.url
}

output "database_secret" {
  description = "Address of the vault's secret that holds the database's address."
  value       = "${module.vault.uri}secrets/${module.database.secret}"
}

output "database_server" {
  description = "Name of the database server in the network: for dumps and restores, by the apps' subnet and `database.clients`."
  value       = module.database.server
}
