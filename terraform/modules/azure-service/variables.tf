variable "resource_group_name" {
  description = "Resource group of everything."
  type        = string
}

variable "location" {
  description = "Region."
  type        = string
}

variable "tags" {
  description = "Tags of everything that can have some."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Name of the app and of its identity."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9]|-[a-z0-9])*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 32
    error_message = "name must have 2 to 32 small letters, digits and single hyphens, which is what Container Apps allows."
  }
}

variable "environment_id" {
  description = "Environment that it runs in."
  type        = string
}

variable "image" {
  description = "The image, with its digest or a tag that names a version."
  type        = string

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]*)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must end in @sha256:… or in a tag other than latest, so that it is known what runs and what to go back to."
  }
}

variable "registry" {
  description = "Azure Container Registry that the image is pulled from with the app's identity: its `server` and its `id`; null for a public one."
  type        = object({ server = string, id = string })
  default     = null
}

variable "environment" {
  description = "Environment variables that are no secrets."
  type        = map(string)
  default     = {}
}

variable "vault" {
  description = "Vault that holds the secrets: its `id` and its address (`uri`)."
  type        = object({ id = string, uri = string })
}

variable "secrets" {
  description = "Names of secrets by the environment variables that hold their values."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in values(var.secrets) : can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", name))])
    error_message = "A secret's name has small letters, digits and hyphens."
  }
}

variable "queue" {
  description = "The queue: address, storage account, name, and what roles know it and its poison queue by."
  type        = object({ url = string, account = string, name = string, id = string, poison_id = string })
}

variable "scaling" {
  description = "Fewest and most replicas, and for how many waiting messages or requests at once there is one more."
  type = object({
    min      = optional(number, 1)
    max      = optional(number, 10)
    messages = optional(number, 10)
    requests = optional(number, 80)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.scaling.min >= 0 && var.scaling.max >= 1 && var.scaling.min <= var.scaling.max && var.scaling.max <= 1000
    error_message = "scaling needs 0 or more as min, and a max of at most 1000 that is not smaller."
  }

  validation {
    condition     = var.scaling.messages >= 1 && var.scaling.requests >= 1
    error_message = "scaling.messages and scaling.requests must be at least 1."
  }
}

variable "cpu" {
  description = "Processors of a replica."
  type        = number
  default     = 2
}

variable "memory" {
  description = "Memory of a replica: two GiB for each processor."
  type        = string
  default     = "4Gi"

  validation {
    condition     = try(tonumber(trimsuffix(var.memory, "Gi")) == var.cpu * 2, false)
    error_message = "Container Apps gives two GiB for each processor: 0.5 and 1Gi, 1 and 2Gi, 2 and 4Gi …"
  }
}
