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

variable "vault_name" {
  description = "Name of the vault, which nobody else in the world may have."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.vault_name))
    error_message = "vault_name must have 3 to 24 small letters, digits and hyphens."
  }
}

variable "tenant_id" {
  description = "Tenant of the identities that use it."
  type        = string
}

variable "officers" {
  description = "Object ids of those who may write secrets, under names of their own: whoever applies this must be among them."
  type        = map(string)
}

variable "operator_addresses" {
  description = "Public addresses or ranges from which officers come."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.operator_addresses : can(cidrhost(strcontains(address, "/") ? address : "${address}/32", 0)) && address != "0.0.0.0/0"])
    error_message = "Give addresses or ranges like 203.0.113.7 or 203.0.113.0/24, not everybody's."
  }
}

variable "subnet_id" {
  description = "Subnet of the apps."
  type        = string
}

variable "workspace_id" {
  description = "Log Analytics workspace that hears who reads and writes."
  type        = string
}

variable "recovery_days" {
  description = "Days for which what was deleted can be brought back; it can't be changed later."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days >= 7 && var.recovery_days <= 90
    error_message = "recovery_days must be between 7 and 90, which is what Key Vault allows."
  }
}

variable "private_endpoint" {
  description = "Subnet and private zone of an address within the network; null for none."
  type        = object({ subnet_id = string, dns_zone_id = string })
  default     = null
}
