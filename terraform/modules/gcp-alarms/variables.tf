variable "project_id" {
  description = "Project that is watched."
  type        = string
}

variable "name" {
  description = "Beginning of the names."
  type        = string
}

variable "queue" {
  description = "Subscription of the queue; null when there is none yet."
  type        = string
  default     = null
}

variable "dead_letters" {
  description = "Subscription of the dead letters."
  type        = string
}

variable "oldest_message_alarm_seconds" {
  description = "Age of the oldest message from which on somebody is told."
  type        = number
  default     = 900

  validation {
    condition     = var.oldest_message_alarm_seconds >= 60
    error_message = "oldest_message_alarm_seconds must be at least 60."
  }
}

variable "notification_channels" {
  description = "Who is told: projects/P/notificationChannels/N. With none, alarms are only shown."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "A notification channel must read projects/P/notificationChannels/N."
  }
}
