output "action_group" {
  description = "Whom alarms are told to."
  value       = azurerm_monitor_action_group.this.id
}
