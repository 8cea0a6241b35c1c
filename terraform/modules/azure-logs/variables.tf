variable "resource_group_name" {
  description = "Resource group of everything."
  type        = string
}

variable "location" {
  description = "Region."
  type        = string
}

variable "tags" {
  description = "Tags of everything that can have some."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Name of the workspace."
  type        = string
}

variable "retention_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.retention_days >= 30 && var.retention_days <= 730
    error_message = "retention_days must be between 30 and 730, which is what Log Analytics allows."
  }
}

variable "daily_gib" {
  description = "Most GiB of logs in a day, after which none are taken until midnight; -1 for no such limit."
  type        = number
  default     = 5

  validation {
    condition     = var.daily_gib == -1 || var.daily_gib > 0
    error_message = "daily_gib must be more than 0, or -1 for no limit."
  }
}
