output "policies" {
  description = "Names of the alert policies."
  value = concat(
    [google_monitoring_alert_policy.dead_letters.name],
    google_monitoring_alert_policy.oldest_message[*].name,
  )
}
