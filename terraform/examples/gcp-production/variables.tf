variable "project_id" {
  description = "Project that everything is made in."
  type        = string
  default     = "my-company-autopr"
}

variable "version_tag" {
  description = "Tag of the images to run; empty for the first step, which makes all but the service."
  type        = string
  default     = "0.1.0"
}
