variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "environment" {
  description = "AUTOPR_ENV: `production` or `staging`."
  type        = string
  default     = "production"
}

variable "image" {
  description = "The image of `autopr`, such as ACCOUNT.dkr.ecr.REGION.amazonaws.com/autopr@sha256:…"
  type        = string

  validation {
    condition     = can(regex("(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must end with a tag that is not latest, or with @sha256: and the digest, so that it is known what runs."
  }
}

variable "service" {
  description = <<-EOT
    The tasks.
    - `domain`: the name that GitHub and people use.
    - `certificate_arn`: ACM's certificate for it, in this region.
    - `zone_id`: Route 53's zone that gets a record for the name; without it you make one for the load balancer yourself.
    - `architecture`: `X86_64` or `ARM64`, what the image was built for.
    - `cpu`: a task's processors: 2048 are two.
    - `memory_mib`: a task's memory.
    - `min`: tasks at least.
    - `max`: tasks at most.
    - `cpu_target`: percentage of the processors' use that decides how many there are.
    - `on_demand_weight`: Fargate's share of the tasks.
    - `spot_weight`: Fargate Spot's share, which costs about a third and may be taken away with two minutes' notice.
    - `on_demand_base`: how many tasks are never on Spot.
    - `deletion_protection`: of the load balancer.
    - `access_log_bucket`: S3 bucket for the load balancer's log; none by default.
    - `metrics_security_groups`: groups that may read port 9090, by what they are for.
  EOT
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

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", var.service.domain))
    error_message = "service.domain must be a host's name such as autopr.example.com, without https:// and path."
  }
  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:", var.service.certificate_arn))
    error_message = "service.certificate_arn must be the ARN of a certificate of ACM: webhooks come by HTTPS only."
  }
  validation {
    condition     = contains(["X86_64", "ARM64"], var.service.architecture)
    error_message = "service.architecture must be \"X86_64\" or \"ARM64\"."
  }
  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.service.cpu) && var.service.memory_mib >= 2 * var.service.cpu && var.service.memory_mib <= 8 * var.service.cpu
    error_message = "service.cpu must be 256, 512, 1024, 2048, 4096, 8192 or 16384, and service.memory_mib two to eight times as much."
  }
  validation {
    condition     = var.service.min >= 1 && var.service.max >= var.service.min
    error_message = "service.min must be at least 1, and service.max not below it."
  }
  validation {
    condition     = var.service.cpu_target >= 10 && var.service.cpu_target <= 95
    error_message = "service.cpu_target must be a percentage from 10 to 95."
  }
}

variable "settings" {
  description = "Environment variables that hold no secret: GITHUB_APP_ID, DATABASE_POOLER, DEFAULT_LLM_PROVIDER, MAX_CONCURRENT_WORKFLOWS …"
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Secrets by the last part of their names. `webhook-secret` and `database` must be there; all are given to the tasks."
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

variable "network" {
  description = "The VPC, its addresses, the load balancer's subnets and those of the tasks."
  type        = object({ vpc_id = string, cidr = string, public_subnet_ids = list(string), subnet_ids = list(string) })
}

variable "key_arn" {
  description = "Key for logs and secrets."
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
