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
  description = "Name of the network and beginning of the other names."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network, of which each of the three subnets gets a 256th."
  type        = string
  default     = "10.30.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) <= 19, false)
    error_message = "cidr must be a range like 10.30.0.0/16 with at least the addresses of a /19, so that each subnet has a /27."
  }
}
