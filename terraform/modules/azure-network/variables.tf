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

variable "database_clients" {
  description = "Private ranges besides the apps' that reach the database, by what they are for."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for range in values(var.database_clients) : can(regex("^(10|172[.](1[6-9]|2[0-9]|3[01])|192[.]168)[.]", range)) && can(cidrhost(range, 0))])
    error_message = "database_clients must be private ranges like 10.31.0.0/24: nobody comes from outside."
  }
}

variable "private_endpoints" {
  description = "Whether vault and queues are reached by private endpoints, whose names and port this network must then know."
  type        = bool
  default     = false
}
