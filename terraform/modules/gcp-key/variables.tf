variable "project_number" {
  description = "Number of the project, which is part of the agents' names."
  type        = string
}

variable "kms_key" {
  description = "Key of Cloud KMS in the stack's region; null for Google's own keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key must read projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }
}
