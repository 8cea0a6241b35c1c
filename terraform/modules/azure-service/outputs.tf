output "url" {
  description = "Address of the app."
  value       = "https://${azurerm_container_app.this.ingress[0].fqdn}"
}

output "id" {
  description = "The app."
  value       = azurerm_container_app.this.id
}

output "name" {
  description = "Name of the app."
  value       = azurerm_container_app.this.name
}

output "environment" {
  description = "What each environment variable of the app is: its value, or the vault's secret that has it."
  value = {
    for variable in azurerm_container_app.this.template[0].container[0].env :
    variable.name => coalesce(variable.value, "secret ${coalesce(variable.secret_name, "?")}")
  }
}
