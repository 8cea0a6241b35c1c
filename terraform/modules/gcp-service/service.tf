resource "google_cloud_run_v2_service" "this" {
  #checkov:skip=CKV_GCP_102: GitHub must reach the webhook, and has no account here; the service checks signatures, tokens and keys itself
  project             = var.project_id
  name                = var.name
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = var.deletion_protection

  template {
    service_account                  = google_service_account.this.email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency
    encryption_key                   = var.kms_key

    # Instances read secrets when they start: another value here replaces them all.
    labels = { secrets = var.secrets_generation }

    scaling {
      min_instance_count = var.scaling.min
      max_instance_count = var.scaling.max
    }

    vpc_access {
      egress = var.network.egress

      network_interfaces {
        network    = var.network.network
        subnetwork = var.network.subnet
      }
    }

    containers {
      image = var.image

      ports {
        container_port = 8080
      }

      resources {
        limits            = { cpu = var.cpu, memory = var.memory }
        cpu_idle          = !var.cpu_always
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = var.environment

        content {
          name  = env.key
          value = env.value
        }
      }

      # Cloud Run reads the value when an instance starts; only the name is part of the revision.
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

      # Not /api/ready: a database that is away must not keep webhooks from being taken.
      startup_probe {
        initial_delay_seconds = 0
        period_seconds        = 2
        timeout_seconds       = 2
        failure_threshold     = 30

        http_get {
          path = "/api/health"
          port = 8080
        }
      }

      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 3

        http_get {
          path = "/api/health"
          port = 8080
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

  # An instance that may not read its secrets does not start.
  depends_on = [google_secret_manager_secret_iam_member.reads]
}
