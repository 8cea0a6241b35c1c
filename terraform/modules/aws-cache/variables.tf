variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "cache" {
  description = <<-EOT
    The servers.
    - `version`: Redis' version, 7.0 or 7.1.
    - `node_type`: size of each.
    - `nodes`: how many, of which all but one are copies in other zones; with one there is no failover.
    - `password_version`: raise it to have a new password made.
  EOT
  type = object({
    version          = optional(string, "7.1")
    node_type        = optional(string, "cache.t3.medium")
    nodes            = optional(number, 2)
    password_version = optional(number, 1)
  })
  default = {}

  validation {
    condition     = contains(["7.0", "7.1"], var.cache.version)
    error_message = "cache.version must be \"7.0\" or \"7.1\"."
  }
  validation {
    condition     = var.cache.nodes >= 1 && var.cache.nodes <= 6
    error_message = "cache.nodes must be from 1 to 6."
  }
}

variable "secret_name" {
  description = "Name of the secret that is made for the cache's address and password."
  type        = string
}

variable "recovery_days" {
  description = "Days in which a deleted secret can be had back."
  type        = number
  default     = 30
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets in two zones or more that have no way out."
  type        = list(string)
}

variable "clients" {
  description = "Security groups that may connect, by what they are for."
  type        = map(string)
}

variable "key_arn" {
  description = "Key that encrypts the disk and the secret."
  type        = string
}

variable "alarm_topics" {
  description = "SNS topics that hear of alarms."
  type        = list(string)
  default     = []
}
