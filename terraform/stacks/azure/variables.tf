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
  description = <<-EOT
    Azure Container Registry that images are pulled from without a password; null for a public one.

    - `server`: its address.
    - `id`: what roles know it by.
  EOT
  type        = object({ server = string, id = string })
  default     = null
}

variable "network" {
  description = <<-EOT
    The network of the engine's own.

    - `cidr`: its addresses, at least a /19.
    - `operator_addresses`: public addresses from which people may reach vault and queues; whoever applies this comes from one of them.
    - `private_endpoints`: the apps reach vault and queues by addresses within the network too, where the subnet's service endpoint does not
      do. Each costs by the hour.
  EOT
  type = object({
    cidr               = optional(string, "10.30.0.0/16")
    operator_addresses = optional(set(string), [])
    private_endpoints  = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "database" {
  description = <<-EOT
    Azure Database for PostgreSQL, Flexible Server.

    - `version`: of PostgreSQL, 15 or newer.
    - `sku`: machine.
    - `storage_gib`: size of the disk to begin with; it grows by itself.
    - `standby`: one waits in another zone.
    - `max_connections`: most connections; null: what Azure finds right for the machine. Each replica of the app opens eight at most.
    - `clients`: private ranges besides the apps' that reach the server, by what they are for: the machine that dumps or restores.
    - `backup_days`: days of which any moment can be restored, 7 to 35.
    - `geo_redundant_backups`: backups are also kept in the paired region. It can't be changed later.
    - `deletion_protection`: a lock keeps the server.
    - `password_version`: raise it to change the password.
  EOT
  type = object({
    version               = optional(number, 15)
    sku                   = optional(string, "GP_Standard_D2ds_v5")
    storage_gib           = optional(number, 64)
    standby               = optional(bool, true)
    max_connections       = optional(number)
    clients               = optional(map(string), {})
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
  description = <<-EOT
    Azure Managed Redis.

    - `enabled`: without it each replica remembers by itself.
    - `sku`: kind and size: Balanced_B5 has 6 GB.
    - `standby`: a copy waits in another zone.
    - `secret_version`: raise it to write its address anew, after it was replaced or its keys changed.
  EOT
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
  description = <<-EOT
    As whom the engine writes: an App or a token.

    - `app_id`: number of a GitHub App, whose key is the secret `github-app-key`.
    - `use_token`: a token instead, which is the secret `github-token`.
  EOT
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
  description = <<-EOT
    The language models.

    - `default_provider`: the one asked first.
    - `providers`: those whose keys are secrets (`openai-api-key` …): openai, anthropic, mistral, gemini, azure-openai. With none the analysers review alone.
    - `azure_endpoint`, `azure_deployment`: address (`https://NAME.openai.azure.com`) and deployment of Azure OpenAI.
  EOT
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
  description = <<-EOT
    Never a value.

    - `api_keys`: whether there are keys for the API, the secret `api-keys`.
    - `recovery_days`: days for which what was deleted can be brought back, 7 to 90. It can't be changed later.
    - `officers`: who else than the one who applies this may write secrets: object ids under names of your choice.
  EOT
  type = object({
    api_keys      = optional(bool, true)
    recovery_days = optional(number, 30)
    officers      = optional(map(string), {})
  })
  default  = {}
  nullable = false
}

variable "queue" {
  description = <<-EOT
    Storage Queue.

    - `replication`: ZRS keeps messages in three zones, LRS in one.
  EOT
  type = object({
    replication = optional(string, "ZRS")
  })
  default  = {}
  nullable = false
}

variable "worker" {
  description = <<-EOT
    How executions run.

    - `concurrency`: executions at once in one replica.
    - `messages_per_replica`: for how many waiting messages there is one more replica.
  EOT
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
  description = <<-EOT
    Container Apps.

    - `min`, `max`: fewest and most replicas. With 0, one is woken each quarter of an hour for upkeep.
    - `cpu`, `memory`: of each; two GiB for each processor.
    - `requests`: at once, for which there is one more replica.
    - `zone_redundant`: replicas are spread over zones. It can't be changed later.
  EOT
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

  # A replica opens eight connections at most; the rest is for people, backups and the job that migrates.
  validation {
    condition     = var.database.max_connections == null || try(var.service.max * 8 + 20 <= var.database.max_connections, false)
    error_message = "Replicas open eight connections each: lower service.max, or raise database.max_connections to at least service.max * 8 + 20."
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
  description = <<-EOT
    Log Analytics.

    - `level`: ERROR, WARN, INFO, DEBUG or TRACE.
    - `retention_days`: days for which they are kept, 30 to 730.
    - `daily_gib`: most in a day, after which none are taken until midnight; -1 for no limit.
  EOT
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
  description = <<-EOT
    Who hears of them, under names of your choice; with nobody, alarms are only shown.

    - `emails`: addresses.
    - `webhooks`: addresses that begin with https:// and hold no secret.
  EOT
  type = object({
    emails   = optional(map(string), {})
    webhooks = optional(map(string), {})
  })
  default  = {}
  nullable = false
}

variable "key" {
  description = <<-EOT
    A key of your own for everything that keeps data; null for Microsoft's.

    - `key_vault_key_id`: the key, in a vault that you keep apart.
    - `identity_id`: user-assigned identity that may wrap and unwrap with it.
  EOT
  type        = object({ key_vault_key_id = string, identity_id = string })
  default     = null
}
