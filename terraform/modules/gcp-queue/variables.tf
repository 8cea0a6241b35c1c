variable "project_id" {
  description = "Project of the topics."
  type        = string
}

variable "project_number" {
  description = "Its number, which is part of the name of Pub/Sub's agent."
  type        = string
}

variable "region" {
  description = "The only region that keeps messages."
  type        = string
}

variable "name" {
  description = "Beginning of the names."
  type        = string
}

variable "publishers" {
  description = "E-mail addresses of the service accounts that may publish, under names of their own."
  type        = map(string)
  default     = {}
}

variable "push" {
  description = "Where messages are pushed to, and the audience of the token that comes along; null for nowhere."
  type = object({
    endpoint = string
    audience = string
  })
  default = null

  validation {
    condition     = var.push == null || startswith(try(var.push.endpoint, ""), "https://")
    error_message = "push.endpoint must begin with https://."
  }
}

variable "ack_deadline_seconds" {
  description = "How long a push may take before the message is pushed again. Google allows 600 at most."
  type        = number
  default     = 600

  validation {
    condition     = var.ack_deadline_seconds >= 10 && var.ack_deadline_seconds <= 600
    error_message = "ack_deadline_seconds must be between 10 and 600, which is what Pub/Sub allows."
  }
}

variable "max_receives" {
  description = "How often a message is pushed before it goes to the dead letters. An instance that has no room for a message refuses it too, so this must not be small."
  type        = number
  default     = 20

  validation {
    condition     = var.max_receives >= 5 && var.max_receives <= 100
    error_message = "max_receives must be between 5 and 100, which is what Pub/Sub allows."
  }
}

variable "backoff_seconds" {
  description = "Shortest and longest wait before a message that was refused is pushed again."
  type = object({
    min = optional(number, 10)
    max = optional(number, 600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.backoff_seconds.min >= 0 && var.backoff_seconds.min <= var.backoff_seconds.max && var.backoff_seconds.max <= 600
    error_message = "backoff_seconds must be between 0 and 600, the shortest first."
  }
}

variable "kms_key" {
  description = "Key of Cloud KMS for the messages; null for Google's own."
  type        = string
  default     = null
}
