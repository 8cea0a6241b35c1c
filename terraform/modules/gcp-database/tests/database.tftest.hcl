mock_provider "google" {
  source = "../../mocks/gcp"
}

variables {
  project_id = "my-project"
  region     = "us-central1"
  name       = "autopr-prod"
  network    = "projects/p/global/networks/n"
  secret     = "projects/p/secrets/autopr-prod-database"
  ca_secret  = "projects/p/secrets/autopr-prod-database-ca"
}

run "no_public_address_and_tls_only" {
  assert {
    condition     = google_sql_database_instance.this.settings[0].ip_configuration[0].ipv4_enabled == false && length(google_sql_database_instance.this.settings[0].ip_configuration[0].authorized_networks) == 0
    error_message = "the database can be reached from the internet"
  }
  assert {
    condition     = google_sql_database_instance.this.settings[0].ip_configuration[0].private_network == var.network
    error_message = "the database is not in the network"
  }
  assert {
    condition     = google_sql_database_instance.this.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY"
    error_message = "the database takes connections in the clear"
  }
}

run "any_moment_can_be_restored_and_a_zone_may_fail" {
  assert {
    condition     = google_sql_database_instance.this.settings[0].availability_type == "REGIONAL"
    error_message = "the database goes with its zone"
  }
  assert {
    condition     = google_sql_database_instance.this.settings[0].backup_configuration[0].enabled && google_sql_database_instance.this.settings[0].backup_configuration[0].point_in_time_recovery_enabled && google_sql_database_instance.this.settings[0].backup_configuration[0].transaction_log_retention_days == 7
    error_message = "changes since the last backup would be lost"
  }
  assert {
    condition     = google_sql_database_instance.this.settings[0].backup_configuration[0].backup_retention_settings[0].retained_backups == 30
    error_message = "fewer than 30 backups are kept"
  }
  assert {
    condition     = google_sql_database_instance.this.deletion_protection && google_sql_database_instance.this.settings[0].deletion_protection_enabled
    error_message = "the database can be deleted by mistake"
  }
}

run "the_password_is_not_in_the_state" {
  assert {
    condition     = google_sql_user.this.password == null && google_sql_user.this.password_wo == null && google_sql_user.this.password_wo_version == 1
    error_message = "the state holds the password"
  }
  assert {
    condition     = google_secret_manager_secret_version.url.secret_data == null && google_secret_manager_secret_version.url.secret_data_wo == null && google_secret_manager_secret_version.url.secret == var.secret
    error_message = "the state holds the database's address with its password"
  }
}

run "password_and_secret_change_together" {
  variables { password_version = 2 }
  assert {
    condition     = google_sql_user.this.password_wo_version == 2 && google_secret_manager_secret_version.url.secret_data_wo_version == 2
    error_message = "the user and the secret would have different passwords"
  }
}

run "the_authority_can_be_checked" {
  assert {
    condition     = local.ca == "-----BEGIN CERTIFICATE-----database" && google_secret_manager_secret_version.ca.secret_data_wo_version == parseint(substr(sha256("-----BEGIN CERTIFICATE-----database"), 0, 8), 16) && google_secret_manager_secret_version.ca.secret == var.ca_secret
    error_message = "the service can't know the server"
  }
}

run "a_key_of_the_customers_own" {
  variables { kms_key = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k" }
  assert {
    condition     = google_sql_database_instance.this.encryption_key_name == var.kms_key
    error_message = "the disk is not encrypted with the customer's key"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    postgres_version = "POSTGRES_14"
    disk_size_gb     = 5
    max_connections  = 5
    backup           = { start_time = "25:00" }
  }
  expect_failures = [var.postgres_version, var.disk_size_gb, var.max_connections, var.backup]
}

run "other_mistakes_are_refused" {
  command = plan
  variables {
    postgres_version = "MYSQL_8_0"
    backup           = { retained = 1 }
  }
  expect_failures = [var.postgres_version, var.backup]
}

run "more_mistakes_are_refused" {
  command = plan
  variables {
    backup = { log_days = 8 }
  }
  expect_failures = [var.backup]
}
