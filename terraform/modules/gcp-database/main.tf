# PostgreSQL in two zones, which can only be reached from inside the network and with TLS.
resource "google_sql_database_instance" "this" {
  #checkov:skip=CKV_GCP_6: nothing comes in without TLS (ssl_mode); certificates of clients would be one more secret beside the password
  #checkov:skip=CKV_GCP_79: the guide asks for 15 or newer, and a major version is changed on purpose only
  #checkov:skip=CKV_GCP_108: addresses of the private network have no names, and looking for them slows each connection
  #checkov:skip=CKV_GCP_109: statements that failed are logged from error on (log_min_error_statement); the server's own messages stay at warning
  #checkov:skip=CKV2_GCP_13: Query Insights has the time of each statement without a line in the log
  project             = var.project_id
  name                = var.name
  region              = var.region
  database_version    = var.postgres_version
  encryption_key_name = var.kms_key
  deletion_protection = var.deletion_protection

  settings {
    tier                        = var.tier
    edition                     = "ENTERPRISE"
    availability_type           = var.high_availability ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.disk_size_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection
    # What was backed up stays for its time when the instance is deleted by mistake.
    retain_backups_on_delete = true

    ip_configuration {
      ipv4_enabled       = false
      private_network    = var.network
      allocated_ip_range = var.network_range
      ssl_mode           = "ENCRYPTED_ONLY"
      # An authority for this instance alone: whoever trusts it trusts no other server.
      server_ca_mode = "GOOGLE_MANAGED_INTERNAL_CA"
    }

    # A daily backup, and the log of changes for any moment in between: recovery to a point loses minutes, not a day.
    backup_configuration {
      enabled                        = true
      start_time                     = var.backup.start_time
      location                       = var.backup.location
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = var.backup.log_days

      backup_retention_settings {
        retained_backups = var.backup.retained
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = 7
      hour         = 4
      update_track = "stable"
    }

    # Query texts have no values in them: the engine sends those apart.
    insights_config {
      query_insights_enabled  = true
      query_string_length     = 1024
      record_application_tags = false
      record_client_address   = false
    }

    # One block each: a policy checker does not look into loops.
    database_flags {
      name  = "max_connections"
      value = tostring(var.max_connections)
    }

    database_flags {
      name  = "idle_in_transaction_session_timeout"
      value = "30000"
    }

    database_flags {
      name  = "log_checkpoints"
      value = "on"
    }

    database_flags {
      name  = "log_connections"
      value = "on"
    }

    database_flags {
      name  = "log_disconnections"
      value = "on"
    }

    database_flags {
      name  = "log_lock_waits"
      value = "on"
    }

    database_flags {
      name  = "log_min_error_statement"
      value = "error"
    }

    database_flags {
      name  = "log_min_duration_statement"
      value = "-1"
    }

    database_flags {
      name  = "log_statement"
      value = "ddl"
    }

    database_flags {
      name  = "log_temp_files"
      value = "0"
    }

    database_flags {
      name  = "cloudsql.enable_pgaudit"
      value = "on"
    }

    database_flags {
      name  = "pgaudit.log"
      value = "ddl,role"
    }
  }
}

resource "google_sql_database" "this" {
  project  = var.project_id
  instance = google_sql_database_instance.this.name
  name     = var.database

  # Its tables belong to the user, who is removed in the same breath.
  deletion_policy = "ABANDON"
}
