output "ids" {
  description = "Each secret's name by its purpose."
  value       = { for purpose, secret in google_secret_manager_secret.this : purpose => secret.id }
}
