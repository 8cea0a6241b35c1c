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

variable "server_name" {
  description = "Name of the server, which nobody else in the world may have."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.server_name))
    error_message = "server_name must have 3 to 63 small letters, digits and hyphens."
  }
}

variable "subnet_id" {
  description = "Subnet that belongs to the server."
  type        = string
}

variable "dns_zone_id" {
  description = "Private zone that its name stands in."
  type        = string
}

variable "vault_id" {
  description = "Vault that gets the secret `database`."
  type        = string
}

variable "workspace_id" {
  description = "Log Analytics workspace for its log."
  type        = string
}

variable "postgres_version" {
  description = "15 or newer."
  type        = number
  default     = 15

  validation {
    condition     = var.postgres_version >= 15
    error_message = "The engine needs PostgreSQL 15 or newer."
  }
}

variable "sku" {
  description = "Machine. Burstable ones (B_…) can have no standby."
  type        = string
  default     = "GP_Standard_D2ds_v5"

  validation {
    condition     = can(regex("^(B|GP|MO)_Standard_", var.sku))
    error_message = "sku must read like GP_Standard_D2ds_v5."
  }
}

variable "storage_gib" {
  description = "Size of the disk, which grows by itself."
  type        = number
  default     = 64

  validation {
    condition     = contains([32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384], var.storage_gib)
    error_message = "storage_gib must be 32, 64, 128 … 16384: Azure has only these."
  }
}

variable "standby" {
  description = "Whether a standby waits in another zone."
  type        = bool
  default     = true

  validation {
    condition     = !var.standby || !startswith(var.sku, "B_")
    error_message = "A burstable machine (B_…) can have no standby: take a GP_… one, or none."
  }
}

variable "backup_days" {
  description = "Days of which any moment can be restored."
  type        = number
  default     = 30

  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "backup_days must be between 7 and 35, which is what Azure allows."
  }
}

variable "geo_redundant_backups" {
  description = "Whether backups are also kept in the paired region. It can't be changed later."
  type        = bool
  default     = false
}

variable "max_connections" {
  description = "Most connections; null for what Azure finds right for the machine."
  type        = number
  default     = null
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
  description = "Raise it by one to change the password. Do so too when an `apply` ended between the server and its secret."
  type        = number
  default     = 1
}

variable "key" {
  description = "Key of a vault, and a user-assigned identity that may wrap and unwrap with it; null for Microsoft's own keys."
  type        = object({ key_vault_key_id = string, identity_id = string })
  default     = null
}

variable "deletion_protection" {
  description = "Whether a lock keeps the server."
  type        = bool
  default     = true
}
