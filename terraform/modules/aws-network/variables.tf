variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC, /16 to /18: a subnet takes a 256th of them."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 18, false)
    error_message = "cidr must be an IPv4 range from /16 to /18, such as 10.0.0.0/16."
  }
}

variable "zones" {
  description = "In how many zones there are subnets: 2 or 3."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "zones must be 2 or 3: load balancers and databases want at least two."
  }
}

variable "nat" {
  description = "The private subnets' way to GitHub and the models: `single` gateway, or one in `each` zone, so that a zone can fail."
  type        = string
  default     = "each"

  validation {
    condition     = contains(["single", "each"], var.nat)
    error_message = "nat must be \"single\" or \"each\"."
  }
}

variable "endpoints" {
  description = "AWS services that are reached inside of the VPC, by the last part of their endpoint's name. Each costs by the hour and zone; S3 is always there, because it is free."
  type        = set(string)
  default     = ["secretsmanager", "sqs"]

  validation {
    condition     = !contains(var.endpoints, "s3")
    error_message = "leave s3 out of endpoints: its gateway is always there."
  }
}

variable "key_arn" {
  description = "Key for the flow log."
  type        = string
}

variable "retention_days" {
  description = "How long the flow log is kept."
  type        = number
  default     = 365
}
