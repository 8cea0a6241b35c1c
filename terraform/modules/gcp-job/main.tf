# `autopr migrate` inside the network: nothing else reaches the database. It runs when somebody says so:
# gcloud run jobs execute NAME --region REGION --wait
resource "google_cloud_run_v2_job" "this" {
  project             = var.project_id
  name                = var.name
  location            = var.region
  deletion_protection = false

  template {
    template {
      service_account = google_service_account.this.email
      max_retries     = 0
      timeout         = "${var.timeout_seconds}s"
      encryption_key  = var.kms_key

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"

        network_interfaces {
          network    = var.network.network
          subnetwork = var.network.subnet
        }
      }

      containers {
        image = var.image
        args  = var.arguments

        resources {
          limits = { cpu = "1", memory = "512Mi" }
        }

        dynamic "env" {
          for_each = var.environment

          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = var.secrets

          content {
            name = env.key

            value_source {
              secret_key_ref {
                secret  = env.value
                version = "latest"
              }
            }
          }
        }

        dynamic "volume_mounts" {
          for_each = var.files

          content {
            name       = volume_mounts.key
            mount_path = dirname(volume_mounts.value.file)
          }
        }
      }

      dynamic "volumes" {
        for_each = var.files

        content {
          name = volumes.key

          secret {
            secret = volumes.value.secret

            items {
              path    = basename(volumes.value.file)
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.reads]
}

resource "google_service_account" "this" {
  project      = var.project_id
  account_id   = var.name
  display_name = "AutoPR Engine, job ${var.name}"
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = merge(var.secrets, { for name, file in var.files : name => file.secret })

  project   = var.project_id
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.this.email}"
}
