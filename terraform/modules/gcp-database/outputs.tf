output "instance" {
  description = "Name of the instance."
  value       = google_sql_database_instance.this.name
}

output "secret" {
  description = "Secret with the database's address, for DATABASE_URL, once it has a value."
  value       = var.secret
  depends_on  = [google_secret_manager_secret_version.url, google_sql_user.this, google_sql_database.this]
}

output "ca" {
  description = "The certificate of the server's authority: the secret that holds it, and the file it must be put into."
  value       = { secret = var.ca_secret, file = var.ca_file }
  depends_on  = [google_secret_manager_secret_version.ca]
}

output "server" {
  description = "Address of the server in the network, for dumps and restores."
  value       = google_sql_database_instance.this.private_ip_address
}
