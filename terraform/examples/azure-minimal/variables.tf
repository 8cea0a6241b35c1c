variable "version_tag" {
  description = "Tag of the images to run; empty for the first step, which makes all but the app."
  type        = string
  default     = "0.1.0"
}

variable "operator_addresses" {
  description = "Public addresses from which you apply this and fill secrets."
  type        = set(string)
  default     = ["203.0.113.7"]
}
