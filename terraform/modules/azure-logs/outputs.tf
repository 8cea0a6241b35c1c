output "id" {
  description = "The workspace."
  value       = azurerm_log_analytics_workspace.this.id
}
