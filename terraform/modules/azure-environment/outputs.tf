output "id" {
  description = "The environment."
  value       = azurerm_container_app_environment.this.id
}
