variable "project_id" {
  description = "Project that everything is made in."
  type        = string

  validation {
    condition     = can(regex("^([a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be the id of a project (not its name or number), like my-company-autopr."
  }
}

variable "region" {
  description = "Region that everything is made in."
  type        = string
  default     = "us-central1"
}

variable "name" {
  description = "Beginning of all names; it tells installations in one project apart."
  type        = string
  default     = "autopr"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,12}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 14 small letters, digits and hyphens, and begin with a letter."
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

variable "image" {
  description = "Image of `gcp-service` with its digest or a tag that names a version. Null makes everything but the service: the first step, after which the secrets are filled."
  type        = string
  default     = null
}

variable "migrate_image" {
  description = "Image of `autopr` with its digest or a tag, for the job that prepares the database; null for no job."
  type        = string
  default     = null
}

variable "apis" {
  description = "Whether the stack switches on the services of Google Cloud that it uses."
  type        = bool
  default     = true
}

variable "network" {
  description = <<-EOT
    The network of the engine's own.

    - `cidr`: addresses of the instances, at least a /26.
    - `services_cidr`: addresses of database and cache, at least a /24. It can't be changed later.
    - `fixed_egress_address`: all traffic leaves by one address of its own (Cloud NAT), which costs by the hour and the gigabyte.
  EOT
  type = object({
    cidr                 = optional(string, "10.10.0.0/24")
    services_cidr        = optional(string, "10.20.0.0/20")
    fixed_egress_address = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "database" {
  description = <<-EOT
    Cloud SQL for PostgreSQL.

    - `version`: of PostgreSQL, 15 or newer.
    - `tier`: machine: db-custom-CPUS-MEGABYTES.
    - `disk_gb`: size of the disk to begin with; it grows by itself.
    - `standby`: one waits in another zone.
    - `max_connections`: most connections. Each instance of the service opens six at most.
    - `backups`: how many daily backups are kept.
    - `backup_location`: region or continent that keeps them; null: near the instance.
    - `log_days`: days of which any moment can be restored, 7 at most.
    - `deletion_protection`: neither Terraform nor Google deletes it.
    - `password_version`: raise it to change the password.
  EOT
  type = object({
    version             = optional(number, 15)
    tier                = optional(string, "db-custom-2-7680")
    disk_gb             = optional(number, 50)
    standby             = optional(bool, true)
    max_connections     = optional(number, 200)
    backups             = optional(number, 30)
    backup_location     = optional(string)
    log_days            = optional(number, 7)
    deletion_protection = optional(bool, true)
    password_version    = optional(number, 1)
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
    Memorystore for Redis.

    - `enabled`: without it each instance remembers by itself.
    - `memory_gb`: its memory.
    - `standby`: a copy waits in another zone (the standard tier).
    - `version`: of Redis, 7_0 or newer.
    - `secret_version`: raise it to write its address anew, after it was replaced.
  EOT
  type = object({
    enabled        = optional(bool, true)
    memory_gb      = optional(number, 5)
    standby        = optional(bool, true)
    version        = optional(string, "7_0")
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
    - `recovery_days`: days for which a destroyed version can be brought back.
    - `generation`: raise it after you filled one anew; the instances are then replaced and read them all.
  EOT
  type = object({
    api_keys      = optional(bool, true)
    recovery_days = optional(number, 7)
    generation    = optional(number, 1)
  })
  default  = {}
  nullable = false
}

variable "queue" {
  description = <<-EOT
    Pub/Sub.

    - `max_receives`: how often a message is pushed before it goes to the dead letters, 5 to 100. An instance that has no room refuses a message too, so this must not be small.
    - `min_backoff_seconds`, `max_backoff_seconds`: shortest and longest wait before a refused message is pushed again.
    - `oldest_message_alarm_seconds`: age of the oldest message from which on somebody is told.
  EOT
  type = object({
    max_receives                 = optional(number, 20)
    min_backoff_seconds          = optional(number, 10)
    max_backoff_seconds          = optional(number, 600)
    oldest_message_alarm_seconds = optional(number, 900)
  })
  default  = {}
  nullable = false
}

variable "worker" {
  description = <<-EOT
    How executions run.

    - `timeout_seconds`: how long a push may take, 60 to 600. What is not done by then goes on in the next one.
    - `concurrency`: executions at once in one instance, 60 to 99 % of `service.requests`. What comes beyond is refused, and pushed again to another instance.
    - `schedule`: of the sweep, as cron writes it.
  EOT
  type = object({
    timeout_seconds = optional(number, 300)
    concurrency     = optional(number, 60)
    schedule        = optional(string, "* * * * *")
  })
  default  = {}
  nullable = false

  # Cloud Run adds an instance when 60 % of the requests are taken: it must not be the executions' own limit that refuses pushes
  # before. https://cloud.google.com/run/docs/about-instance-autoscaling
  validation {
    condition     = var.worker.concurrency * 10 >= var.service.requests * 6 && var.worker.concurrency < var.service.requests
    error_message = "worker.concurrency must be at least 60 % of service.requests, so that an instance is added before pushes are refused, and below it, so that webhooks find room."
  }
}

variable "service" {
  description = <<-EOT
    Cloud Run.

    - `min`, `max`: fewest and most instances.
    - `cpu`, `memory`: of each.
    - `requests`: how many one is given at once.
    - `cpu_always`: whether it keeps its processors between requests, which costs for as long as it lives.
    - `deletion_protection`: Terraform does not delete it.
  EOT
  type = object({
    min                 = optional(number, 1)
    max                 = optional(number, 10)
    cpu                 = optional(string, "2")
    memory              = optional(string, "4Gi")
    requests            = optional(number, 80)
    cpu_always          = optional(bool, false)
    deletion_protection = optional(bool, true)
  })
  default  = {}
  nullable = false

  # An instance opens six connections at most; the rest is for people, backups and the job that migrates.
  validation {
    condition     = var.service.max * 6 + 20 <= var.database.max_connections
    error_message = "Instances open six connections each: lower service.max, or raise database.max_connections to at least service.max * 6 + 20."
  }
}

variable "variables" {
  description = "More environment variables for the service, such as GITHUB_… of your own; never secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.variables) : !can(regex("(_API_KEY|_API_KEYS|_TOKEN|_SECRET|_PRIVATE_KEY)$|^(DATABASE|REDIS)_URL$", name))])
    error_message = "A variable's value is in the state and in the console. Put secrets into Secret Manager."
  }
}

variable "logs" {
  description = <<-EOT
    How long they are kept is a matter of the project's log bucket.

    - `level`: ERROR, WARN, INFO, DEBUG or TRACE.
  EOT
  type = object({
    level = optional(string, "INFO")
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
    Who hears of them.

    - `notification_channels`: as projects/P/notificationChannels/N; with none, alarms are only shown.
  EOT
  type = object({
    notification_channels = optional(list(string), [])
  })
  default  = {}
  nullable = false
}

variable "key" {
  description = "Key of Cloud KMS in the same region (`id`), for everything that keeps data; null for Google's own keys."
  type        = object({ id = string })
  default     = null
}
