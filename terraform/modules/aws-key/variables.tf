variable "name" {
  description = "Name of the key's alias, and prefix of the log groups that it may be used for."
  type        = string
}

variable "deletion_days" {
  description = "Days between the key's deletion and its end, in which it can be saved: 7 to 30. What it has encrypted can't be read afterwards."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_days >= 7 && var.deletion_days <= 30
    error_message = "deletion_days must be from 7 to 30."
  }
}
