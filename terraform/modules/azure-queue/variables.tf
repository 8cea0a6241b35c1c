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

variable "account_name" {
  description = "Name of the storage account, which nobody else in the world may have."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]{3,24}$", var.account_name))
    error_message = "account_name must have 3 to 24 small letters and digits."
  }
}

variable "queue" {
  description = "Name of the queue; `NAME-poison` takes what could not be delivered."
  type        = string
  default     = "autopr-messages"

  validation {
    condition     = can(regex("^[a-z0-9](-?[a-z0-9])+$", var.queue)) && length(var.queue) >= 3 && length(var.queue) <= 56
    error_message = "queue must have 3 to 56 small letters, digits and single hyphens."
  }
}

variable "subnet_id" {
  description = "Subnet of the apps."
  type        = string
}

variable "operator_addresses" {
  description = "Public addresses from which people may look into the queues."
  type        = set(string)
  default     = []
}

variable "workspace_id" {
  description = "Log Analytics workspace that hears what is written."
  type        = string
}

variable "replication" {
  description = "Copies: ZRS in three zones, LRS in one."
  type        = string
  default     = "ZRS"

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "GZRS"], var.replication)
    error_message = "replication must be LRS, ZRS, GRS or GZRS."
  }
}

variable "key" {
  description = "Key of a vault, and a user-assigned identity that may wrap and unwrap with it; null for Microsoft's own keys."
  type        = object({ key_vault_key_id = string, identity_id = string })
  default     = null
}

variable "private_endpoint" {
  description = "Subnet and private zone of an address within the network; null for none."
  type        = object({ subnet_id = string, dns_zone_id = string })
  default     = null
}
