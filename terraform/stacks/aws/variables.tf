variable "name" {
  description = "Prefix of all names; tells installations in one account apart."
  type        = string
  default     = "autopr"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must have 3 to 20 lower-case letters, digits and single hyphens, and begin with a letter: load balancers and caches take no more."
  }
}

variable "environment" {
  description = "`production` or `staging`: AUTOPR_ENV, and the middle of the secrets' names (`autopr/prod/…`)."
  type        = string
  default     = "production"

  validation {
    condition     = contains(["production", "staging"], var.environment)
    error_message = "environment must be \"production\" or \"staging\"."
  }
}

variable "runtime" {
  description = "`lambda`: functions around a queue, paid by use. `ecs`: containers on Fargate behind a load balancer, with the database as the queue."
  type        = string
  default     = "lambda"

  validation {
    condition     = contains(["lambda", "ecs"], var.runtime)
    error_message = "runtime must be \"lambda\" or \"ecs\"."
  }
}

variable "network" {
  description = <<-EOT
    The VPC.
    - `cidr`: addresses of the VPC, /16 to /18.
    - `zones`: 2 or 3.
    - `nat`: `each` zone has a way out of its own, or all share a `single` one, which is cheaper and fails with its zone.
    - `endpoints`: AWS services that are reached without NAT, by the last part of the endpoint's name. By default what the runtime
      uses; `[]` for none. With `secretsmanager` and `sqs` the API's function needs no way out and gets none.
  EOT
  type = object({
    cidr      = optional(string, "10.0.0.0/16")
    zones     = optional(number, 2)
    nat       = optional(string, "each")
    endpoints = optional(set(string))
  })
  default = {}
}

variable "database" {
  description = "PostgreSQL: see the module [aws-database](../../modules/aws-database)."
  type = object({
    version             = optional(string, "15")
    instance_class      = optional(string, "db.t3.medium")
    storage_gib         = optional(number, 100)
    max_storage_gib     = optional(number, 500)
    multi_az            = optional(bool, true)
    backup_days         = optional(number, 7)
    snapshot_days       = optional(number, 30)
    backup_window       = optional(string, "03:00-04:00")
    deletion_protection = optional(bool, true)
    password_version    = optional(number, 1)
    proxy               = optional(bool, true)
    clients             = optional(map(string), {})
    apply_immediately   = optional(bool, false)
    ca_file             = optional(string)
  })
  default = {}
}

variable "cache" {
  description = "Redis: see the module [aws-cache](../../modules/aws-cache). Without it (`enabled = false`) each process has a cache of its own."
  type = object({
    enabled          = optional(bool, true)
    version          = optional(string, "7.1")
    node_type        = optional(string, "cache.t3.medium")
    nodes            = optional(number, 2)
    password_version = optional(number, 1)
  })
  default = {}
}

variable "github" {
  description = "As whom the engine writes: `app_id` of a GitHub App, whose key is the secret `github-app-key`, or `use_token`, which is the secret `github-token`."
  type        = object({ app_id = optional(string), use_token = optional(bool, false) })

  validation {
    condition     = (var.github.app_id != null) != var.github.use_token
    error_message = "github must have either app_id, or use_token = true."
  }
  validation {
    condition     = var.github.app_id == null || can(regex("^[0-9]+$", var.github.app_id))
    error_message = "github.app_id must be the App's number, as its settings on GitHub show it."
  }
}

variable "llm" {
  description = <<-EOT
    The models.
    - `providers`: whose keys there are: `openai`, `anthropic`, `mistral`, `gemini`, `azure-openai`. Each has a secret `NAME-api-key`.
      With none the analysers review alone.
    - `default_provider`: who is asked first.
    - `azure_endpoint`, `azure_deployment`: of Azure OpenAI.
  EOT
  type = object({
    providers        = optional(set(string), ["openai"])
    default_provider = optional(string, "openai")
    azure_endpoint   = optional(string)
    azure_deployment = optional(string)
  })
  default = {}

  validation {
    condition     = length(setsubtract(var.llm.providers, ["openai", "anthropic", "mistral", "gemini", "azure-openai"])) == 0
    error_message = "llm.providers may hold openai, anthropic, mistral, gemini and azure-openai."
  }
  validation {
    condition     = length(var.llm.providers) == 0 || contains(var.llm.providers, replace(var.llm.default_provider, "_", "-"))
    error_message = "llm.default_provider must be one of llm.providers."
  }
  validation {
    condition     = !contains(var.llm.providers, "azure-openai") || (try(startswith(var.llm.azure_endpoint, "https://"), false) && var.llm.azure_deployment != null)
    error_message = "llm.azure_endpoint (https://NAME.openai.azure.com) and llm.azure_deployment must be set for azure-openai."
  }
}

