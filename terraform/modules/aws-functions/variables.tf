variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "environment" {
  description = "AUTOPR_ENV: `production` or `staging`."
  type        = string
  default     = "production"
}

variable "packages" {
  description = <<-EOT
    Where the zips of `scripts/package-lambdas` lie, and what they were built for.
    - `architecture`: `arm64` or `x86_64`.
    - `directory`: the folder with aws-webhook.zip and its kin, uploaded from here; or
    - `bucket`: the S3 bucket that has them.
    - `prefix`: what stands before their names there, with a slash at its end: one for each release.
  EOT
  type = object({
    architecture = optional(string, "arm64")
    directory    = optional(string, "target/lambda")
    bucket       = optional(string)
    prefix       = optional(string, "")
  })
  default = {}

  validation {
    condition     = contains(["arm64", "x86_64"], var.packages.architecture)
    error_message = "packages.architecture must be \"arm64\" or \"x86_64\", as in scripts/package-lambdas --arch."
  }
  validation {
    condition     = var.packages.prefix == "" || endswith(var.packages.prefix, "/")
    error_message = "packages.prefix must end with a slash."
  }
}

variable "worker" {
  description = <<-EOT
    The function that reviews.
    - `timeout_seconds`: how long an invocation may take, 60 to 900.
    - `memory_mib`: the processor's share grows with it.
    - `concurrency`: batches at once; ten reviews run in each.
    - `batch_window_seconds`: how long the queue gathers messages before it hands on fewer than ten.
  EOT
  type = object({
    timeout_seconds      = optional(number, 300)
    memory_mib           = optional(number, 512)
    concurrency          = optional(number, 10)
    batch_window_seconds = optional(number, 1)
  })
  default = {}

  validation {
    condition     = var.worker.timeout_seconds >= 60 && var.worker.timeout_seconds <= 900
    error_message = "worker.timeout_seconds must be from 60 to 900, Lambda's most."
  }
  validation {
    condition     = var.worker.memory_mib >= 128 && var.worker.memory_mib <= 10240
    error_message = "worker.memory_mib must be from 128 to 10240."
  }
  validation {
    condition     = var.worker.concurrency >= 2 && var.worker.concurrency <= 1000
    error_message = "worker.concurrency must be from 2 to 1000, what the queue's event source takes."
  }
  validation {
    condition     = var.worker.batch_window_seconds >= 0 && var.worker.batch_window_seconds <= 300
    error_message = "worker.batch_window_seconds must be from 0 to 300."
  }
}

variable "reserve_concurrency" {
  description = "Whether each function has concurrency of its own. An account must keep 100 unreserved; new accounts may have only ten in all, then choose false."
  type        = bool
  default     = true
}

variable "settings" {
  description = "Environment variables for all functions but the webhook's that hold no secret: GITHUB_APP_ID, DATABASE_POOLER, DEFAULT_LLM_PROVIDER … Each function gets those that it has a use for."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Secrets by the last part of their names. `webhook-secret` and `database` must be there; the others are used where they are."
  type        = map(object({ arn = string, reference = string }))

  validation {
    condition     = contains(keys(var.secrets), "webhook-secret") && contains(keys(var.secrets), "database")
    error_message = "secrets must hold webhook-secret and database."
  }
  validation {
    condition     = contains(keys(var.secrets), "github-app-key") || contains(keys(var.secrets), "github-token")
    error_message = "secrets must hold github-app-key or github-token: the engine writes to GitHub as somebody."
  }
}

variable "queue" {
  description = "The queue of messages."
  type        = object({ arn = string, url = string })
}

variable "network" {
  description = "The VPC, its addresses, the subnets of the functions that call GitHub, and those of the API's."
  type        = object({ vpc_id = string, cidr = string, subnet_ids = list(string), api_subnet_ids = list(string) })
}

variable "key_arn" {
  description = "Key for logs, variables, queue and secrets."
  type        = string
}

variable "logs" {
  description = "`level` (ERROR, WARN, INFO, DEBUG, TRACE) and `retention_days`."
  type        = object({ level = optional(string, "INFO"), retention_days = optional(number, 30) })
  default     = {}
}

variable "alarm_topics" {
  description = "SNS topics that hear of alarms."
  type        = list(string)
  default     = []
}
