variable "project_id" {
  description = "Project of the instance."
  type        = string
}

variable "region" {
  description = "Region of the instance."
  type        = string
}

variable "name" {
  description = "Name of the instance. Google keeps a deleted name for a week."
  type        = string
}

variable "secret" {
  description = "Id of the secret that gets the database's address."
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

variable "postgres_version" {
  description = "15 or newer, in Google's words."
  type        = string
  default     = "POSTGRES_15"

  validation {
    condition     = try(tonumber(trimprefix(var.postgres_version, "POSTGRES_")) >= 15, false)
    error_message = "The engine needs PostgreSQL 15 or newer: POSTGRES_15, POSTGRES_16 …"
  }
}

variable "tier" {
  description = "Machine: db-custom-CPUS-MEGABYTES."
  type        = string
  default     = "db-custom-2-7680"
}

variable "disk_size_gb" {
  description = "Size of the disk, which grows by itself."
  type        = number
  default     = 50

  validation {
    condition     = var.disk_size_gb >= 10
    error_message = "disk_size_gb must be at least 10."
  }
}

variable "high_availability" {
  description = "Whether a standby waits in another zone."
  type        = bool
  default     = true
}

variable "max_connections" {
  description = "Most connections; a change restarts the server. All instances of the service together must stay below it."
  type        = number
  default     = 200

  validation {
    condition     = var.max_connections >= 25
    error_message = "max_connections must be at least 25."
  }
}

variable "backup" {
  description = "Daily backup: hour (UTC) at which it begins, region or continent that keeps it (null: near the instance), how many are kept, and for how many days any moment can be gone back to (7 at most)."
  type = object({
    start_time = optional(string, "03:00")
    location   = optional(string)
    retained   = optional(number, 30)
    log_days   = optional(number, 7)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", var.backup.start_time))
    error_message = "backup.start_time must be a time of day like 03:00."
  }

  validation {
    condition     = var.backup.retained >= 7 && var.backup.log_days >= 1 && var.backup.log_days <= 7
    error_message = "Keep at least 7 backups, and 1 to 7 days of changes."
  }
}

variable "database" {
  description = "Name of the database."
  type        = string
  default     = "autopr"
}

variable "username" {
  description = "The engine's user, who owns the tables."
  type        = string
  default     = "autopr_app"
}

variable "password_version" {
  description = "Raise it by one to change the password. Do so too when an `apply` ended between the user and its secret."
  type        = number
  default     = 1
}

variable "ca_file" {
  description = "Where the service finds the certificate of the server's authority."
  type        = string
  default     = "/etc/autopr/database/ca.pem"
}

variable "kms_key" {
  description = "Key of Cloud KMS for disk and backups; null for Google's own."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether neither Terraform nor Google deletes the instance."
  type        = bool
  default     = true
}
