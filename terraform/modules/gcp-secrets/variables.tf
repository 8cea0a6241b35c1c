variable "project_id" {
  description = "Project of the secrets."
  type        = string
}

variable "region" {
  description = "Region that keeps them."
  type        = string
}

variable "name" {
  description = "Beginning of their names."
  type        = string
}

variable "purposes" {
  description = "What they are for, which is the rest of their names: `webhook-secret`, `openai-api-key` …"
  type        = set(string)

  validation {
    condition     = alltrue([for purpose in var.purposes : can(regex("^[a-z][a-z0-9-]*$", purpose))])
    error_message = "A purpose has small letters, digits and hyphens, like openai-api-key."
  }
}

variable "recovery_days" {
  description = "Days for which a destroyed version can still be brought back."
  type        = number
  default     = 7

  validation {
    condition     = var.recovery_days >= 1 && var.recovery_days <= 1000
    error_message = "recovery_days must be between 1 and 1000."
  }
}

variable "kms_key" {
  description = "Key of Cloud KMS in the same region; null for Google's own."
  type        = string
  default     = null
}
