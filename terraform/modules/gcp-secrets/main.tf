# Empty places for secrets, named NAME-purpose. Values come from people (docs/terraform.md) or, for database and cache, from
# the modules that know them; who may read one is said where a service is made.
resource "google_secret_manager_secret" "this" {
  for_each = var.purposes

  project             = var.project_id
  secret_id           = "${var.name}-${each.value}"
  version_destroy_ttl = "${var.recovery_days * 86400}s"

  replication {
    # In the stack's region only, so that a key of that region can encrypt them.
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key == null ? [] : [var.kms_key]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }
}
