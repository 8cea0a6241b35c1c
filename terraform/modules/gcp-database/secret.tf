# The password is made up while Terraform runs and handed to the database and to Secret Manager only: neither the plan nor the
# state has it (write-only arguments, Terraform 1.11). It changes when password_version does.
ephemeral "random_password" "this" {
  length  = 40
  special = false
}

resource "google_sql_user" "this" {
  project             = var.project_id
  instance            = google_sql_database_instance.this.name
  name                = var.username
  password_wo         = ephemeral.random_password.this.result
  password_wo_version = var.password_version

  # It owns the tables, so that it can't be dropped before them.
  deletion_policy = "ABANDON"
}

# The certificate names the instance and not its address, so that verify-ca is the most there is. The authority signs for this
# instance only. https://cloud.google.com/sql/docs/postgres/configure-ssl-instance
resource "google_secret_manager_secret_version" "url" {
  secret = var.secret
  secret_data_wo = join("", [
    "postgresql://${var.username}:${ephemeral.random_password.this.result}",
    "@${google_sql_database_instance.this.private_ip_address}:5432/${var.database}",
    "?sslmode=verify-ca&sslrootcert=${var.ca_file}",
  ])
  secret_data_wo_version = var.password_version
}

locals {
  ca = google_sql_database_instance.this.server_ca_cert[0].cert
}

# The authority's certificate is public. It lies in Secret Manager because Cloud Run can put secrets into files, and nothing
# else.
resource "google_secret_manager_secret_version" "ca" {
  secret                 = var.ca_secret
  secret_data_wo         = local.ca
  secret_data_wo_version = parseint(substr(sha256(local.ca), 0, 8), 16) # another certificate, another version
}
