variable "project_id" {
  description = "Project of the job."
  type        = string
}

variable "region" {
  description = "Region of the job, one that Cloud Scheduler has."
  type        = string
}

variable "name" {
  description = "Beginning of its name."
  type        = string
}

variable "schedule" {
  description = "When, as cron writes it; each minute by default."
  type        = string
  default     = "* * * * *"

  validation {
    condition     = length(split(" ", var.schedule)) == 5
    error_message = "schedule must have the five fields of cron: minute, hour, day, month, weekday."
  }
}

variable "endpoint" {
  description = "Address of the sweep."
  type        = string

  validation {
    condition     = startswith(var.endpoint, "https://")
    error_message = "endpoint must begin with https://."
  }
}

variable "service_account" {
  description = "E-mail address of the account in whose name it calls."
  type        = string
}

variable "audience" {
  description = "Audience of the token that comes along."
  type        = string
}

variable "timeout_seconds" {
  description = "How long a sweep may take."
  type        = number
  default     = 180

  validation {
    condition     = var.timeout_seconds >= 15 && var.timeout_seconds <= 1800
    error_message = "timeout_seconds must be between 15 and 1800, which is what Cloud Scheduler allows."
  }
}
