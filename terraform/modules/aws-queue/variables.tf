variable "name" {
  description = "Name of the queue; its dead letters' has `-dead-letters` behind it."
  type        = string
}

variable "worker_timeout_seconds" {
  description = "How long an invocation of the worker may take. Messages are hidden six times as long."
  type        = number

  validation {
    condition     = var.worker_timeout_seconds >= 60 && var.worker_timeout_seconds <= 900
    error_message = "worker_timeout_seconds must be from 60 to 900, Lambda's most."
  }
}

variable "max_receives" {
  description = "How often a message is handed out before it goes to the dead letters."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receives >= 2 && var.max_receives <= 1000
    error_message = "max_receives must be from 2 to 1000: with 1 a worker that is stopped loses its messages to the dead letters."
  }
}

variable "oldest_message_alarm_seconds" {
  description = "The age of the oldest message at which an alarm is raised."
  type        = number
  default     = 900

  validation {
    condition     = var.oldest_message_alarm_seconds >= 60
    error_message = "oldest_message_alarm_seconds must be at least 60."
  }
}

variable "key_arn" {
  description = "Key that encrypts the messages."
  type        = string
}

variable "alarm_topics" {
  description = "SNS topics that hear of alarms."
  type        = list(string)
  default     = []
}
