mock_provider "google" {
  source = "../../mocks/gcp"
}

variables {
  project_id = "my-project"
  region     = "europe-west1"
  image      = "europe-docker.pkg.dev/my-project/autopr/gcp-service:1.2.3"
  github     = { app_id = 12345 }
}

run "outputs_like_those_of_every_cloud" {
  assert {
    condition     = output.webhook_url == "https://autopr-prod-abc.run.app/webhooks/github" && output.api_url == "https://autopr-prod-abc.run.app"
    error_message = "GitHub would be given another address"
  }
  assert {
    condition     = output.queue == module.queue.topic && output.database_secret == module.secrets.ids["database"] && output.database_server == "10.20.0.3"
    error_message = "an output names something else"
  }
}

run "the_service_is_told_everything_and_secrets_by_reference" {
  assert {
    condition = {
      for name, value in module.service[0].environment : name => value
      if contains(values(module.secrets.ids), value)
      } == {
      DATABASE_URL           = module.secrets.ids["database"]
      REDIS_URL              = module.secrets.ids["redis"]
      GITHUB_WEBHOOK_SECRET  = module.secrets.ids["webhook-secret"]
      GITHUB_APP_PRIVATE_KEY = module.secrets.ids["github-app-key"]
      OPENAI_API_KEY         = module.secrets.ids["openai-api-key"]
      AUTOPR_API_KEYS        = module.secrets.ids["api-keys"]
    }
    error_message = "a secret is missing, is another one, or stands there itself"
  }
  assert {
    condition     = module.service[0].environment["AUTOPR_ENV"] == "production" && module.service[0].environment["GITHUB_APP_ID"] == "12345" && module.service[0].environment["AUTOPR_QUEUE_URL"] == module.queue.topic
    error_message = "the service is told something else"
  }
  assert {
    condition     = module.database.ca.file == "/etc/autopr/database/ca.pem" && local.files["database-ca"].secret == module.secrets.ids["database-ca"] && local.files["redis-ca"].file == module.cache[0].ca.file
    error_message = "the service can't know the servers"
  }
}

run "push_and_sweep_bring_the_token_that_the_service_checks" {
  assert {
    condition     = module.service[0].environment["AUTOPR_PUSH_AUDIENCE"] == "autopr://my-project/autopr-prod" && module.queue.audience == "autopr://my-project/autopr-prod" && module.sweeper[0].caller.audience == "autopr://my-project/autopr-prod"
    error_message = "a push or a sweep would be refused"
  }
  assert {
    condition     = module.service[0].environment["AUTOPR_PUSH_SERVICE_ACCOUNT"] == module.queue.caller && module.sweeper[0].caller.service_account == module.queue.caller
    error_message = "a push or a sweep would be refused"
  }
}

run "the_first_step_makes_no_service" {
  variables { image = null }
  assert {
    condition     = output.webhook_url == null && output.api_url == null && length(module.sweeper) == 0 && module.queue.subscription == null
    error_message = "something needs the service that there is not yet"
  }
  assert {
    condition     = output.queue != null && output.database_secret != null
    error_message = "the first step does not make what the secrets need"
  }
}

run "a_token_instead_of_an_app" {
  variables { github = { use_token = true } }
  assert {
    condition     = module.service[0].environment["GITHUB_TOKEN"] == module.secrets.ids["github-token"] && !contains(keys(module.service[0].environment), "GITHUB_APP_PRIVATE_KEY") && !contains(keys(module.secrets.ids), "github-app-key")
    error_message = "the service gets a key that there is not"
  }
}

run "without_a_cache" {
  variables { cache = { enabled = false } }
  assert {
    condition     = length(module.cache) == 0 && !contains(keys(module.service[0].environment), "REDIS_URL") && !contains(keys(module.secrets.ids), "redis")
    error_message = "the service is told of a cache that there is not"
  }
}

run "every_model_has_a_key_of_its_own" {
  variables {
    llm = { providers = ["openai", "anthropic", "mistral", "gemini", "azure-openai"], azure_endpoint = "https://x.openai.azure.com", azure_deployment = "d" }
  }
  assert {
    condition     = length(setintersection(keys(module.service[0].environment), ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY", "GEMINI_API_KEY", "AZURE_OPENAI_API_KEY"])) == 5 && module.service[0].environment["AZURE_OPENAI_API_KEY"] == module.secrets.ids["azure-openai-api-key"] && module.service[0].environment["AZURE_OPENAI_DEPLOYMENT"] == "d"
    error_message = "a model has no key"
  }
}

run "staging_has_names_of_its_own" {
  variables { environment = "staging" }
  assert {
    condition     = module.service[0].environment["AUTOPR_ENV"] == "staging" && module.queue.audience == "autopr://my-project/autopr-staging"
    error_message = "staging and production would share names"
  }
}

run "the_job_that_migrates" {
  variables { migrate_image = "europe-docker.pkg.dev/my-project/autopr/autopr:1.2.3" }
  assert {
    condition     = module.migrate[0].name == "autopr-prod-migrate"
    error_message = "nothing prepares the database"
  }
}

run "a_push_ends_with_its_request" {
  variables {
    worker = { timeout_seconds = 120, concurrency = 70 }
  }
  assert {
    condition     = module.service[0].environment["AUTOPR_PUSH_TIMEOUT"] == "120" && module.service[0].environment["MAX_CONCURRENT_WORKFLOWS"] == "70"
    error_message = "the service would be cut off in the middle of an execution"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    project_id  = "My Project"
    name        = "autopr-of-our-company"
    environment = "development"
    database    = { version = 14 }
    github      = {}
    llm         = { providers = ["oracle"] }
    variables   = { OPENAI_API_KEY = "sk-1" }
    logs        = { level = "verbose" }
  }
  expect_failures = [var.project_id, var.name, var.environment, var.database, var.github, var.llm, var.variables, var.logs]
}

run "other_mistakes_are_refused" {
  command = plan
  variables {
    github = { app_id = 1, use_token = true }
    llm    = { providers = ["azure-openai"] }
    worker = { concurrency = 10 }
  }
  expect_failures = [var.github, var.llm, var.worker]
}

# By itself: the rule above looks at the service, and is not asked when that is wrong.
run "more_connections_than_the_database_has" {
  command = plan
  variables {
    service = { max = 40 }
  }
  expect_failures = [var.service]
}
