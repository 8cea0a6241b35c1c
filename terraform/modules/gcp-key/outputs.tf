output "kms_key" {
  description = "The key, once the agents may use it; null for Google's own keys."
  value       = var.key == null ? null : var.key.id
  depends_on  = [google_kms_crypto_key_iam_member.agents]
}
