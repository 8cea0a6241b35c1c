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
  description = "Name of the job and of its identity."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9]|-[a-z0-9])*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 32
    error_message = "name must have 2 to 32 small letters, digits and single hyphens, which is what Container Apps allows."
  }
}

variable "environment_id" {
  description = "Environment that it runs in."
  type        = string
}

variable "image" {
  description = "The image, whose program is `autopr`."
  type        = string
}

variable "registry" {
  description = "Azure Container Registry that the image is pulled from: its `server` and its `id`; null for a public one."
  type        = object({ server = string, id = string })
  default     = null
}

variable "arguments" {
  description = "What the program is called with."
  type        = list(string)
  default     = ["migrate"]
}

variable "environment" {
  description = "Environment variables that are no secrets."
  type        = map(string)
  default     = {}
}

variable "vault" {
  description = "Vault that holds the secrets: its `id` and its address (`uri`)."
  type        = object({ id = string, uri = string })
}

variable "secrets" {
  description = "Names of secrets by the environment variables that hold their values."
  type        = map(string)
  default     = {}
}

variable "timeout_seconds" {
  description = "How long it may take."
  type        = number
  default     = 1800

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 86400
    error_message = "timeout_seconds must be between 60 and 86400."
  }
}
