variable "project_id" {
  description = "Project of the job."
  type        = string
}

variable "region" {
  description = "Region of the job."
  type        = string
}

variable "name" {
  description = "Name of the job and of its service account."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.name))
    error_message = "name must have 6 to 30 small letters, digits and hyphens, because a service account is named after it."
  }
}

variable "image" {
  description = "The image, whose program is `autopr`."
  type        = string
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

variable "secrets" {
  description = "Ids of secrets by the environment variables that hold their values."
  type        = map(string)
  default     = {}
}

variable "files" {
  description = "Secrets that are put into files, each in a folder of its own, under names of your choice."
  type        = map(object({ secret = string, file = string }))
  default     = {}
}

variable "network" {
  description = "Network and subnet."
  type        = object({ network = string, subnet = string })
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

variable "kms_key" {
  description = "Key of Cloud KMS for the image's copy that Cloud Run keeps; null for Google's own."
  type        = string
  default     = null
}
