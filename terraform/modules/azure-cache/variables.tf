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

variable "cache_name" {
  description = "Name of the cache, which nobody else in the region may have."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,58}[a-z0-9]$", var.cache_name))
    error_message = "cache_name must have 3 to 60 small letters, digits and hyphens."
  }
}

variable "subnet_id" {
  description = "Subnet of private endpoints."
  type        = string
}

variable "dns_zone_id" {
  description = "Private zone that its name stands in."
  type        = string
}

variable "vault_id" {
  description = "Vault that gets the secret `redis`."
  type        = string
}

variable "sku" {
  description = "Kind and size: Balanced_B5 has 6 GB."
  type        = string
  default     = "Balanced_B5"

  validation {
    condition     = can(regex("^(Balanced_B|MemoryOptimized_M|ComputeOptimized_X|FlashOptimized_A)[0-9]+$", var.sku))
    error_message = "sku must read like Balanced_B5, which is one of Azure Managed Redis."
  }
}

variable "standby" {
  description = "Whether a copy waits in another zone."
  type        = bool
  default     = true
}

variable "secret_version" {
  description = "Raise it by one to write the secret anew, after the cache was replaced or its keys changed."
  type        = number
  default     = 1
}

variable "key" {
  description = "Key of a vault, and a user-assigned identity that may wrap and unwrap with it; null for Microsoft's own keys."
  type        = object({ key_vault_key_id = string, identity_id = string })
  default     = null
}
