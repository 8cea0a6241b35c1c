variable "project_id" {
  description = "Project of the instance."
  type        = string
}

variable "region" {
  description = "Region of the instance."
  type        = string
}

variable "name" {
  description = "Name of the instance."
  type        = string
}

variable "secret" {
  description = "Id of the secret that gets the cache's address."
  type        = string
}

variable "ca_secret" {
  description = "Id of the secret that gets the certificate of the server's authority, which is public."
  type        = string
}

variable "network" {
  description = "Network with access to Google's services (the output `services_network` of gcp-network)."
  type        = string
}

variable "network_range" {
  description = "Name of the addresses it takes its own from."
  type        = string
  default     = null
}

variable "memory_gb" {
  description = "Memory."
  type        = number
  default     = 5

  validation {
    condition     = var.memory_gb >= 1 && var.memory_gb <= 300
    error_message = "memory_gb must be between 1 and 300."
  }
}

variable "redis_version" {
  description = "7 or newer, in Google's words."
  type        = string
  default     = "REDIS_7_0"

  validation {
    condition     = can(regex("^REDIS_([7-9]|[1-9][0-9])_", var.redis_version))
    error_message = "The engine needs Redis 7 or newer: REDIS_7_0, REDIS_7_2 …"
  }
}

variable "high_availability" {
  description = "Whether a copy waits in another zone (the standard tier)."
  type        = bool
  default     = true
}

variable "ca_file" {
  description = "Where the service finds the certificate of the server's authority."
  type        = string
  default     = "/etc/autopr/redis/ca.pem"
}

variable "secret_version" {
  description = "Raise it by one to write the secret anew, after the instance was replaced or its password changed."
  type        = number
  default     = 1
}

variable "kms_key" {
  description = "Key of Cloud KMS for the data; null for Google's own."
  type        = string
  default     = null
}
