variable "project_id" {
  description = "Project of the network."
  type        = string
}

variable "region" {
  description = "Region of the subnet."
  type        = string
}

variable "name" {
  description = "Name of the network and beginning of the other names."
  type        = string
}

variable "subnet_cidr" {
  description = "Addresses of the service's instances, at least a /26."
  type        = string
  default     = "10.10.0.0/24"

  validation {
    condition     = can(cidrhost(var.subnet_cidr, 0)) && try(tonumber(split("/", var.subnet_cidr)[1]) <= 26, false)
    error_message = "subnet_cidr must be a range like 10.10.0.0/24 with at least the 64 addresses of a /26."
  }
}

variable "services_cidr" {
  description = "Addresses of the database and the cache, at least a /24. It can't be changed later."
  type        = string
  default     = "10.20.0.0/20"

  validation {
    condition     = can(cidrhost(var.services_cidr, 0)) && try(tonumber(split("/", var.services_cidr)[1]) <= 24, false)
    error_message = "services_cidr must be a range like 10.20.0.0/20 with at least the 256 addresses of a /24."
  }
}

variable "fixed_egress_address" {
  description = "Whether all traffic leaves by one address of its own (Cloud NAT), which costs by the hour and the gigabyte."
  type        = bool
  default     = false
}
