output "account" {
  description = "Name of the storage account."
  value       = azurerm_storage_account.this.name
}

output "queue" {
  description = "Name of the queue."
  value       = azurerm_storage_queue.queue.name
}

output "url" {
  description = "Address of the queue, for AUTOPR_QUEUE_URL."
  value       = "${azurerm_storage_account.this.primary_queue_endpoint}${azurerm_storage_queue.queue.name}"
}

output "id" {
  description = "The queue, as roles know it."
  value       = azurerm_storage_queue.queue.resource_manager_id
}

output "poison_id" {
  description = "The queue of what could not be delivered, as roles know it."
  value       = azurerm_storage_queue.poison.resource_manager_id
}

output "poison" {
  description = "Name of the queue of what could not be delivered."
  value       = azurerm_storage_queue.poison.name
}
