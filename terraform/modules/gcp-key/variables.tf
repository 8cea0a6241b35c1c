variable "project_number" {
  description = "Number of the project, which is part of the agents' names."
  type        = string
}

variable "key" {
  description = "Key of Cloud KMS in the stack's region; null for Google's own keys. An object, so that the key may be made in the same apply."
  type        = object({ id = string })
  default     = null

  validation {
    condition     = var.key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.key.id))
    error_message = "key.id must read projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }
}
