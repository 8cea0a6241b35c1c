mock_provider "azurerm" {
  source = "../../mocks/azure"
}

variables {
  image  = "autopr.azurecr.io/azure-app:1.2.3"
  github = { app_id = 12345 }
}

run "by_default" {
  # outputs like those of every cloud
  assert {
    condition     = startswith(output.api_url, "https://") && output.webhook_url == "${output.api_url}/webhooks/github"
    error_message = "GitHub would be given another address"
  }
  assert {
    condition     = output.queue == module.queue.url && output.database_secret == "https://v.vault.azure.net/secrets/database" && output.database_server == "server.autopr-prod.private.postgres.database.azure.com"
    error_message = "an output names something else"
  }
  assert {
    condition     = toset(keys(module.network.dns_zones)) == toset(["database", "cache"])
    error_message = "private endpoints are paid for that nobody asked for"
  }
  # the app is told everything, secrets by reference
  assert {
    condition = {
      for name, value in module.service[0].environment : name => value
      if startswith(value, "secret ")
      } == {
      DATABASE_URL           = "secret database"
      REDIS_URL              = "secret redis"
      GITHUB_WEBHOOK_SECRET  = "secret webhook-secret"
      GITHUB_APP_PRIVATE_KEY = "secret github-app-key"
      OPENAI_API_KEY         = "secret openai-api-key"
      AUTOPR_API_KEYS        = "secret api-keys"
    }
    error_message = "a secret is missing, is another one, or stands there itself"
  }
  assert {
    condition     = module.service[0].environment["AUTOPR_ENV"] == "production" && module.service[0].environment["GITHUB_APP_ID"] == "12345" && module.service[0].environment["AUTOPR_QUEUE_URL"] == module.queue.url && contains(keys(module.service[0].environment), "AZURE_CLIENT_ID")
    error_message = "the app is told something else"
  }
}

run "the_first_step_makes_no_app" {
  variables { image = null }
  assert {
    condition     = output.webhook_url == null && output.api_url == null && output.queue != null && output.database_secret != null
    error_message = "something needs the app that there is not yet"
  }
}

run "choices" {
  variables {
    environment   = "staging"
    github        = { use_token = true }
    cache         = { enabled = false }
    migrate_image = "autopr.azurecr.io/autopr:1.2.3"
    llm           = { providers = ["openai", "anthropic", "mistral", "gemini", "azure-openai"], azure_endpoint = "https://x.openai.azure.com", azure_deployment = "d" }
  }
  assert {
    condition     = module.service[0].environment["GITHUB_TOKEN"] == "secret github-token" && !contains(keys(module.service[0].environment), "GITHUB_APP_PRIVATE_KEY")
    error_message = "the app gets a key that there is not"
  }
  assert {
    condition     = !contains(keys(module.service[0].environment), "REDIS_URL") && length(module.cache) == 0
    error_message = "the app is told of a cache that there is not"
  }
  assert {
    condition     = length(setintersection(keys(module.service[0].environment), ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY", "GEMINI_API_KEY", "AZURE_OPENAI_API_KEY"])) == 5 && module.service[0].environment["AZURE_OPENAI_API_KEY"] == "secret azure-openai-api-key" && module.service[0].environment["AZURE_OPENAI_DEPLOYMENT"] == "d"
    error_message = "a model has no key"
  }
  assert {
    condition     = module.service[0].environment["AUTOPR_ENV"] == "staging" && module.service[0].name == "autopr-staging" && module.migrate[0].name == "autopr-staging-migrate"
    error_message = "staging and production would share names, or nothing prepares the database"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    name        = "autopr-of-our-company"
    environment = "development"
    database    = { version = 14 }
    github      = {}
    llm         = { providers = ["oracle"] }
    worker      = { concurrency = 0 }
    variables   = { OPENAI_API_KEY = "sk-1" }
    logs        = { level = "verbose" }
  }
  expect_failures = [var.name, var.environment, var.database, var.github, var.llm, var.worker, var.variables, var.logs]
}

run "other_mistakes_are_refused" {
  command = plan
  variables {
    github   = { app_id = 1, use_token = true }
    llm      = { providers = ["azure-openai"] }
    database = { max_connections = 50 }
  }
  expect_failures = [var.github, var.llm, var.service]
}

run "vault_and_queues_in_the_network_where_the_firewall_does_not_do" {
  command = plan
  variables {
    network = { private_endpoints = true }
  }
  assert {
    condition     = toset(keys(module.network.dns_zones)) == toset(["database", "cache", "vault", "queue"])
    error_message = "the network knows no names of the private endpoints"
  }
}
