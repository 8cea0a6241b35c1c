variable "project_id" {
  description = "Project of the service."
  type        = string
}

variable "region" {
  description = "Region of the service."
  type        = string
}

variable "name" {
  description = "Name of the service and of its service account."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.name))
    error_message = "name must have 6 to 30 small letters, digits and hyphens, because a service account is named after it."
  }
}

variable "image" {
  description = "The image, with its digest or a tag that names a version."
  type        = string

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]*)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must end in @sha256:… or in a tag other than latest, so that it is known what runs and what to go back to."
  }
}

variable "environment" {
  description = "Environment variables that are no secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.environment), ["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"])) == 0
    error_message = "Cloud Run sets PORT and K_… itself."
  }
}

variable "secrets" {
  description = "Ids of secrets by the environment variables that hold their values."
  type        = map(string)
  default     = {}
}

variable "secrets_generation" {
  description = "Anything of small letters, digits and hyphens. When it changes, all instances are replaced and read the secrets anew."
  type        = string
  default     = "1"

  validation {
    condition     = can(regex("^[a-z0-9-]{1,63}$", var.secrets_generation))
    error_message = "secrets_generation must have 1 to 63 small letters, digits and hyphens."
  }
}

variable "files" {
  description = "Secrets that are put into files, each in a folder of its own, under names of your choice."
  type        = map(object({ secret = string, file = string }))
  default     = {}

  validation {
    condition     = length(distinct([for file in var.files : dirname(file.file)])) == length(var.files)
    error_message = "Each file must lie in a folder of its own: Cloud Run mounts folders."
  }
}

variable "network" {
  description = "Network, subnet and which traffic goes through them: PRIVATE_RANGES_ONLY or ALL_TRAFFIC."
  type        = object({ network = string, subnet = string, egress = string })
}

variable "scaling" {
  description = "Fewest and most instances. With none waiting, the first webhook after a pause starts one."
  type        = object({ min = optional(number, 1), max = optional(number, 10) })
  default     = {}
  nullable    = false

  validation {
    condition     = var.scaling.min >= 0 && var.scaling.max >= 1 && var.scaling.min <= var.scaling.max
    error_message = "scaling needs 0 or more as min, and a max that is not smaller."
  }
}

variable "cpu" {
  description = "Processors of an instance."
  type        = string
  default     = "2"
}

variable "memory" {
  description = "Memory of an instance."
  type        = string
  default     = "4Gi"
}

variable "cpu_always" {
  description = "Whether an instance keeps its processors between requests, which costs for as long as it lives."
  type        = bool
  default     = false
}

variable "concurrency" {
  description = "Requests that an instance is given at once."
  type        = number
  default     = 80

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000
    error_message = "concurrency must be between 1 and 1000."
  }
}

variable "timeout_seconds" {
  description = "How long a request may take. What a push does not end before that is given back and goes on in the next."
  type        = number
  default     = 300

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 600
    error_message = "timeout_seconds must be between 60 and 600: Pub/Sub waits no longer for a push."
  }
}

variable "kms_key" {
  description = "Key of Cloud KMS for the image's copy that Cloud Run keeps; null for Google's own."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the service."
  type        = bool
  default     = true
}
