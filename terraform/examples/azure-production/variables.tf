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

variable "registry" {
  description = "Container registry: its `server` and its `id`."
  type        = object({ server = string, id = string })
  default = {
    server = "mycompany.azurecr.io"
    id     = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/mycompany"
  }
}

variable "key" {
  description = "Key of a vault that you keep apart, and an identity that may wrap and unwrap with it."
  type        = object({ key_vault_key_id = string, identity_id = string })
  default = {
    key_vault_key_id = "https://mycompany-keys.vault.azure.net/keys/autopr"
    identity_id      = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/keys/providers/Microsoft.ManagedIdentity/userAssignedIdentities/autopr"
  }
}