variable "secrets" {
  description = "`recovery_days` in which a deleted secret can be had back (0, or 7 to 30); `api_keys`: whether the API has keys (the secret `api-keys`), without which it answers nobody."
  type        = object({ recovery_days = optional(number, 30), api_keys = optional(bool, true) })
  default     = {}
}

variable "settings" {
  description = "Settings of the engine that are not elsewhere here: MAX_CONCURRENT_WORKFLOWS, WORKFLOW_TIMEOUT."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.settings), ["MAX_CONCURRENT_WORKFLOWS", "WORKFLOW_TIMEOUT"])) == 0
    error_message = "settings may hold MAX_CONCURRENT_WORKFLOWS and WORKFLOW_TIMEOUT; a secret has no place here."
  }
}

variable "packages" {
  description = "Lambda: where the functions' zips are, and for which architecture. See the module [aws-functions](../../modules/aws-functions)."
  type = object({
    architecture = optional(string, "arm64")
    directory    = optional(string, "target/lambda")
    bucket       = optional(string)
    prefix       = optional(string, "")
  })
  default = {}
}

variable "worker" {
  description = "Lambda: the function that reviews. See the module [aws-functions](../../modules/aws-functions). `reserve_concurrency` is for all functions: new accounts may have only ten in all, then choose false."
  type = object({
    timeout_seconds      = optional(number, 300)
    memory_mib           = optional(number, 512)
    concurrency          = optional(number, 10)
    batch_window_seconds = optional(number, 1)
    reserve_concurrency  = optional(bool, true)
  })
  default = {}
}

variable "queue" {
  description = "Lambda: `max_receives` of a message before it goes to the dead letters, and the age of the oldest message at which an alarm is raised."
  type        = object({ max_receives = optional(number, 5), oldest_message_alarm_seconds = optional(number, 900) })
  default     = {}
}

variable "image" {
  description = "ECS: the image of `autopr`, with a tag or a digest."
  type        = string
  default     = null

  validation {
    condition     = var.runtime != "ecs" || var.image != null
    error_message = "image must be set when runtime is \"ecs\"."
  }
}

variable "service" {
  description = "ECS: domain, certificate, size and number of the tasks. See the module [aws-service](../../modules/aws-service)."
  type = object({
    domain                  = string
    certificate_arn         = string
    zone_id                 = optional(string)
    architecture            = optional(string, "X86_64")
    cpu                     = optional(number, 2048)
    memory_mib              = optional(number, 4096)
    min                     = optional(number, 2)
    max                     = optional(number, 10)
    cpu_target              = optional(number, 75)
    on_demand_weight        = optional(number, 1)
    spot_weight             = optional(number, 4)
    on_demand_base          = optional(number, 1)
    deletion_protection     = optional(bool, true)
    access_log_bucket       = optional(string)
    metrics_security_groups = optional(map(string), {})
  })
  default = null

  validation {
    condition     = var.runtime != "ecs" || var.service != null
    error_message = "service must be set, at least with domain and certificate_arn, when runtime is \"ecs\"."
  }
}

variable "logs" {
  description = "`level` (ERROR, WARN, INFO, DEBUG or TRACE) and `retention_days`, one of those that CloudWatch has."
  type        = object({ level = optional(string, "INFO"), retention_days = optional(number, 30) })
  default     = {}

  validation {
    condition     = contains(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"], var.logs.level)
    error_message = "logs.level must be ERROR, WARN, INFO, DEBUG or TRACE."
  }
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_days)
    error_message = "logs.retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "alarms" {
  description = "`topic_arns`: SNS topics that hear of alarms. Without any they are only shown."
  type        = object({ topic_arns = optional(list(string), []) })
  default     = {}

  validation {
    condition     = alltrue([for arn in var.alarms.topic_arns : can(regex("^arn:[a-z-]+:sns:", arn))])
    error_message = "alarms.topic_arns must be ARNs of SNS topics."
  }
}

variable "key" {
  description = "`arn`: a KMS key of your own, whose policy must let CloudWatch Logs use it. Without it one is made, which has `deletion_days` to be saved in."
  type        = object({ arn = optional(string), deletion_days = optional(number, 30) })
  default     = {}

  validation {
    condition     = var.key.arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.key.arn))
    error_message = "key.arn must be the ARN of a KMS key, not of an alias."
  }
}
