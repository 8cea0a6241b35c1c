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
  description = "Beginning of the names."
  type        = string
}

variable "workspace_id" {
  description = "Log Analytics workspace that the logs are in."
  type        = string
}

variable "storage_account" {
  description = "Name of the queues' storage account."
  type        = string
}

variable "poison" {
  description = "Name of the queue of what could not be delivered."
  type        = string
}

variable "database_id" {
  description = "The database's server."
  type        = string
}

variable "app" {
  description = "The app: its `id` and its `name`; null when there is none yet."
  type        = object({ id = string, name = string })
  default     = null
}

variable "errors" {
  description = "Errors in the log of a quarter of an hour from which on somebody is told."
  type        = number
  default     = 10

  validation {
    condition     = var.errors >= 0
    error_message = "errors must not be negative."
  }
}

variable "emails" {
  description = "Who is told by mail, under names of your choice. With nobody, alarms are only shown."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for address in var.emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "emails must be addresses like on-call@example.com."
  }
}

variable "webhooks" {
  description = "Who is told by a request, under names of your choice. The addresses are in the state: let them hold no secret."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for address in var.webhooks : startswith(address, "https://")])
    error_message = "webhooks must begin with https://."
  }
}
