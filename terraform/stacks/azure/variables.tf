variable "location" {
  description = "Region that everything is made in; one with three zones, if anything is to have a standby."
  type        = string
  default     = "westeurope"
}

variable "name" {
  description = "Beginning of all names; it tells installations in one subscription apart."
  type        = string
  default     = "autopr"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9]|-[a-z0-9])*$", var.name)) && length(var.name) >= 3 && length(var.name) <= 10
    error_message = "name must have 3 to 10 small letters, digits and single hyphens, and begin with a letter."
  }
}

variable "environment" {
  description = "production or staging, which is AUTOPR_ENV."
  type        = string
  default     = "production"

  validation {
    condition     = contains(["production", "staging"], var.environment)
    error_message = "environment must be production or staging."
  }
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

variable "image" {
  description = "Image of `azure-app` with its digest or a tag that names a version. Null makes everything but the app: the first step, after which the secrets are filled."
  type        = string
  default     = null
}

variable "migrate_image" {
  description = "Image of `autopr` with its digest or a tag, for the job that prepares the database; null for no job."
  type        = string
  default     = null
}

variable "registry" {
  description = "Azure Container Registry that images are pulled from without a password: its `server` and its `id`; null for a public one."
  type        = object({ server = string, id = string })
  default     = null
}

variable "network" {
  description = "`cidr` of the network, and from which public addresses people may reach vault and queues (`operator_addresses`): whoever applies this comes from one of them."
  type = object({
    cidr               = optional(string, "10.30.0.0/16")
    operator_addresses = optional(set(string), [])
  })
  default  = {}
  nullable = false
}

variable "database" {
  description = "`version` of PostgreSQL, machine (`sku`), `storage_gib` to begin with, `standby` in another zone, `max_connections` (null: Azure's), `backup_days` of which any moment can be restored, `geo_redundant_backups`, `deletion_protection`, and `password_version`, which changes the password when it is raised."
  type = object({
    version               = optional(number, 15)
    sku                   = optional(string, "GP_Standard_D2ds_v5")
    storage_gib           = optional(number, 64)
    standby               = optional(bool, true)
    max_connections       = optional(number)
    backup_days           = optional(number, 30)
    geo_redundant_backups = optional(bool, false)
    deletion_protection   = optional(bool, true)
    password_version      = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.database.version >= 15
    error_message = "The engine needs PostgreSQL 15 or newer."
  }
}

variable "cache" {
  description = "Whether there is a Redis (`enabled`), its kind and size (`sku`), `standby` in another zone, and `secret_version`, which writes its address anew when it is raised."
  type = object({
    enabled        = optional(bool, true)
    sku            = optional(string, "Balanced_B5")
    standby        = optional(bool, true)
    secret_version = optional(number, 1)
  })
  default  = {}
  nullable = false
}

variable "github" {
  description = "`app_id` of a GitHub App, whose key is the secret `github-app-key`; or `use_token`, which is the secret `github-token`."
  type = object({
    app_id    = optional(number)
    use_token = optional(bool, false)
  })

  validation {
    condition     = (var.github.app_id != null) != var.github.use_token
    error_message = "Give github.app_id, or set github.use_token, and not both."
  }
}

variable "llm" {
  description = "`providers` whose keys are secrets (`openai-api-key` …), the one asked first (`default_provider`), and address and deployment of Azure OpenAI. Without any the analysers review alone."
  type = object({
    default_provider = optional(string, "openai")
    providers        = optional(set(string), ["openai"])
    azure_endpoint   = optional(string)
    azure_deployment = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(setsubtract(var.llm.providers, ["openai", "anthropic", "mistral", "gemini", "azure-openai"])) == 0
    error_message = "llm.providers may name openai, anthropic, mistral, gemini and azure-openai."
  }

  validation {
    condition     = !contains(var.llm.providers, "azure-openai") || (startswith(coalesce(var.llm.azure_endpoint, "-"), "https://") && var.llm.azure_deployment != null)
    error_message = "azure-openai needs llm.azure_endpoint (https://NAME.openai.azure.com) and llm.azure_deployment."
  }
}

variable "secrets" {
  description = "Whether there are keys for the API (`api_keys`, the secret `api-keys`), for how many days what was deleted can be brought back (`recovery_days`), and who else than the one who applies this may write secrets (`officers`: object ids under names of your choice)."
  type = object({
    api_keys      = optional(bool, true)
    recovery_days = optional(number, 30)
    officers      = optional(map(string), {})
  })
  default  = {}
  nullable = false
}

variable "queue" {
  description = "Copies of the messages (`replication`: ZRS in three zones, LRS in one)."
  type = object({
    replication = optional(string, "ZRS")
  })
  default  = {}
  nullable = false
}

variable "worker" {
  description = "Executions at once in one replica (`concurrency`), and for how many waiting messages there is one more replica (`messages_per_replica`)."
  type = object({
    concurrency          = optional(number, 10)
    messages_per_replica = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.worker.concurrency >= 1
    error_message = "worker.concurrency must be at least 1."
  }
}

variable "service" {
  description = "Fewest and most replicas (with 0 as `min` one is woken each quarter of an hour for upkeep), processors and memory of each, requests at once for which there is one more (`requests`), and whether replicas are spread over zones (`zone_redundant`)."
  type = object({
    min            = optional(number, 1)
    max            = optional(number, 10)
    cpu            = optional(number, 2)
    memory         = optional(string, "4Gi")
    requests       = optional(number, 80)
    zone_redundant = optional(bool, true)
  })
  default  = {}
  nullable = false

  # A replica opens ten connections at most; the rest is for people, backups and the job that migrates.
  validation {
    condition     = var.database.max_connections == null || try(var.service.max * 10 + 20 <= var.database.max_connections, false)
    error_message = "Replicas open ten connections each: lower service.max, or raise database.max_connections to at least service.max * 10 + 20."
  }
}

variable "variables" {
  description = "More environment variables for the app; never secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.variables) : !can(regex("(_API_KEY|_API_KEYS|_TOKEN|_SECRET|_PRIVATE_KEY)$|^(DATABASE|REDIS)_URL$", name))])
    error_message = "A variable's value is in the state and in the portal. Put secrets into the vault."
  }
}

variable "logs" {
  description = "`level` of the log, for how many days it is kept (`retention_days`), and the most GiB in a day (`daily_gib`)."
  type = object({
    level          = optional(string, "INFO")
    retention_days = optional(number, 30)
    daily_gib      = optional(number, 5)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"], var.logs.level)
    error_message = "logs.level must be ERROR, WARN, INFO, DEBUG or TRACE."
  }
}

variable "alarms" {
  description = "Who is told, by mail (`emails`) or by a request (`webhooks`), under names of your choice."
  type = object({
    emails   = optional(map(string), {})
    webhooks = optional(map(string), {})
  })
  default  = {}
  nullable = false
}

variable "key" {
  description = "Key of a vault of yours (`key_vault_key_id`) for everything that keeps data, and a user-assigned identity that may wrap and unwrap with it (`identity_id`); null for Microsoft's own keys."
  type        = object({ key_vault_key_id = string, identity_id = string })
  default     = null
}
