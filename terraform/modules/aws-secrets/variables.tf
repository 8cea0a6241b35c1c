variable "prefix" {
  description = "What the names begin with, such as `autopr/prod`."
  type        = string
}

variable "names" {
  description = "Secrets to make, by the last part of their names. They are empty: nothing here knows a value."
  type        = set(string)

  validation {
    condition     = alltrue([for name in var.names : can(regex("^[a-z0-9-]+$", name))])
    error_message = "names must consist of lower-case letters, digits and hyphens."
  }
}

variable "key_arn" {
  description = "Key that encrypts them."
  type        = string
}

variable "recovery_days" {
  description = "Days in which a deleted secret can be had back: 7 to 30, or 0 for none, so that its name is free at once."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days == 0 || var.recovery_days >= 7 && var.recovery_days <= 30
    error_message = "recovery_days must be 0, or from 7 to 30."
  }
}
