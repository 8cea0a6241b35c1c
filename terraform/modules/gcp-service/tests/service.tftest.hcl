mock_provider "google" {
  source = "../../mocks/gcp"
}

variables {
  project_id  = "my-project"
  region      = "us-central1"
  name        = "autopr-prod"
  image       = "us-docker.pkg.dev/my-project/autopr/gcp-service:1.2.3"
  network     = { network = "projects/p/global/networks/n", subnet = "projects/p/regions/r/subnetworks/s", egress = "PRIVATE_RANGES_ONLY" }
  environment = { AUTOPR_ENV = "production" }
  secrets     = { DATABASE_URL = "projects/p/secrets/database", GITHUB_WEBHOOK_SECRET = "projects/p/secrets/webhook-secret" }
  files       = { database-ca = { secret = "projects/p/secrets/database-ca", file = "/etc/autopr/database/ca.pem" } }
}

run "the_sizes_of_the_guide" {
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].scaling[0].min_instance_count == 1 && google_cloud_run_v2_service.this.template[0].scaling[0].max_instance_count == 10
    error_message = "not 1 to 10 instances"
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].limits == tomap({ cpu = "2", memory = "4Gi" })
    error_message = "not 2 processors and 4 GiB"
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].max_instance_request_concurrency == 80 && google_cloud_run_v2_service.this.template[0].timeout == "300s"
    error_message = "not 80 requests at once, 300 seconds each"
  }
}

run "secrets_by_reference" {
  assert {
    condition = alltrue([
      for variable in google_cloud_run_v2_service.this.template[0].containers[0].env :
      variable.name == "AUTOPR_ENV" ? variable.value == "production" : variable.value == null && variable.value_source[0].secret_key_ref[0].secret == var.secrets[variable.name]
    ])
    error_message = "a secret's value stands in the revision"
  }
  assert {
    condition     = length(google_cloud_run_v2_service.this.template[0].containers[0].env) == 3
    error_message = "a variable is missing"
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].volume_mounts[0].mount_path == "/etc/autopr/database" && google_cloud_run_v2_service.this.template[0].volumes[0].secret[0].items[0].path == "ca.pem"
    error_message = "the authority's certificate is not where the database's address says"
  }
}

run "it_reads_its_own_secrets_and_has_no_other_role" {
  assert {
    condition     = toset([for member in google_secret_manager_secret_iam_member.reads : member.secret_id]) == toset(["projects/p/secrets/database", "projects/p/secrets/webhook-secret", "projects/p/secrets/database-ca"])
    error_message = "it may read other secrets than its own"
  }
  assert {
    condition     = alltrue([for member in google_secret_manager_secret_iam_member.reads : member.role == "roles/secretmanager.secretAccessor" && member.member == "serviceAccount:${google_service_account.this.email}"])
    error_message = "somebody may do more with a secret than read it"
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].service_account == google_service_account.this.email
    error_message = "it runs under the project's own account, which may do nearly everything"
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.public.role == "roles/run.invoker"
    error_message = "the public may do more than call"
  }
}

run "another_generation_of_secrets_replaces_the_instances" {
  variables { secrets_generation = "2-1-1" }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].labels["secrets"] == "2-1-1"
    error_message = "instances would go on with old passwords"
  }
}

run "health_is_not_readiness" {
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].liveness_probe[0].http_get[0].path == "/api/health" && google_cloud_run_v2_service.this.template[0].containers[0].startup_probe[0].http_get[0].path == "/api/health"
    error_message = "a database that is away would restart every instance"
  }
}

run "it_reaches_the_network" {
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].vpc_access[0].network_interfaces[0].subnetwork == var.network.subnet && google_cloud_run_v2_service.this.template[0].vpc_access[0].egress == "PRIVATE_RANGES_ONLY"
    error_message = "it can't reach the database"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    secrets_generation = "A B"
    name               = "pr"
    image              = "us-docker.pkg.dev/my-project/autopr/gcp-service:latest"
    environment        = { PORT = "80" }
    files              = { a = { secret = "a", file = "/etc/x/a" }, b = { secret = "b", file = "/etc/x/b" } }
    scaling            = { min = 5, max = 2 }
    concurrency        = 0
    timeout_seconds    = 900
  }
  expect_failures = [var.secrets_generation, var.name, var.image, var.environment, var.files, var.scaling, var.concurrency, var.timeout_seconds]
}

run "other_mistakes_are_refused" {
  command = plan
  variables {
    image = "us-docker.pkg.dev/my-project/autopr/gcp-service"
  }
  expect_failures = [var.image]
}
