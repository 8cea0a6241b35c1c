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
  description = "Name of the environment."
  type        = string
}

variable "subnet_id" {
  description = "Subnet of the apps."
  type        = string
}

variable "workspace_id" {
  description = "Log Analytics workspace for what the apps log."
  type        = string
}

variable "zone_redundant" {
  description = "Whether replicas are spread over zones, which needs two of them at least. It can't be changed later."
  type        = bool
  default     = true
}
