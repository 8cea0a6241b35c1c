# Who may use the customer's own key: the agents of the services that keep data, each for its own data. An agent exists once
# its service was used in the project, or after `gcloud beta services identity create --service=NAME.googleapis.com`.
# https://cloud.google.com/iam/docs/service-agents
locals {
  agents = {
    database = "service-${var.project_number}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
    cache    = "service-${var.project_number}@cloud-redis.iam.gserviceaccount.com"
    queue    = "service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    secrets  = "service-${var.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
    service  = "service-${var.project_number}@serverless-robot-prod.iam.gserviceaccount.com"
  }
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = var.key == null ? {} : local.agents

  crypto_key_id = var.key.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value}"
}
